"""A pool of drawn pictures on disk: one folder per label, and `sources.csv` that says where each file comes from.

Knows files, not pixels.
"""

import hashlib
import io
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

from irisline.core import paths
from irisline.dataset import sources_table
from irisline.domains.drawing import Answer, Slot, good, plan, spoiled

DRAWN_AT = "2026-01-01T00:00:00Z"
LICENCE, LICENCE_URL = "CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"


def draw_pool(
    out: Path,
    count: int,
    seed: int,
    classes: Sequence[str],
    defects: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> list[Answer]:
    """Draw `count` pictures into `out`/<label>/<file> with their sources, and return the planted defects by file.

    The same arguments give the same files. `progress` is told how many of how many are written.
    Raises DataError when defects are asked for and `count` is too small to hold them.
    """
    slots = [_slot(index, seed, classes) for index in range(count)]
    plans = plan(slots, seed) if defects else {}
    rows = []
    for slot in slots:
        planned = plans.get(slot.index)
        file = planned.answer.file if planned else slot.file
        data = spoiled(slot, planned) if planned else good(slot)
        paths.write_whole(out / file, data)
        rows.append(_source_row(file, slot, data))
        if progress:
            progress(len(rows), count)
    sources_table.write(out / paths.SOURCES, rows)
    return sorted((planned.answer for planned in plans.values()), key=lambda answer: answer.file)


def _slot(index: int, seed: int, classes: Sequence[str]) -> Slot:
    label = classes[index % len(classes)]
    return Slot(index, label, f"{label}/{label}-{index // len(classes) + 1:04d}.jpg", f"{seed}/{index}")


def _source_row(file: str, slot: Slot, data: bytes) -> dict[str, str | int]:
    width, height = _size(data)
    return {
        "id": file,
        "provider": "drawn",
        "query": slot.query,
        "rank": slot.index + 1,
        "page_url": "",
        "image_url": "",
        "title": "",
        "author": "Irisline",
        "licence": LICENCE,
        "licence_url": LICENCE_URL,
        "provider_hash": "",
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "width": width,
        "height": height,
        "fetched_at": DRAWN_AT,
        "status": "fetched",
    }


def _size(data: bytes) -> tuple[int | str, int | str]:
    """Width and height as the header claims them; empty for a file that is no image."""
    if data.startswith(b"\x89PNG"):
        width, height = struct.unpack(">II", data[16:24])
        return int(width), int(height)
    if not data.startswith(b"\xff\xd8"):
        return "", ""
    return Image.open(io.BytesIO(data)).size
