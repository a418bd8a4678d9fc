"""Pictures as the network sees them, decoded once into a memory-mapped array, and served in keyed batches.

The array lives in a file that has no name, so memory stays bounded and nothing is left behind.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from irisline import keyed, paths
from irisline.data import images
from irisline.data.manifest import Row
from irisline.execution import map_ordered
from irisline.params import Execution, Preprocess


@dataclass(frozen=True)
class Samples(Dataset[tuple[Tensor, Tensor]]):
    """Pixels, uint8 (n, 3, size, size), and classes, int64 (n,). Indexed by a whole batch at a time."""

    pixels: Tensor
    classes: Tensor

    def __len__(self) -> int:
        return len(self.classes)

    def __getitem__(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        return self.pixels[indices], self.classes[indices]

    def parted(self, at: int) -> "tuple[Samples, Samples]":
        """Give the first so many samples, and the others."""
        return Samples(self.pixels[:at], self.classes[:at]), Samples(self.pixels[at:], self.classes[at:])


def load(rows: Iterable[Row], count: int, classes: list[str], preprocess: Preprocess, execution: Execution) -> Samples:
    """Give the samples of count rows."""
    size = preprocess.size
    with paths.disk_errors(Path(tempfile.gettempdir())), tempfile.TemporaryFile() as file:
        os.posix_fallocate(file.fileno(), 0, max(count, 1) * 3 * size * size)
        pixels = np.memmap(file, dtype=np.uint8, mode="r+", shape=(count, 3, size, size))
    square = partial(images.stored_square, size=preprocess.size, fit=preprocess.fit)
    truth: list[int] = []

    def pictures() -> Iterator[bytes]:
        for row in rows:
            truth.append(classes.index(row["label"]))
            yield row["image"]

    for index, seen in enumerate(map_ordered(square, pictures(), execution)):
        pixels[index] = seen
    return Samples(torch.from_numpy(pixels), torch.tensor(truth, dtype=torch.int64))


class KeyedBatches(Sampler[list[int]]):
    """Batches of indices, shuffled anew each epoch by (seed, epoch): an interrupted run goes on as if it had not been."""

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self.count, self.batch_size, self.seed = count, batch_size, seed
        self.epoch = 0

    def __len__(self) -> int:
        # A last batch of one has no variance, which batch normalisation needs.
        return max(1, self.count // self.batch_size + (self.count % self.batch_size > 1))

    def __iter__(self) -> Iterator[list[int]]:
        order = keyed.generator(self.seed, "order", self.epoch).permutation(self.count)
        for batch in range(len(self)):
            yield order[batch * self.batch_size : (batch + 1) * self.batch_size].tolist()


def in_order(samples: Samples, batch_size: int) -> DataLoader[tuple[Tensor, Tensor]]:
    """Give a loader that passes once over the samples, in order."""
    indices = [list(range(at, min(at + batch_size, len(samples)))) for at in range(0, len(samples), batch_size)]
    return DataLoader(samples, sampler=indices, batch_size=None)


def shuffled(samples: Samples, batches: KeyedBatches) -> DataLoader[tuple[Tensor, Tensor]]:
    """Give a loader that follows keyed batches."""
    return DataLoader(samples, sampler=batches, batch_size=None)
