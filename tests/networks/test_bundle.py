"""A version is its files, and its digest names them whatever folder they lie in."""

import hashlib
import shutil
from pathlib import Path

import pytest

from irisline.core.errors import MissingInput
from irisline.networks import bundle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one" / "golden").mkdir(parents=True)
    for name in (*bundle.NAMES, "golden/0001.jpg", "golden/0002.jpg", "unrelated.txt"):
        (tmp_path / "one" / name).write_text(name)
    return tmp_path / "one"


def test_files_are_named_and_sorted(folder: Path) -> None:
    names = [*bundle.NAMES, "golden/0001.jpg", "golden/0002.jpg"]
    assert list(bundle.files(folder)) == sorted(names)


def test_the_digest_is_of_names_and_contents_not_of_places(folder: Path, tmp_path: Path) -> None:
    for name in bundle.NAMES[3:]:
        (tmp_path / "two" / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.move(folder / "golden", tmp_path / "two" / "moved")
    (tmp_path / "two" / "golden").rmdir()
    shutil.move(tmp_path / "two" / "moved", tmp_path / "two" / "golden")
    apart = bundle.digest(folder, tmp_path / "two")
    shutil.move(tmp_path / "two" / "golden", folder / "golden")
    assert bundle.digest(folder) == apart
    (folder / "golden" / "0002.jpg").write_text("changed")
    assert bundle.digest(folder) != apart
    (folder / "golden" / "0002.jpg").unlink()
    assert bundle.digest(folder) != apart


def test_an_absent_file_is_named(folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(MissingInput, match=r"^model.safetensors: not in .*one or .*two; type dvc repro to make it$"):
        bundle.digest(folder, tmp_path / "two")


@pytest.mark.parametrize("names", [bundle.INT8, (bundle.NEIGHBOURS,)], ids=["int8", "neighbours"])
def test_what_not_all_have_is_part_of_a_version_that_does_and_leaves_older_digests_alone(
    folder: Path, names: tuple[str, ...]
) -> None:
    lines = (
        f"{name} {hashlib.sha256((folder / name).read_bytes()).hexdigest()}\n" for name in sorted(bundle.files(folder))
    )
    older = bundle.digest(folder)
    assert older == hashlib.sha256("".join(lines).encode()).hexdigest()
    for name in names:
        (folder / name).write_text("made")
    assert set(names) < set(bundle.files(folder))
    assert bundle.digest(folder) != older
