"""What tells pictures apart by what they show: a digest of the pixels, and a perceptual hash. Knows nothing of labels."""

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
from irisline.dataset import images, untrusted_images

FEW = 32  # files; for fewer it takes longer to start a process than to read them here


@dataclass(frozen=True)
class Fingerprint:
    """Of one file. An unreadable one has a reason and resembles nothing."""

    pixels: str = ""  # sha256, as images.pixel_digest gives it
    phash: int = 0  # 64 bits
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
    return Fingerprint(images.pixel_digest(image), int(str(imagehash.phash(image)), 16))


def of_files(files: Iterable[Path], limits: Collect, execution: Execution) -> Iterator[Fingerprint]:
    """Return the fingerprint of each file, in order; where there are many, on all cores."""
    files = list(files)
    here = execution if len(files) > FEW else execution.model_copy(update={"engine": "local", "workers": 1})
    return map_ordered(partial(of_file, limits=limits), files, here)


class Index:
    """Names by fingerprint, to look up what resembles a picture. Grows by doubling, so that adding is cheap."""

    def __init__(self, distance: int) -> None:
        self.distance = distance
        self.names: list[str] = []
        self._hashes = np.zeros(64, np.uint64)

    def add(self, name: str, fingerprint: Fingerprint) -> None:
        """Note a picture; one that is unreadable resembles nothing and is left out."""
        if fingerprint.reason:
            return
        if len(self.names) == len(self._hashes):
            self._hashes = np.resize(self._hashes, 2 * len(self._hashes))
        self._hashes[len(self.names)] = fingerprint.phash
        self.names.append(name)

    def like(self, fingerprint: Fingerprint) -> list[str]:
        """Return the names of the pictures whose hash is at most distance bits away, in the order they were added.

        The same pixels have the same hash, so exact copies are among them.
        """
        bits = np.bitwise_count(self._hashes[: len(self.names)] ^ np.uint64(fingerprint.phash))
        return [self.names[number] for number in np.flatnonzero(bits <= self.distance)]
