"""What the last block reads is told beside the logits, of every kind of network, and to each thread its own."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

from irisline.core import seeding
from irisline.networks import architectures
from irisline.networks.feature_extractor import WithFeatures

PIXELS = torch.from_numpy(seeding.generator("telling").integers(0, 256, (12, 3, 64, 64), dtype="uint8"))

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("arch", ["resnet18", "densenet121", "swin_t"])
def test_the_head_makes_the_logits_of_the_features(arch: str) -> None:
    built = architectures.build(arch, 3, "scratch", 1).eval()
    with torch.inference_mode():
        logits, features = WithFeatures(built).eval()(PIXELS[:2])
        assert features.shape == (2, architectures.head(built).in_features)
        assert torch.allclose(architectures.head(built)(features), logits, atol=1e-5)
        assert torch.allclose(built(PIXELS[:2]), logits)


@pytest.mark.parametrize(("arch", "first", "width"), [("mobilenet_v3_small", 0, 576), ("alexnet", 4, 4096)])
def test_a_block_of_several_layers_tells_what_the_first_reads_that_is_not_too_wide(
    arch: str, first: int, width: int
) -> None:
    built = architectures.build(arch, 3, "scratch", 1).eval()
    with torch.inference_mode():
        logits, features = WithFeatures(built).eval()(PIXELS[:2])
        last: Any = built.body.get_submodule("classifier")
        assert features.shape == (2, width)
        assert torch.allclose(last[first:](features), logits, atol=1e-5)


def test_a_head_that_reads_maps_tells_their_mean() -> None:
    built = architectures.build("squeezenet1_1", 3, "scratch", 1).eval()
    with torch.inference_mode():
        logits, features = WithFeatures(built)(PIXELS[:2])
        maps = built.body.get_submodule("features")((PIXELS[:2].float() / 255 - built.mean) / built.deviation)
    assert (logits.shape, features.shape) == ((2, 3), (2, 512))
    assert torch.allclose(features, maps.mean((2, 3)))


def test_threads_that_share_a_network_are_told_their_own() -> None:
    telling = WithFeatures(architectures.build("resnet18", 2, "scratch", 1)).eval()

    def features(at: int) -> torch.Tensor:
        with torch.inference_mode():
            return telling(PIXELS[at : at + 1])[1]

    alone = [features(at) for at in range(12)]
    with ThreadPoolExecutor(4) as pool:
        for at, told in enumerate(pool.map(features, [*range(12)] * 3)):
            assert torch.allclose(told, alone[at % 12], atol=1e-4)
