"""What is judged of a picture: colours of eyes, a thumbnail, or what a network reads, whichever the params call for."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from irisline.dataset import crops, images
from irisline.eyes import label_features
from irisline.eyes.rendering.picture import render
from irisline.eyes.rendering.sampling import sample
from irisline.labels import features
from irisline.networks import architectures
from tests import planted

PICTURES = [images.encode(planted.picture(label, key)) for label in planted.CLASSES for key in range(3)]


@pytest.mark.parametrize("init", ["scratch", "registry:3"])
def test_whole_pictures_without_a_network_of_other_labels_are_thumbnails(init: str) -> None:
    settings = planted.settings(preprocess__size=32, train__init=init)
    made = list(features.of_pictures(PICTURES, settings))
    assert {one.shape for one in made} == {(3 * 8 * 8,)}
    means = np.array(made).reshape(6, 64, 3).mean(axis=1)
    assert (means[:3, 2] > means[:3, 0]).all()  # blue
    assert (means[3:, 0] > means[3:, 2]).all()  # brown
    assert 0 <= means.min() <= means.max() <= 1


def test_eyes_are_judged_by_their_colours_and_a_picture_without_any_is_not() -> None:
    eye = images.encode(Image.fromarray(render(sample("features", "blue"))))
    settings = planted.settings(preprocess__crop="eyes", preprocess__size=64)
    seen, none = features.of_pictures([eye, PICTURES[0]], settings)
    squares = [view.pixels for view in crops.of_stored(eye, settings.preprocess) if view.subject == 0]
    assert np.array_equal(seen, np.mean([label_features.contrasts(square) for square in squares], axis=0))
    assert none is None


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(("arch", "size"), [("resnet18", 512), ("squeezenet1_1", 512)])
def test_a_trained_network_is_asked_for_what_its_last_layer_reads(
    arch: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "BATCH", 4)
    file = tmp_path / "weights.pt"
    torch.save(architectures.build(arch, 2, "scratch", seed=5).state_dict(), file)
    settings = planted.settings(preprocess__size=64, train__arch=arch, train__init=f"file:{file}")
    made = list(features.of_pictures(PICTURES, settings))
    assert {one.shape for one in made} == {(size,)}
    (alone,) = features.of_pictures(PICTURES[5:], settings)
    assert np.allclose(alone, made[5], atol=1e-4)
    (other,) = features.of_pictures(PICTURES[:1], settings)
    assert not np.allclose(alone, other, atol=1e-4)
