"""What tells pictures apart by what they show: the same here and in processes, and looked up among many."""

from pathlib import Path

import pytest
from PIL import Image

from irisline.core.params import Execution
from irisline.dataset import thumbnails
from irisline.validation import fingerprints
from irisline.validation.fingerprints import Fingerprint, Index
from tests.planted import picture, saved, settings

LIMITS = settings().collect


def test_the_same_picture_in_another_file_has_the_same_hash_and_a_broken_one_a_reason(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.png", "b.png", "c.jpg", "d.jpg", "gone.jpg")]
    image = picture(size=(200, 160))
    contents = [saved(image, "PNG"), saved(image, "PNG", optimize=True), saved(image, quality=80), b"<html>"]
    for file, data in zip(files, contents, strict=False):
        file.write_bytes(data)
    same, copied, near, broken, gone = fingerprints.of_files(files, LIMITS, settings().execution)
    assert same == copied
    assert near.pixels != same.pixels
    index = Index(distance=4)
    index.add("same", same)
    assert index.like(near) == ["same"]
    assert broken == Fingerprint(reason="not a JPEG, PNG or WebP picture")
    assert "No such file" in gone.reason


@pytest.mark.slow
def test_many_files_are_read_by_processes_in_order(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.png" for number in range(fingerprints.FEW + 8)]
    for number, file in enumerate(files):
        file.write_bytes(saved(picture(key=number), "PNG"))
    here = [fingerprints.of_file(file, LIMITS) for file in files]
    assert list(fingerprints.of_files(files, LIMITS, Execution(engine="local", workers=2))) == here


def test_what_is_like_a_picture_is_found_among_many_in_order() -> None:
    index = Index(distance=2)
    for number in range(300):
        index.add(str(number), Fingerprint(phash=number << 32))
    assert index.like(Fingerprint(phash=0b111 << 32)) == [
        str(number) for number in range(300) if (number ^ 0b111).bit_count() <= 2
    ]


def test_what_is_near_by_grey_alone_is_not_alike() -> None:
    index, recorded = Index(distance=8), fingerprints.recorded(f"{0b11111:016x}")
    red, blue = (thumbnails.of(Image.new("RGB", (20, 20), colour)) for colour in ("red", "blue"))
    index.add("red", Fingerprint("a", 0, red))
    index.add("recorded", recorded)
    assert index.like(Fingerprint("b", 1, blue)) == ["recorded"]
    assert index.like(Fingerprint("b", 0, red)) == ["red"]  # five bits from what is known by its hash alone
    assert index.like(Fingerprint("b", 1, red)) == ["red", "recorded"]


def test_where_pictures_are_not_compared_only_the_same_pixels_are_alike() -> None:
    index = Index(distance=None)
    index.add("one", Fingerprint("a", 7))
    assert index.like(Fingerprint("a", 7)) == ["one"]
    assert index.like(Fingerprint("b", 7)) == []


def test_what_cannot_be_read_is_like_nothing() -> None:
    index = Index(distance=0)
    index.add("broken", Fingerprint(reason="damaged"))
    assert index.like(Fingerprint()) == []
