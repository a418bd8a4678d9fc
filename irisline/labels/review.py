"""Labels as people review them: what the labels stage says of each, and the decision it waits for or has.

Reads the stage's table, the patches and the pictures that are decided about. Knows nothing of how labels come under suspicion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from irisline.core import paths
from irisline.core.display_names import same, shown
from irisline.core.errors import DataError, MissingInput, UnreadableImage
from irisline.core.params import Collect
from irisline.dataset import images, pool_files, shards, sources_table, untrusted_images
from irisline.labels import decisions
from irisline.labels.decisions import Patch


@dataclass(frozen=True)
class Label:
    """The label of one picture, with what is known of it; confidence and rank are None where nobody could judge."""

    id: str
    sha256: str
    given: str
    split: str | None = None
    suggested: str | None = None
    confidence: float | None = None
    rank: int | None = None
    suspect: bool = False
    patch: Patch | None = None

    @property
    def open(self) -> bool:
        """Whether it waits for a decision."""
        return self.suspect and self.patch is None

    @property
    def decision(self) -> str | None:
        """The decision about it, in words."""
        return self.patch.decision if self.patch else None

    def document(self) -> dict[str, Any]:
        """Return it as plain values, for programs."""
        names = ("rank", "id", "given", "suggested", "confidence", "suspect", "split", "decision", "sha256")
        return {name: getattr(self, name) for name in names}

    def decided(self, action: str, label: str, who: str, why: str) -> Patch:
        """Return a decision about it, made now."""
        sure = "" if self.confidence is None else f"{self.confidence:.4f}"
        reason = " ".join(why.split())
        return Patch(self.id, self.sha256, action, label, self.given, who, sources_table.now(), reason, sure)


def listed(classes: Sequence[str]) -> list[Label]:
    """Return the labels of the stage's table, the most suspicious first; raise MissingInput without it."""
    patches = {patch.picture: patch for patch in decisions.read(paths.POOL / paths.LABEL_PATCHES, classes)}
    found = [_of_row(row) for row in shards.stream(paths.LABELLED)]
    return [replace(label, patch=patches.get(label.sha256) or patches.get(label.id)) for label in found]


def of_pictures(ids: Sequence[str], classes: Sequence[str], limits: Collect) -> list[Label]:
    """Return the labels of pictures as they lie in the pool now, with what the stage's table says of their pixels.

    Raise MissingInput for an id that names no picture, DataError for a picture that cannot be read.
    """
    known = {label.sha256: label for label in listed(classes)} if paths.LABELLED.is_dir() else {}
    files = pool_files.files(paths.POOL)
    return [_of_picture(same(name.removeprefix(f"{paths.POOL}/")), files, known, classes, limits) for name in ids]


def _of_picture(
    name: str, files: Mapping[str, Path], known: Mapping[str, Label], classes: Sequence[str], limits: Collect
) -> Label:
    given = name.partition("/")[0]
    if name not in files or given not in classes:
        told = paths.POOL / shown(name)
        raise MissingInput(f"{told}: no such picture; irisline labels lists them, as {classes[0]}/<file>")
    digest = _digest(files[name], limits)
    if digest in known:
        return replace(known[digest], id=name)
    return Label(name, digest, given)


def _digest(file: Path, limits: Collect) -> str:
    try:
        return images.pixel_digest(
            untrusted_images.decode(untrusted_images.read(file), limits.max_side, limits.max_pixels)
        )
    except UnreadableImage as error:
        raise DataError(f"{file}: {error}; it stays out already, there is nothing to decide") from error


def _of_row(row: shards.Row) -> Label:
    names = ("id", "sha256", "split", "suggested", "confidence", "rank", "suspect")
    return Label(given=row["label"], **{name: row[name] for name in names})
