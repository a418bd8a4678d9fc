"""A version is let in only when its files and its answers are those that were registered."""

import json
import os
import shutil
from pathlib import Path

import pytest

from irisline.core.errors import MissingInput, ModelError
from irisline.inference.identity import NAME
from service import live
from service.live import Live
from service.settings import Settings
from tests.service.conftest import signed, trusted_keys, turned, version_folder


@pytest.fixture
def cpu() -> Settings:
    return Settings(device="cpu", trusted_keys=trusted_keys())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return version_folder(tmp_path / "version", 3)


def test_a_whole_version_is_let_in(folder: Path, cpu: Settings) -> None:
    found = Live.load(folder, cpu)
    assert (found.identity.version, found.classifier.classes) == (3, ["blue", "brown"])


@pytest.mark.parametrize("name", ["model.onnx", "calibration.json", "golden/blue.jpg"])
def test_a_changed_file_is_named(folder: Path, cpu: Settings, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    with pytest.raises(ModelError, match=rf"{name}: sha256 \w{{12}}, must be \w{{12}}"):
        Live.load(folder, cpu)


def test_an_absent_network_says_so(folder: Path, cpu: Settings) -> None:
    (folder / "model.onnx").unlink()
    with pytest.raises(MissingInput, match=r"^model\.onnx: not in "):
        Live.load(folder, cpu)


def test_other_answers_to_the_golden_set_are_refused(folder: Path, cpu: Settings) -> None:
    (folder / "model.onnx").write_bytes(turned().SerializeToString())
    signed(folder, 3)
    with pytest.raises(ModelError, match=r"eye-colour version 3: answers blue\.jpg of its golden set differently"):
        Live.load(folder, cpu)


def test_a_version_that_nobody_trusted_has_signed_is_refused(folder: Path, tmp_path: Path) -> None:
    for keys in (tmp_path, folder):  # a key that comes along with a version is none
        shutil.copyfile(next(trusted_keys().glob("*.pem")), folder / "mine.pem")
        with pytest.raises(ModelError, match=r"is signed by none of the 0 trusted keys|'mine\.pem' was not signed"):
            Live.load(folder, Settings(device="cpu", trusted_keys=keys))


def test_keys_that_come_after_the_start_are_not_trusted(folder: Path, tmp_path: Path) -> None:
    late = Settings(device="cpu", trusted_keys=tmp_path / "late")
    for _ in range(2):
        with pytest.raises(ModelError, match="eye-colour version 3: is signed by none of the 0 trusted keys"):
            Live.load(folder, late)
        shutil.copytree(trusted_keys(), tmp_path / "late", dirs_exist_ok=True)


def test_an_identity_that_was_edited_is_refused(folder: Path, cpu: Settings) -> None:
    told = json.loads((folder / NAME).read_text())
    (folder / NAME).write_text(json.dumps({**told, "digest": "0" * 64}))
    with pytest.raises(ModelError, match=r"identity\.json: says other things than were signed; export"):
        Live.load(folder, cpu)


def test_threads_are_the_cores_that_the_container_may_use(tmp_path: Path) -> None:
    cores = len(os.sched_getaffinity(0))
    for quota, wanted in (("50000 100000", 1), ("max 100000", cores), ("150000 100000", min(cores, 2))):
        (tmp_path / "cpu.max").write_text(quota)
        assert live.threads(Settings(), tmp_path / "cpu.max") == wanted
    assert live.threads(Settings(), tmp_path / "absent") == cores
    assert live.threads(Settings(threads=3), tmp_path / "cpu.max") == 3
