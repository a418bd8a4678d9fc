"""Pictures as the network sees them, decoded once into a memory-mapped array, and served in keyed batches.

The array lives in a file that has no name, so memory stays bounded and nothing is left behind.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import IO

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from irisline.core import paths, seeding
from irisline.core.execution import map_ordered
from irisline.core.params import Execution, Preprocess
from irisline.dataset import crops
from irisline.dataset.shards import Row


@dataclass(frozen=True)
class Samples(Dataset[tuple[Tensor, Tensor]]):
    """Pixels, uint8 (n, 3, size, size), and classes, int64 (n,). Indexed by a whole batch at a time."""

    pixels: Tensor
    classes: Tensor

    def __len__(self) -> int:
        return len(self.classes)

    def __getitem__(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        return self.pixels[indices], self.classes[indices]


def load(
    parts: Sequence[Iterable[Row]], classes: list[str], preprocess: Preprocess, execution: Execution
) -> list[Samples]:
    """Return the samples of each part: one for each view of the nearest subject of each row."""
    truth: list[tuple[int, int]] = []  # part and class of each row
    found: list[int] = []  # the row of each view

    def pictures() -> Iterator[bytes]:
        for part, rows in enumerate(parts):
            for row in rows:
                truth.append((part, classes.index(row["label"])))
                yield row["image"]

    with paths.disk_errors(Path(tempfile.gettempdir())), tempfile.TemporaryFile() as file:
        look = partial(crops.of_stored, preprocess=preprocess)
        for number, seen in enumerate(map_ordered(look, pictures(), execution)):
            nearest = [view for view in seen if view.subject == 0]  # the label is about no bystander
            found.extend(number for _ in nearest)
            file.writelines(view.pixels.tobytes() for view in nearest)
        file.flush()
        pixels = _mapped(file, (len(found), 3, preprocess.size, preprocess.size))
    part, labels = torch.tensor([truth[number] for number in found], dtype=torch.int64).reshape(-1, 2).unbind(1)
    edges = [0, *torch.cumsum(torch.bincount(part, minlength=len(parts)), 0).tolist()]
    return [Samples(pixels[start:end], labels[start:end]) for start, end in pairwise(edges)]


def _mapped(file: IO[bytes], shape: tuple[int, ...]) -> Tensor:
    if not shape[0]:
        return torch.empty(shape, dtype=torch.uint8)
    return torch.from_numpy(np.memmap(file, dtype=np.uint8, mode="r+", shape=shape))


class KeyedBatches(Sampler[list[int]]):
    """Batches of indices, shuffled anew each epoch by (seed, epoch): an interrupted run goes on as if it had not been."""

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self.count, self.batch_size, self.seed = count, batch_size, seed
        self.epoch = 0

    def __len__(self) -> int:
        # A last batch of one has no variance, which batch normalisation needs.
        return max(1, self.count // self.batch_size + (self.count % self.batch_size > 1))

    def __iter__(self) -> Iterator[list[int]]:
        order = seeding.generator(self.seed, "order", self.epoch).permutation(self.count)
        for batch in range(len(self)):
            yield order[batch * self.batch_size : (batch + 1) * self.batch_size].tolist()


def in_order(samples: Samples, batch_size: int) -> DataLoader[tuple[Tensor, Tensor]]:
    """Return a loader that passes once over the samples, in order."""
    indices = [list(range(at, min(at + batch_size, len(samples)))) for at in range(0, len(samples), batch_size)]
    return DataLoader(samples, sampler=indices, batch_size=None)


def shuffled(samples: Samples, batches: KeyedBatches) -> DataLoader[tuple[Tensor, Tensor]]:
    """Return a loader that follows keyed batches."""
    return DataLoader(samples, sampler=batches, batch_size=None)
