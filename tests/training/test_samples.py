"""Pictures as the network sees them: every one once an epoch, in an order that the key alone decides."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from irisline.core.params import Execution
from irisline.dataset import crops, images
from irisline.eyes.rendering import sampling
from irisline.eyes.rendering.picture import render, true_irises
from irisline.training import samples
from irisline.training.samples import KeyedBatches
from tests import planted


@pytest.mark.parametrize("workers", [1, 2])
def test_samples_hold_the_squares_of_the_rows_in_order(tmp_path: Path, workers: int) -> None:
    rows = planted.accept(tmp_path / "rows", {"train": 3})
    where, preprocess = Execution(engine="local", workers=workers), planted.settings(preprocess__size=32).preprocess
    made, others = samples.load([iter(rows), rows[:1]], list(planted.CLASSES), preprocess, where)
    assert made.classes.tolist() == [0, 1, 0, 1, 0, 1]
    assert made.pixels.shape == (6, 3, 32, 32)
    for row, pixels in zip(rows, made.pixels.numpy(), strict=True):
        assert np.array_equal(pixels, crops.of_stored(row["image"], preprocess)[0].pixels)
    assert torch.equal(others.pixels, made.pixels[:1])
    picked, classes = made[[4, 1]]
    assert torch.equal(picked, made.pixels[[4, 1]])
    assert classes.tolist() == [0, 1]


def test_a_picture_gives_a_sample_for_each_eye_and_none_without(tmp_path: Path) -> None:
    preprocess = planted.settings(preprocess__crop="eyes", preprocess__size=32).preprocess
    face = sampling.sample("two/3", "blue")
    rows = [
        {"label": "blue", "image": images.encode(Image.fromarray(render(face)))},
        {"label": "brown", "image": planted.saved(planted.picture())},
    ]
    (made,) = samples.load([rows], list(planted.CLASSES), preprocess, planted.settings().execution)
    assert made.classes.tolist() == [0] * sum(iris.visible for iris in true_irises(face))
    (nothing,) = samples.load([rows[1:]], list(planted.CLASSES), preprocess, planted.settings().execution)
    assert nothing.pixels.shape == (0, 3, 32, 32)


@given(st.integers(2, 70), st.integers(1, 40), st.integers(0, 5))
def test_an_epoch_shows_every_picture_but_a_lonely_last_one(count: int, batch_size: int, epoch: int) -> None:
    batches = KeyedBatches(count, batch_size, seed=1)
    batches.epoch = epoch
    drawn = list(batches)
    assert len(drawn) == len(batches)
    shown = [index for batch in drawn for index in batch]
    assert len(set(shown)) == len(shown)
    lonely = batch_size > 1 and count % batch_size == 1
    assert len(shown) == count - lonely
    assert all(len(batch) > 1 for batch in drawn) or batch_size == 1


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    def order(seed: int, epoch: int) -> list[list[int]]:
        batches = KeyedBatches(30, 8, seed)
        batches.epoch = epoch
        return list(batches)

    torch.manual_seed(1)
    one = order(1, 0)
    torch.manual_seed(2)
    assert order(1, 0) == one
    assert len({str(order(seed, epoch)) for seed in (1, 2) for epoch in (0, 1)}) == 4


def test_loaders_give_whole_batches() -> None:
    made = samples.Samples(torch.arange(5).reshape(5, 1, 1, 1).to(torch.uint8), torch.arange(5))
    assert [classes.tolist() for _, classes in samples.in_order(made, 2)] == [[0, 1], [2, 3], [4]]
    batches = KeyedBatches(5, 2, seed=1)
    assert [classes.tolist() for _, classes in samples.shuffled(made, batches)] == list(batches)
