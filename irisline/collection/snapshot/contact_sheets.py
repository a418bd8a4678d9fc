"""A sheet of pictures for each class, to look at what a snapshot has brought. Bounded memory: each picture is drawn small."""

from collections.abc import Sequence
from pathlib import Path

from irisline.collection.snapshot.source_lines import label_of
from irisline.core import display_names, paths
from irisline.core.errors import UnreadableImage
from irisline.core.params import Params
from irisline.dataset import contact_sheet, images, pool_files, sources_table, untrusted_images

PICTURES, COLUMNS = 60, 6


def draw(pool: Path, settings: Params) -> None:
    """Write reports/snapshot/<class>.png for every class: at most 60 of its fetched pictures, evenly spread."""
    lines = [line for line in sources_table.read(pool / paths.SOURCES) if sources_table.is_fetched(line)]
    files = pool_files.files(pool)
    brought = [line["id"] for line in lines if line.get("provider") in settings.snapshot.sources]
    classes = settings.base.classes
    for label, file in zip(classes, display_names.distinct(classes, ".png"), strict=True):
        ids = sorted(name for name in brought if label_of(name) == label and name in files)
        cells = [cell for name in _spread(ids) if (cell := _cell(files[name], settings))]
        title = f"{label}: {len(cells)} of {len(ids)} pictures"
        rows = [cells[start : start + COLUMNS] for start in range(0, len(cells), COLUMNS)]
        contact_sheet.write(rows, title, paths.SNAPSHOT_REPORT / file)


def _spread(ids: Sequence[str]) -> Sequence[str]:
    return ids if len(ids) <= PICTURES else [ids[len(ids) * place // PICTURES] for place in range(PICTURES)]


def _cell(file: Path, settings: Params) -> tuple[bytes, str] | None:
    """Return a small copy and a caption; nothing for a picture that is gone or unreadable."""
    try:
        image = untrusted_images.decode(
            untrusted_images.read(file), 2 * contact_sheet.CELL, settings.collect.max_pixels
        )
    except (UnreadableImage, OSError):
        return None
    return images.encode(image), file.stem
