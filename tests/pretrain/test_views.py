"""Views of a square: what a finder's crop shows when nothing is varied, and the truth about what was when something is."""

import numpy as np
import pytest
import torch
from PIL import Image

from irisline.dataset import images
from irisline.eyes import finder
from irisline.eyes.finder.iris_crop import SPAN
from irisline.eyes.rendering import render, sample, true_irises
from pretrain import squares
from pretrain.table import TRUTH, WIDE
from pretrain.views import Views

SIZE, SIDE = 64, 96


def views(square: Image.Image, count: int, varied: bool) -> tuple[torch.Tensor, torch.Tensor]:
    pixels = torch.from_numpy(np.asarray(square).transpose(2, 0, 1).copy())
    known = torch.zeros(count, 1 + len(TRUTH))
    return Views(pixels[None].repeat(count, 1, 1, 1), known, SIZE, varied)[list(range(count))]


def test_an_unvaried_view_is_what_the_finders_crop_shows() -> None:
    scene = sample("views", "blue")
    picture = Image.fromarray(render(scene))
    iris = next(one for one in true_irises(scene) if one.visible)
    eye = finder.Eye(iris.x, iris.y, iris.radius, 1.0, 1.0)
    wide = images.decode(squares._square(picture, eye, 0.1, SIDE), SIDE, 10**6)
    seen, truth = views(wide, 1, varied=False)
    expected = np.asarray(finder.crop(picture, eye, 0.1, SIZE), dtype=np.float32).transpose(2, 0, 1)
    assert np.abs(seen[0].numpy() - expected).mean() < 4
    assert np.abs(seen[0].numpy()[..., ::-1] - expected).mean() > 8
    assert truth[0, -3:].tolist() == [0, 0, 0]


def test_the_offset_is_told_as_it_is_seen() -> None:
    torch.manual_seed(1)
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    disc = np.hypot(x, y) < SIDE / SPAN / WIDE  # radius 1
    square = Image.fromarray(np.repeat((disc * 200).astype(np.uint8)[..., None], 3, axis=2))
    seen, truth = views(square, 200, varied=True)
    bright = seen.mean(1) > 0.5 * seen.mean(1).amax((1, 2), keepdim=True)
    at = torch.arange(SIZE) - (SIZE - 1) / 2
    across, down = ((bright * grid).sum((1, 2)) / bright.sum((1, 2)) * SPAN / SIZE for grid in (at, at[:, None]))
    radius = (bright.sum((1, 2)) / torch.pi).sqrt() * SPAN / SIZE
    for measured, told in ((across, truth[:, -3]), (down, truth[:, -2]), (radius.log(), truth[:, -1])):
        assert np.corrcoef(measured, -told)[0, 1] == pytest.approx(1, abs=0.15)
    assert len({round(float(view.mean()), 3) for view in seen}) > 150
