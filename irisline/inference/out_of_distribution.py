"""The training squares of a model by what its network reads of them: how far others are from all, and which are nearest.

The distance to the k-th nearest tells what is unlike anything that was trained on (Sun et al. 2022, Out-of-Distribution
Detection with Deep Nearest Neighbors). Numbers and one file; knows nothing of networks, nor of how squares are cut.
"""

import io
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from irisline.core.bounded import plain_files
from irisline.core.errors import ModelError, in_a_line
from irisline.dataset.images import Pixels

NEAREST = 10
"""k of the distance; 5 and 20 tell the same drawn pictures apart."""

SHOWN = 3  # pictures that are named with an answer
SIDE = 64  # pixels of a thumbnail, at most
QUALITY = 85  # of its JPEG
HEAVIEST = 2**15  # bytes of it that are believed

PARTS = ("features", "ids", "labels", "credit_lines", "jpeg", "ends")

Features = NDArray[np.float32]


@dataclass(frozen=True)
class Neighbour:
    """A training picture near to one that is asked about: its cosine distance, whom it is by, a small JPEG of its square."""

    id: str
    label: str
    distance: float
    credit: str
    thumbnail: bytes


@dataclass(frozen=True)
class Gallery:
    """Training squares: their features, float32 (n, d) of length 1, and of each the picture, label, credit and thumbnail."""

    features: Features
    ids: Sequence[str]
    labels: Sequence[str]
    credit_lines: Sequence[str]
    thumbnails: Sequence[bytes]

    @classmethod
    def of(
        cls,
        features: Features,
        ids: Sequence[str],
        labels: Sequence[str],
        credit_lines: Sequence[str],
        squares: Sequence[Pixels],
    ) -> Self:
        """Return the gallery of squares, uint8 (3, size, size), by their features, float32 (n, d) of any length."""
        return cls(_directions(features), ids, labels, credit_lines, [_thumbnail(square) for square in squares])

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the gallery of a file; raise ModelError when it is none."""
        try:
            with plain_files.opened(path) as file:
                with zipfile.ZipFile(file) as parts:
                    _check_sizes(parts, path.stat().st_size)
                file.seek(0)
                with np.load(file, allow_pickle=False) as held:
                    return cls._checked(*(held[name] for name in PARTS))
        except Exception as error:  # a hostile or foreign file may raise anything
            reason = in_a_line(error, 100)
            raise ModelError(f"{path}: not the neighbours of a model: {reason}; publish it anew") from error

    @classmethod
    def _checked(
        cls,
        features: Features,
        ids: NDArray[np.str_],
        labels: NDArray[np.str_],
        credit_lines: NDArray[np.str_],
        jpeg: NDArray[np.uint8],
        ends: NDArray[np.int64],
    ) -> Self:
        rows = (ids, labels, credit_lines, jpeg, ends)
        kinds = [(part.dtype.kind, part.ndim) for part in (features, *rows)]
        if (
            kinds != [("f", 2), ("U", 1), ("U", 1), ("U", 1), ("u", 1), ("i", 1)]
            or jpeg.itemsize != 1
            or not features.size
        ):
            raise ValueError("its parts are of other kinds")
        starts = np.concatenate([[0], ends[:-1]])
        if len({len(features), len(ids), len(labels), len(credit_lines), len(ends)}) > 1 or ends[-1] != len(jpeg):
            raise ValueError("its parts are of different lengths")
        if not ((ends > starts) & (ends - starts <= HEAVIEST)).all():
            raise ValueError("a thumbnail is empty or too large")
        if not np.linalg.norm(features, axis=1).max() < 1.001:  # nor numbers that are none
            raise ValueError("its features are longer than 1")
        thumbnails = [jpeg[start:end].tobytes() for start, end in zip(starts, ends, strict=True)]
        if any(max(_size(thumbnail)) > SIDE for thumbnail in thumbnails):
            raise ValueError("a thumbnail is too large")
        return cls(features.astype(np.float32), ids.tolist(), labels.tolist(), credit_lines.tolist(), thumbnails)

    def as_bytes(self) -> bytes:
        """Return the bytes of the file: the same gallery gives the same."""
        buffer = io.BytesIO()
        np.savez(
            buffer,
            features=self.features,
            ids=np.array(self.ids),
            labels=np.array(self.labels),
            credit_lines=np.array(self.credit_lines),
            jpeg=np.frombuffer(b"".join(self.thumbnails), np.uint8),
            ends=np.cumsum([len(thumbnail) for thumbnail in self.thumbnails]),
        )
        return buffer.getvalue()

    def distance(self, features: Features) -> float:
        """Return the mean cosine distance of a subject's squares, by features (n, d), to the k-th nearest of the gallery."""
        away = self._away(features)
        kth = min(NEAREST, away.shape[1]) - 1
        return float(np.partition(away, kth, axis=1)[:, kth].mean())

    def nearest(self, features: Features) -> list[Neighbour]:
        """Return the pictures nearest to any of a subject's squares, by their features (n, d), the nearest first."""
        away = self._away(features).min(axis=0)
        found: dict[str, Neighbour] = {}
        for at in np.argsort(away, kind="stable"):
            if len(found) == SHOWN:
                break
            name = self.ids[at]
            facts = self.labels[at], float(away[at]), self.credit_lines[at], self.thumbnails[at]
            found.setdefault(name, Neighbour(name, *facts))
        return list(found.values())

    def _away(self, features: Features) -> Features:
        """Return cosine distances (squares, gallery). Not by BLAS: its threads would spin beside those that answer."""
        if features.shape[1] != self.features.shape[1]:
            raise ModelError(
                f"the neighbours of the model have {self.features.shape[1]} features, its network "
                f"{features.shape[1]}; publish it anew"
            )
        return np.asarray(1 - np.einsum("id,nd->in", _directions(features), self.features), dtype=np.float32)


def _check_sizes(parts: zipfile.ZipFile, whole: int) -> None:
    """Raise ValueError unless the parts are those of a gallery, and none says that it is larger than it lies in the file."""
    found = parts.infolist()
    if any(part.compress_type != zipfile.ZIP_STORED for part in found):
        raise ValueError("its parts are compressed")
    if sorted(part.filename for part in found) != sorted(f"{name}.npy" for name in PARTS):
        raise ValueError("it has other parts")
    if sum(part.file_size for part in found) > whole:
        raise ValueError("its parts are larger than it is")
    for part in found:
        with parts.open(part) as file:
            if np.lib.format.read_magic(file) != (1, 0):
                raise ValueError("its parts are of another format")
            shape, _, kind = np.lib.format.read_array_header_1_0(file)
            if math.prod(shape) * kind.itemsize > part.file_size:
                raise ValueError(f"{part.filename} has fewer numbers than it says")


def _directions(features: Features) -> Features:
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(length, 1e-9), dtype=np.float32)


def _size(thumbnail: bytes) -> tuple[int, int]:
    """Return width and height as the header has them; raise OSError when it is no JPEG."""
    with Image.open(io.BytesIO(thumbnail), formats=["JPEG"]) as image:
        return image.size


def _thumbnail(square: Pixels) -> bytes:
    image = Image.fromarray(np.ascontiguousarray(square.transpose(1, 2, 0)))
    image.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
