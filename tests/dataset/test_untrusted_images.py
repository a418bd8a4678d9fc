"""Pictures that are not trusted: decoded elsewhere to the very same pixels, and a process that is ended is a refusal."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench._bombs import many_huffman_groups
from irisline.core.errors import TooCostly, UnreadableImage
from irisline.dataset import crops, images, picture_files, untrusted_images
from irisline.dataset.decoding import Cost
from irisline.dataset.untrusted_crops import Cropper
from tests import planted
from tests.planted import picture, saved

LIMITS = 640, 10**8


@pytest.mark.parametrize("kind", picture_files.FORMATS)
def test_the_pixels_are_those_that_are_decoded_here(kind: str) -> None:
    data = saved(picture(size=(300, 200)), kind)
    there, here = untrusted_images.decode(data, *LIMITS), images.decode(data, *LIMITS)
    assert images.pixel_digest(there) == images.pixel_digest(here)
    again = images.decode(untrusted_images.rewritten(data, *LIMITS), *LIMITS)
    assert images.pixel_digest(again) == images.pixel_digest(here)


def test_refusals_come_back_as_what_they_are() -> None:
    with pytest.raises(UnreadableImage, match=r"^HEIC, not JPEG, PNG or WebP; save it as JPEG$") as caught:
        untrusted_images.decode(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", *LIMITS)
    assert not isinstance(caught.value, TooCostly)
    with pytest.raises(TooCostly, match=r"^100x100 is more than 99 pixels$"):
        untrusted_images.decode(saved(Image.new("RGB", (100, 100)), "PNG"), 640, 99)


def test_what_is_no_file_or_too_large_a_one_is_refused_before_it_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    for name in ("pipe", "device"):
        with pytest.raises(UnreadableImage, match=r"^neither a file nor a link to one$"):
            untrusted_images.read(tmp_path / name)
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(6 * 2**30)
    with pytest.raises(TooCostly, match=r"^has 6,442,450,944 bytes, the limit is 268,435,456$"):
        untrusted_images.read(tmp_path / "sparse")
    (tmp_path / "picture").write_bytes(saved(picture()))
    (tmp_path / "link").symlink_to("picture")
    assert untrusted_images.read(tmp_path / "link") == saved(picture())


@pytest.mark.parametrize("crop", ["none", "eyes"])
def test_what_is_seen_there_is_what_is_seen_here(crop: str) -> None:
    settings = planted.settings(preprocess__size=32, preprocess__fit="squash", preprocess__crop=crop).preprocess
    data, cropper = saved(picture(size=(300, 200))), Cropper(Cost(1, 2**26))
    limits = type("Limits", (), {"preprocess": settings, "max_side": 640, "max_pixels": 10**8})()
    spent: list[float] = []
    there, here = cropper.crop(data, limits, 1, spent.append), crops.of(images.decode(data, *LIMITS), settings)
    cropper.close()
    assert len(there) == len(here)
    assert all(np.array_equal(one.pixels, other.pixels) for one, other in zip(there, here, strict=True))
    assert [(one.subject, one.place) for one in there] == [(one.subject, one.place) for one in here]
    assert len(spent) == 1
    assert spent[0] > 0


def test_a_picture_that_takes_more_than_its_size_tells_is_refused_and_the_next_is_looked_at() -> None:
    bomb = many_huffman_groups(1024)  # 370 MB of tables
    assert len(bomb) < 300_000
    settings = planted.settings(preprocess__size=32, preprocess__fit="squash").preprocess
    limits = type("Limits", (), {"preprocess": settings, "max_side": 640, "max_pixels": 10**8})()
    cropper, spent = Cropper(Cost(1, 2**26)), list[float]()
    with pytest.raises(UnreadableImage):
        cropper.crop(bomb, limits, 1, spent.append)
    assert len(cropper.crop(saved(picture()), limits, 1, spent.append)) == 1
    cropper.close()
    assert all(seconds <= 1 for seconds in spent)
