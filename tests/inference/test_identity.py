"""A folder proves itself: identity.json is strict, and each file must be the one it names."""

import json
from pathlib import Path

import pytest

from irisline.core.errors import MissingInput, ModelError
from irisline.inference import identity
from irisline.inference.identity import Identity
from irisline.networks import bundle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with every file of a version, and its identity."""
    (tmp_path / "golden").mkdir()
    for name in (*bundle.NAMES, "golden/0001.jpg"):
        (tmp_path / name).write_text(name)
    write(tmp_path, document(tmp_path))
    return tmp_path


def document(folder: Path) -> dict[str, object]:
    return {
        "name": "eye-colour",
        "version": 3,
        "alias": "champion",
        "digest": bundle.digest(folder),
        "files": {name: bundle.file_digest(path) for name, path in bundle.files(folder).items()},
        "classes": ["blue", "brown"],
        "precision": "float32",
        "precision_reason": "not measured",
        "source": {"git_commit": "0" * 40, "git_dirty": "no", "dvc_lock_sha256": "none", "data_md5": "none"},
        "run_id": "0123",
        "metrics": {"error_rate": {"value": 0.1, "low": None, "high": 0.2}},
        "licences": {"CC0": 24},
        "registered": "2026-03-01T12:00:00+00:00",
        "promoted": None,
    }


def write(folder: Path, written: dict[str, object]) -> None:
    (folder / identity.NAME).write_text(json.dumps(written))


def test_a_whole_folder_gives_its_identity_and_the_text_can_be_read_again(folder: Path) -> None:
    found = identity.verify(folder)
    assert (found.version, found.digest) == (3, bundle.digest(folder))
    (folder / identity.NAME).write_text(found.as_json())
    assert Identity.read(folder / identity.NAME) == found


def test_a_network_that_the_device_does_not_run_may_be_absent(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    assert identity.verify(folder).version == 3


def test_the_first_file_that_differs_is_named(folder: Path) -> None:
    (folder / "model.onnx").write_text("other weights")
    (folder / "golden" / "0001.jpg").write_text("another picture")
    with pytest.raises(ModelError, match=r"golden/0001\.jpg: sha256 \w{12}, must be \w{12}; export the version anew$"):
        identity.verify(folder)


def test_calibration_that_went_missing_is_refused(folder: Path) -> None:
    (folder / "calibration.json").unlink()
    with pytest.raises(ModelError, match=r"calibration\.json: not there, and version 3 has it; export it anew$"):
        identity.verify(folder)


def test_files_that_do_not_make_up_the_digest_are_refused(folder: Path) -> None:
    (folder / "model.onnx").write_text("other weights")
    written = document(folder) | {"digest": "0" * 64}
    write(folder, written)
    with pytest.raises(ModelError, match=r"its files make up digest \w{12}, must be 000000000000; export"):
        identity.verify(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [("version", "3"), ("digest", "short"), ("files", {"../up": "0" * 64}), ("unknown", 1), ("precision", "int4")],
)
def test_a_wrong_value_or_key_is_named(folder: Path, key: str, value: object) -> None:
    write(folder, document(folder) | {key: value})
    with pytest.raises(ModelError, match=rf"identity\.json: {key}.*: .*; export the version anew$"):
        identity.verify(folder)


def test_an_absent_or_unreadable_identity_is_one_line(folder: Path) -> None:
    (folder / identity.NAME).write_text("{")
    with pytest.raises(ModelError, match=r"identity\.json: document: Invalid JSON"):
        identity.verify(folder)
    (folder / identity.NAME).unlink()
    with pytest.raises(MissingInput, match=r"identity\.json: not found; export the version anew"):
        identity.verify(folder)
