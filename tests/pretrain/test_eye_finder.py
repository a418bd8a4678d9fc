"""The network that judges irises: its rows tell the truth, and a few of them teach it.

Run: pytest tests/pretrain
"""

from dataclasses import replace

import numpy as np
import torch

from irisline.eyes.finder.iris_network import features
from irisline.eyes.rendering import sample
from pretrain.eye_finder import fit
from pretrain.eye_rows import Drawn, Rows, draw, draw_blank, openness, rows_of, spoilt


def rows(count: int, name: str) -> Rows:
    drawn = [draw(name, i) for i in range(count)] + [draw_blank(name, i) for i in range(count // 2)]
    made = [rows_of(spoilt(one, f"{name}/{i}"), f"{name}/{i}", again=False) for i, one in enumerate(drawn)]
    return Rows(np.concatenate([one.samples for one in made]), np.concatenate([one.truth for one in made]))


def test_lids_that_close_leave_less_of_the_iris_open() -> None:
    eyes = sample("lids", "blue").eyes
    shares = [openness(replace(eyes, upper=upper, lower=0.9, gaze=(0.0, 0.0)), "left") for upper in (1.1, 0.6, -0.9)]
    assert shares[0] > 0.9 > shares[1] > 0.6
    assert shares[2] < 0.01


def test_rows_hold_irises_that_can_be_moved_to_and_places_that_are_none() -> None:
    truth = rows(8, "truth").truth
    irises = truth[:, 0] == 1
    assert 0.1 < irises.mean() < 0.7
    assert np.abs(truth[irises, 1:3]).max() < 0.75
    assert np.abs(truth[irises, 3]).max() < 0.3
    assert (truth[irises, 4] >= 0.3).all()
    assert not truth[~irises].any()


def test_spoiling_keeps_the_irises_where_they_are() -> None:
    """The pupil, the darkest of the picture, stays at the centre that the truth names."""
    for i in range(30):
        pixels = np.full((200, 260, 3), 220, dtype=np.uint8)
        y, x = np.mgrid[:200, :260]
        pixels[np.hypot(x - 120, y - 90) < 30] = 0
        iris = at(draw("spoilt", 0), 120.0, 90.0, 30.0)
        spoiled = spoilt(Drawn(pixels, iris.irises), f"spoilt/{i}")
        rows_at, columns_at = np.nonzero(spoiled.pixels.max(axis=2) < 60)
        (one,) = spoiled.irises
        assert np.hypot(columns_at.mean() - one.x, rows_at.mean() - one.y) < 0.1 * one.radius + 0.5


def at(drawn: Drawn, x: float, y: float, radius: float) -> Drawn:
    return Drawn(drawn.pixels, (drawn.irises[0]._replace(x=x, y=y, radius=radius, openness=1.0),))


def test_a_few_pictures_teach_the_network() -> None:
    known = rows(30, "teach")
    network = fit(known, epochs=12, batch=64)
    with torch.no_grad():
        answers = network(torch.from_numpy(features(known.samples.astype(np.float32)))).numpy()
    assert np.mean((answers[:, 0] > 0) == (known.truth[:, 0] == 1)) > 0.9
