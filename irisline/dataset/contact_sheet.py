"""Sheets of pictures to look at, drawn with Pillow. Knows nothing of models or metrics."""

import io
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from irisline.core import display_names, paths
from irisline.dataset import shards

CELL = 160
CAPTION, NEXT = 22, 16  # heights of a caption's first line and of each further one
SIGNS = 24  # that fit below a picture
GAP = 6
PAPER, INK = "white", "#222222"


def variants(originals: Path, augmented: Path, target: Path, pictures: int = 4, columns: int = 7) -> None:
    """Draw the first training pictures, each in a row with its variants, and their names below."""
    rows = list(islice(shards.of_split(originals, "train"), 0, None, _step(originals, pictures)))[:pictures]
    made: dict[str, list[shards.Row]] = {row["sha256"]: [] for row in rows}
    for variant in shards.stream(augmented):
        if variant["sha256"] in made:
            made[variant["sha256"]].append(variant)
    lines = [
        [(row["image"], f"{row['label']}: {Path(row['id']).stem}")]
        + [(variant["image"], f"variant {variant['variant']}") for variant in made[row["sha256"]][: columns - 1]]
        for row in rows
    ]
    write(lines, "The same training pictures, augmented: original first, then its seeded variants", target)


def _step(folder: Path, pictures: int) -> int:
    return max(1, shards.count(folder) // (2 * pictures))


def write(lines: Sequence[Sequence[tuple[bytes, str]]], title: str, target: Path) -> None:
    """Write lines of (picture bytes, caption of one or more lines) as one PNG with a title."""
    breaks = max((caption.count("\n") for line in lines for _, caption in line), default=0)
    height = CELL + CAPTION + breaks * NEXT + GAP
    columns = max((len(line) for line in lines), default=1)
    width = max(columns * (CELL + GAP) + GAP, 12 * len(title))
    sheet = Image.new("RGB", (width, CELL // 4 + len(lines) * height + GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP, GAP * 2), title, fill=INK, font=display_names.font(15))
    for line_number, line in enumerate(lines):
        for column, (data, caption) in enumerate(line):
            corner = (GAP + column * (CELL + GAP), CELL // 4 + line_number * height)
            _place(sheet, pen, data, caption, corner)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    paths.write_whole(target, buffer.getvalue())


def _place(sheet: Image.Image, pen: ImageDraw.ImageDraw, data: bytes, caption: str, corner: tuple[int, int]) -> None:
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    sheet.paste(ImageOps.pad(picture, (CELL, CELL), color="#eeeeee"), corner)
    for number, words in enumerate(caption.split("\n")):
        place = (corner[0], corner[1] + CELL + 3 + number * NEXT)
        pen.text(place, display_names.short(words, SIGNS), fill=INK, font=display_names.font(11))
