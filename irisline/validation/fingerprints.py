"""What tells pictures apart by what they show: a digest of the pixels, a perceptual hash, a thumbnail.

The rule is that of near_duplicates. Knows nothing of labels.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import imagehash
import numpy as np

from irisline.core.errors import UnreadableImage
from irisline.core.execution import map_ordered
from irisline.core.params import Collect, Execution
from irisline.dataset import images, thumbnails, untrusted_images
from irisline.validation import same_picture

GREY_ALONE = 4  # bits at most, where only a hash is left of one of the two
FEW = 32  # files; for fewer it takes longer to start a process than to read them here


@dataclass(frozen=True)
class Fingerprint:
    """Of one file. An unreadable one has a reason and resembles nothing."""

    pixels: str = ""  # sha256, as images.pixel_digest gives it
    phash: int = 0  # 64 bits
    thumbnail: bytes = b""  # as thumbnails.of gives it; nothing where only the hash was recorded
    reason: str = ""

    @property
    def written(self) -> str:
        """The perceptual hash as 16 hex digits; nothing where there is none."""
        return "" if self.reason else f"{self.phash:016x}"


def recorded(phash: str) -> Fingerprint:
    """Return the fingerprint of a picture of which only the written perceptual hash is left; one without has a reason."""
    if not re.fullmatch("[0-9a-f]{16}", phash):
        return Fingerprint(reason="no perceptual hash was recorded")
    return Fingerprint(phash=int(phash, 16))


def of_file(file: Path, limits: Collect) -> Fingerprint:
    """Return the fingerprint of a picture, decoded and bounded as the collect stage does."""
    try:
        image = untrusted_images.decode(untrusted_images.read(file), limits.max_side, limits.max_pixels)
    except (UnreadableImage, OSError) as error:
        return Fingerprint(reason=str(error))
    return Fingerprint(images.pixel_digest(image), int(str(imagehash.phash(image)), 16), thumbnails.of(image))


def of_files(files: Iterable[Path], limits: Collect, execution: Execution) -> Iterator[Fingerprint]:
    """Return the fingerprint of each file, in order; where there are many, on all cores."""
    files = list(files)
    here = execution if len(files) > FEW else execution.model_copy(update={"engine": "local", "workers": 1})
    return map_ordered(partial(of_file, limits=limits), files, here)


def distance_of_removed(distance: int | None) -> int:
    """Return within how many bits a picture that was taken down is sought: also where pictures are not compared."""
    return GREY_ALONE if distance is None else distance


class Index:
    """Names by fingerprint, to look up what resembles a picture. Grows by doubling, so that adding is cheap."""

    def __init__(self, distance: int | None) -> None:
        """Take what is alike to differ in at most distance bits of the hash; where it is None, in no pixel."""
        self.distance = distance
        self.names: list[str] = []
        self._known: list[Fingerprint] = []
        self._hashes = np.zeros(64, np.uint64)

    def add(self, name: str, fingerprint: Fingerprint) -> None:
        """Note a picture; one that is unreadable resembles nothing and is left out."""
        if fingerprint.reason:
            return
        if len(self.names) == len(self._hashes):
            self._hashes = np.resize(self._hashes, 2 * len(self._hashes))
        self._hashes[len(self.names)] = fingerprint.phash
        self.names.append(name)
        self._known.append(fingerprint)

    def like(self, fingerprint: Fingerprint) -> list[str]:
        """Return the names of the pictures that show the same, in the order they were added; exact copies are among them."""
        bits = np.bitwise_count(self._hashes[: len(self.names)] ^ np.uint64(fingerprint.phash))
        near = np.flatnonzero(bits <= (self.distance or 0)).tolist()
        return [self.names[place] for place in near if self._alike(fingerprint, self._known[place], int(bits[place]))]

    def _alike(self, one: Fingerprint, other: Fingerprint, bits: int) -> bool:
        if self.distance is None:
            return one.pixels == other.pixels
        if not (one.thumbnail and other.thumbnail):
            return bits <= GREY_ALONE
        both = thumbnails.stacked([one.thumbnail, other.thumbnail])
        return bool(same_picture.same(both, np.array([0]), np.array([1]))[0])
