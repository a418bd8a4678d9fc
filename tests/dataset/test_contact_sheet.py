"""Sheets to look at: as large as what is on them, with the pictures where they belong."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from irisline.core import display_names
from irisline.dataset import augmentation, contact_sheet, shards
from irisline.dataset.contact_sheet import CAPTION, CELL, GAP
from tests import planted


def opened(file: Path) -> Image.Image:
    return Image.open(io.BytesIO(file.read_bytes()))


def test_each_line_shows_a_picture_and_its_variants(tmp_path: Path) -> None:
    rows = planted.accept(tmp_path / "rows", {"train": 5, "test": 2})
    strengths = planted.settings().augment
    made = (
        row
        for original in rows
        if original["split"] == "train"
        for row in augmentation.variants(original, 1, strengths)
    )
    shards.write(tmp_path / "made", shards.AUGMENTED, 100, made)
    for name in ("one.png", "two.png"):
        contact_sheet.variants(tmp_path / "rows", tmp_path / "made", tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    sheet = opened(tmp_path / "one.png")
    assert sheet.height == CELL // 4 + 4 * (CELL + CAPTION + GAP) + GAP
    assert sheet.width >= 4 * (CELL + GAP) + GAP


def test_pictures_lie_in_their_cells(tmp_path: Path) -> None:
    flat = [planted.saved(Image.new("RGB", (20, 20), colour)) for colour in ("red", "blue")]
    contact_sheet.write([[(flat[0], "a"), (flat[1], "b")]], "title", tmp_path / "deep" / "sheet.png")
    sheet = np.asarray(opened(tmp_path / "deep" / "sheet.png").convert("RGB"))
    middle = CELL // 4 + CELL // 2
    assert sheet[middle, GAP + CELL // 2].tolist() == [254, 0, 0]
    assert sheet[middle, 2 * GAP + CELL + CELL // 2].tolist() == [0, 0, 254]


def test_an_empty_sheet_is_a_title(tmp_path: Path) -> None:
    contact_sheet.write([], "nothing to see", tmp_path / "sheet.png")
    assert opened(tmp_path / "sheet.png").height == CELL // 4 + GAP


def test_the_letters_of_a_sheet_are_those_of_figures() -> None:
    known, lacking = (display_names.font(20).getmask(sign) for sign in ("é", "蓝"))
    box = display_names.font(20).getmask("\uffff")
    assert bytes(known) != bytes(box)
    assert bytes(lacking) == bytes(box)
