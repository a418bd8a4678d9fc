"""Only plain files are read, and no more of one than may be: nothing in a file's place is waited for."""

import os
import socket
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from irisline.cli import doctor
from irisline.collection.sources.candidate import Candidate, Query
from irisline.collection.sources.folder import Folder
from irisline.collection.sources.urls import Urls
from irisline.core import params
from irisline.core.bounded import plain_files
from irisline.core.errors import IrislineError, UnfitFile
from irisline.dataset import tables
from irisline.inference import trusted_keys
from irisline.inference.out_of_distribution import Gallery
from irisline.networks import architectures, bundle
from irisline.release.publishing import run_contents
from irisline.release.tracking import lineage
from tests.planted import settings


def pipe(place: Path) -> None:
    os.mkfifo(place)


def device(place: Path) -> None:
    place.symlink_to("/dev/zero")


def huge(place: Path) -> None:
    with place.open("wb") as file:
        file.truncate(2**42)


def directory(place: Path) -> None:
    place.mkdir()


def listening(place: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as made:
        made.bind(str(place))


EVIL = pytest.mark.parametrize("evil", [pipe, device, huge, directory, listening])


@EVIL
def test_what_is_no_plain_file_within_the_limit_is_refused(evil: Callable[[Path], None], tmp_path: Path) -> None:
    evil(tmp_path / "it")
    for place in (tmp_path / "it", tmp_path / "link"):
        with pytest.raises(UnfitFile, match=r"it: (neither a file nor a link to one|has 4,398,046,511,104 bytes)"):
            plain_files.read(tmp_path / "it", 100)
        if not place.exists():
            place.symlink_to(tmp_path / "it")


def test_a_file_is_read_up_to_its_limit_also_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "it").write_bytes(b"0123456789")
    (tmp_path / "link").symlink_to("it")
    assert plain_files.read(tmp_path / "link", 10) == b"0123456789"
    with pytest.raises(UnfitFile, match=r"link: has 10 bytes, the limit is 9; put the file itself there$") as told:
        plain_files.read(tmp_path / "link", 9)
    assert told.value.too_large
    with pytest.raises(FileNotFoundError):
        plain_files.read(tmp_path / "none")


def folder_read(file: Path) -> bytes:
    own = settings(snapshot__folder=str(file.parent.parent)).snapshot
    return Folder(own).read(Candidate("folder", f"{file.parent.name}/{file.name}", Query("blue", ""), 1, file.as_uri()))


def pinned(file: Path) -> str:
    file.rename("data.dvc")
    return lineage.pool_digest()


def locked(file: Path) -> object:
    file.rename("dvc.lock")
    return lineage.source_tags()


READERS: dict[str, Callable[[Path], object]] = {
    "params.yaml": params.read,
    "keys/team.pem": lambda file: trusted_keys.trusted(file.parent),
    "data/sources.csv": lambda file: tables.read(file, ()),
    "urls.csv": lambda file: list(
        Urls(settings(snapshot__urls=str(file)).snapshot, ["blue"]).search(Query("blue", ""), 1)
    ),
    "own/blue/1.jpg": folder_read,
    "data.dvc": pinned,
    "dvc.lock": locked,
    "reports/evaluate/gate.json": lambda file: run_contents.read_json(file, dict[str, int]),
    "artifacts/train/model.onnx": bundle.file_digest,
    "weights.safetensors": lambda file: architectures._from_file(file),
    "weights.pth": lambda file: architectures._from_file(file),
    "neighbours.npz": Gallery.read,
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("evil", [pipe, device])
def test_whoever_reads_a_file_of_the_project_waits_for_none(
    name: str, evil: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    evil(file)
    began = time.monotonic()
    with pytest.raises(IrislineError, match=r"^[^\n]*; (put the file itself there|[^\n]*)$"):
        READERS[name](file)
    assert time.monotonic() - began < 5


def test_doctor_tells_of_each_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    for name in ("params.yaml", ".dvc/config"):
        pipe(tmp_path / name)
    ill = {finding.what for finding in doctor.examine() if "neither a file nor a link to one" in finding.found}
    assert ill == {"params.yaml", "signing", "DVC remote"}
