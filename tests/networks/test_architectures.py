"""Architectures by name and their initial weights, from hostile files too."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from irisline.core import paths
from irisline.core.errors import ModelError
from irisline.networks import architectures
from tests.planted import ROOT

PIXELS = torch.arange(2 * 3 * 64 * 64).remainder(256).to(torch.uint8).reshape(2, 3, 64, 64)
SMALL, FIRST = "shufflenet_v2_x0_5", "body.conv1.0.weight"


def same(one: architectures.Network, other: architectures.Network) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


@pytest.mark.parametrize("arch", [SMALL, "resnet18", "squeezenet1_1", "mobilenet_v3_small", "efficientnet_b0"])
def test_an_architecture_maps_pixels_to_logits(arch: str) -> None:
    built = architectures.build(arch, 3, "scratch", 1).eval()
    with torch.inference_mode():
        logits = built(PIXELS)
    assert logits.shape == (2, 3)
    assert logits.dtype == torch.float32
    assert logits.isfinite().all()


def test_normalisation_is_inside() -> None:
    built = architectures.build(SMALL, 2, "scratch", 1).eval()
    seen = []
    built.body.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    built(torch.full((1, 3, 64, 64), 255, dtype=torch.uint8))
    expected = [
        (1 - mean) / deviation for mean, deviation in zip(architectures.MEAN, architectures.DEVIATION, strict=True)
    ]
    assert seen[0][0, :, 0, 0].tolist() == pytest.approx(expected, abs=1e-5)


def test_an_unknown_architecture_lists_the_known() -> None:
    with pytest.raises(
        ModelError, match=r"train.arch: 'resnet19' is not a torchvision classifier; known: alexnet, .*vit_"
    ):
        architectures.build("resnet19", 2, "scratch", 1)
    with pytest.raises(ModelError, match="'fcn_resnet50' is not a torchvision classifier"):
        architectures.build("fcn_resnet50", 2, "scratch", 1)


def test_scratch_weights_are_keyed_and_leave_the_global_generator_alone() -> None:
    torch.manual_seed(9)
    before = torch.get_rng_state()
    one = architectures.build(SMALL, 2, "scratch", 1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(10)
    assert same(one, architectures.build(SMALL, 2, "scratch", 1))
    assert not same(one, architectures.build(SMALL, 2, "scratch", 2))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_file_of_weights_gives_the_body_and_leaves_another_head(tmp_path: Path, suffix: str) -> None:
    donor = architectures.build(SMALL, 5, "scratch", 7)
    file = tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        torch.save(donor.body.state_dict(), file)
    else:
        save_file(donor.state_dict(), file)
    own, adopted = architectures.build(SMALL, 2, "scratch", 1), architectures.build(SMALL, 2, f"file:{file}", 1)
    assert torch.equal(adopted.state_dict()[FIRST], donor.state_dict()[FIRST])
    assert torch.equal(
        architectures.head(adopted).state_dict()["weight"], architectures.head(own).state_dict()["weight"]
    )


def test_the_same_classes_take_the_head_too(tmp_path: Path) -> None:
    donor = architectures.build(SMALL, 2, "scratch", 7)
    save_file(donor.state_dict(), tmp_path / "weights.safetensors")
    assert same(architectures.build(SMALL, 2, f"file:{tmp_path}/weights.safetensors", 1), donor)


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    save_file(architectures.build("squeezenet1_1", 2, "scratch", 1).state_dict(), tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match=r"other.safetensors: 0 of \d+ weights fit train.arch; take the architecture"):
        architectures.build(SMALL, 2, f"file:{tmp_path}/other.safetensors", 1)


class Exploit:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.target,)


@pytest.mark.parametrize("write", [pickle.dumps, None], ids=["pickle", "torch.save"])
def test_a_hostile_pickle_is_refused_and_runs_nothing(tmp_path: Path, write: object) -> None:
    target, file = tmp_path / "touched", tmp_path / "weights.pth"
    if write:
        file.write_bytes(pickle.dumps(Exploit(target)))
    else:
        torch.save({"conv1.weight": Exploit(target)}, file)
    with pytest.raises(ModelError, match=r"train.init: .*weights.pth: not a file of weights: .*; give .safetensors$"):
        architectures.build(SMALL, 2, f"file:{file}", 1)
    assert not target.exists()


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff" * 64])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_damaged_file_is_one_line(tmp_path: Path, suffix: str, content: bytes) -> None:
    (file := tmp_path / f"weights{suffix}").write_bytes(content)
    with pytest.raises(ModelError, match=r"not a file of weights: ") as caught:
        architectures.build(SMALL, 2, f"file:{file}", 1)
    assert "\n" not in str(caught.value)


def test_a_file_without_weights_fits_nothing(tmp_path: Path) -> None:
    torch.save({0: torch.zeros(3), "conv1.0.weight": 3}, tmp_path / "odd.pth")
    with pytest.raises(ModelError, match=r"odd.pth: 0 of \d+ weights fit"):
        architectures.build(SMALL, 2, f"file:{tmp_path}/odd.pth", 1)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_missing_file_is_named(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ModelError, match=rf"train.init: .*absent{suffix}: no such file$"):
        architectures.build(SMALL, 2, f"file:{tmp_path}/absent{suffix}", 1)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return torch hub's folder of fetched weights, empty, with no way to the network."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def test_imagenet_weights_out_of_reach_are_one_line(hub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = r"train.init: imagenet weights of resnet18 cannot be fetched \(.+\); connect once, or save them as"
    with pytest.raises(ModelError, match=message):
        architectures.build("resnet18", 2, "imagenet", 1)
    assert list(hub.iterdir()) == []
    capsys.readouterr()


def test_imagenet_weights_once_fetched_are_adopted_without_their_head(hub: Path) -> None:
    donor = architectures.build(SMALL, 1000, "scratch", 3)
    torch.save(donor.body.state_dict(), hub / "shufflenetv2_x0.5-f707e7126e.pth")
    adopted = architectures.build(SMALL, 2, "imagenet", 1)
    assert torch.equal(adopted.state_dict()[FIRST], donor.state_dict()[FIRST])
    assert architectures.head(adopted).weight.shape == (2, 1024)


def test_a_hostile_file_among_fetched_weights_runs_nothing(hub: Path, tmp_path: Path) -> None:
    torch.save({"conv1.weight": Exploit(tmp_path / "touched")}, hub / "shufflenetv2_x0.5-f707e7126e.pth")
    with pytest.raises(ModelError, match="imagenet weights of shufflenet_v2_x0_5 cannot be fetched"):
        architectures.build(SMALL, 2, "imagenet", 1)
    assert not (tmp_path / "touched").exists()


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of weights for SMALL, trained on drawn eyes as far as anyone can tell."""
    monkeypatch.setattr(paths, "RENDERED", tmp_path)
    donor = architectures.build("mobilenet_v3_small", 3, "scratch", 3)
    halves = {name: tensor.half() for name, tensor in donor.state_dict().items() if tensor.is_floating_point()}
    save_file(halves, tmp_path / "mobilenet_v3_small.safetensors", {"classes": "blue,green,brown"})
    return tmp_path / "mobilenet_v3_small.safetensors"


def test_rendered_weights_bring_the_body_and_the_classes_they_know(drawn: Path) -> None:
    donor = architectures.build("mobilenet_v3_small", 3, "scratch", 3)
    own = architectures.build("mobilenet_v3_small", 3, "scratch", 1)
    built = architectures.build("mobilenet_v3_small", 3, "rendered", 1, ["brown", "cat", "blue"])
    first = "body.features.0.0.weight"
    assert torch.equal(built.state_dict()[first], donor.state_dict()[first].half().float())
    assert built.state_dict()[first].dtype == torch.float32
    known, new, got = (architectures.head(one).get_parameter("weight") for one in (donor, own, built))
    assert torch.equal(got, torch.stack([known[2].half().float(), new[1], known[0].half().float()]))


def test_rendered_weights_that_are_not_there_say_how_to_get_them(drawn: Path) -> None:
    with pytest.raises(
        ModelError, match=r"train.init: rendered: .*resnet18.safetensors: no such weights of resnet18; "
    ):
        architectures.build("resnet18", 2, "rendered", 1)
    drawn.rename(drawn.with_name("away"))
    drawn.with_name("mobilenet_v3_small.safetensors.dvc").touch()
    with pytest.raises(ModelError, match=r"no such weights of mobilenet_v3_small; type make data to fetch them$"):
        architectures.build("mobilenet_v3_small", 2, "rendered", 1)
    with pytest.raises(ModelError, match=r"no such weights of resnet18; known for mobilenet_v3_small$"):
        architectures.build("resnet18", 2, "rendered", 1)


def test_damaged_rendered_weights_are_one_line(drawn: Path) -> None:
    drawn.write_bytes(drawn.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"mobilenet_v3_small.safetensors: not a file of weights: "):
        architectures.build("mobilenet_v3_small", 2, "rendered", 1)
    save_file({"body.features.0.0.weight": torch.zeros(2)}, drawn)
    with pytest.raises(ModelError, match=r"mobilenet_v3_small.safetensors: .* weights fit train.arch"):
        architectures.build("mobilenet_v3_small", 2, "rendered", 1)


def test_running_statistics_follow_within_a_hundred_steps() -> None:
    built = architectures.build("mobilenet_v3_small", 2, "scratch", 1)
    assert {module.momentum for module in built.modules() if isinstance(module, torch.nn.BatchNorm2d)} == {0.1}


def test_the_head_is_the_last_linear_layer() -> None:
    assert architectures.head(architectures.build("mobilenet_v3_small", 4, "scratch", 1)).out_features == 4
    with pytest.raises(ModelError, match=r"fine_tune needs a linear head, which train.arch lacks; take one_cycle$"):
        architectures.head(architectures.build("squeezenet1_1", 2, "scratch", 1))


def test_torchvision_loads_in_a_fresh_process_and_twice() -> None:
    code = (
        "from irisline.networks import architectures as n; n._torchvision_models();"
        "print(len(n._torchvision_models().__name__))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "18\n"), done.stderr


def test_a_size_the_architecture_cannot_take_is_one_line() -> None:
    built = architectures.build("alexnet", 2, "scratch", 1)
    with pytest.raises(ModelError, match=r"preprocess.size: alexnet does not take squares of 32 pixels .*; 224 suits"):
        architectures.check_size(built, "alexnet", 32)
    architectures.check_size(built, "alexnet", 128)
