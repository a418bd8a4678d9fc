"""Architectures by name and their initial weights: plain torch modules, uint8 pixels in, logits out.

Any classifier of torchvision is accepted. Knows nothing of training, data or files other than initial weights.
"""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from pickle import UnpicklingError  # what a safe load raises when it refuses
from types import ModuleType

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from irisline.core import paths, seeding
from irisline.core.bounded import plain_files
from irisline.core.errors import ModelError, in_a_line

# Mean and standard deviation of ImageNet's training pictures, the convention of torchvision's weights.
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)

MOMENTUM = 0.1
"""Least share of a batch in the running statistics of batch normalisation, the default of torch."""

_library: torch.library.Library | None = None


class Network(nn.Module):
    """A classifier with its normalisation inside: uint8 (n, 3, size, size) → float32 logits (n, classes)."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.register_buffer("mean", torch.tensor(MEAN).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the logits of a batch."""
        logits: Tensor = self.body((pixels.float() / 255 - self.mean) / self.deviation)
        return logits


def build(arch: str, classes: int, init: str, seed: int, names: Sequence[str] = ()) -> Network:
    """Return the network of an architecture with its initial weights: scratch, rendered, imagenet or file:PATH.

    Scratch weights are keyed by the seed. Rendered ones bring their knowledge of the classes whose names they know.
    Raise ModelError for an unknown architecture, or weights that cannot be had or do not fit.
    """
    models = _torchvision_models()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(seeding.generator(seed, "weights").integers(2**63)))
        network = Network(_body(models, arch, classes))
    if init == "imagenet":
        _adopt(network.body, _imagenet(models, arch), init)
    elif init == "rendered":
        _adopt_rendered(network, rendered(arch), names)
    elif init.startswith("file:"):
        _adopt(network.body, _from_file(Path(init.removeprefix("file:"))), init)
    return network


def rendered(arch: str) -> Path:
    """Return the file of weights that were trained on drawn pictures; raise ModelError when it is not there."""
    file = paths.RENDERED / f"{arch}.safetensors"
    if not file.is_file():
        tracked = sorted(other.name.split(".")[0] for other in paths.RENDERED.glob("*.safetensors.dvc"))
        advice = "type make data to fetch them" if arch in tracked else f"known for {', '.join(tracked) or 'none'}"
        raise ModelError(f"params.yaml: train.init: rendered: {file}: no such weights of {arch}; {advice}")
    return file


def check_size(network: Network, arch: str, size: int) -> None:
    """Raise ModelError when the architecture cannot take squares of this size."""
    try:
        with torch.inference_mode():
            network.eval()(torch.zeros((1, 3, size, size), dtype=torch.uint8))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise ModelError(
            f"params.yaml: preprocess.size: {arch} does not take squares of {size} pixels "
            f"({' '.join(str(error).split())[:80]}); 224 suits most architectures"
        ) from error


def head(network: Network) -> nn.Module:
    """Return the last linear layer, the one that knows the classes; raise ModelError when there is none."""
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise ModelError(
            "params.yaml: train.schedule: fine_tune needs a linear head, which train.arch lacks; take one_cycle"
        )
    return linear[-1]


def _body(models: ModuleType, arch: str, classes: int) -> nn.Module:
    known = models.list_models(module=models)
    if arch not in known:
        raise ModelError(
            f"params.yaml: train.arch: {arch!r} is not a torchvision classifier; known: {', '.join(known)}"
        )
    extra = {"aux_logits": False, "init_weights": True} if arch in ("googlenet", "inception_v3") else {}
    body: nn.Module = models.get_model(arch, weights=None, num_classes=classes, **extra)
    for module in body.modules():
        if isinstance(module, nn.BatchNorm2d):  # a hundred steps must do: some architectures average over thousands
            module.momentum = max(module.momentum or 0.0, MOMENTUM)
    return body


def _imagenet(models: ModuleType, arch: str) -> dict[str, Tensor]:
    try:
        return dict(models.get_model_weights(arch).DEFAULT.get_state_dict(check_hash=True, weights_only=True))
    except (OSError, RuntimeError, UnpicklingError) as error:  # no way there, or not what was asked for
        raise ModelError(
            f"params.yaml: train.init: imagenet weights of {arch} cannot be fetched ({in_a_line(error, 100)}); "
            "connect once, or save them as a file and set train.init: file:PATH"
        ) from error


def _from_file(path: Path) -> dict[str, Tensor]:
    try:
        plain_files.opened(path).close()
        if path.suffix == ".safetensors":
            return load_file(path)
        kept = dict(torch.load(path, map_location="cpu", weights_only=True))
        return {str(name): tensor for name, tensor in kept.items() if isinstance(tensor, Tensor)}
    except FileNotFoundError as error:
        raise ModelError(f"params.yaml: train.init: {path}: no such file") from error
    except Exception as error:  # a hostile or foreign file may raise anything
        raise ModelError(
            f"params.yaml: train.init: {path}: not a file of weights: {in_a_line(error, 100)}; give .safetensors"
        ) from error


def _adopt_rendered(network: Network, file: Path, names: Sequence[str]) -> None:
    """Take the body, and of the head the rows of the classes that the weights know by the same name."""
    weights = {name: tensor.float() for name, tensor in _from_file(file).items()}
    with safe_open(file, framework="pt") as opened:
        known = (opened.metadata() or {}).get("classes", "").split(",")
    last = head(network)
    place = next(name for name, module in network.named_modules() if module is last)
    knowledge = {part: weights.pop(f"{place}.{part}", torch.empty(0)) for part in ("weight", "bias")}
    _adopt(network.body, weights, f"rendered: {file}")
    with torch.no_grad():
        for row, name in enumerate(names):
            if name in known:
                for part, tensor in knowledge.items():
                    getattr(last, part)[row] = tensor[known.index(name)]


def _adopt(body: nn.Module, weights: dict[str, Tensor], init: str) -> None:
    """Take every weight whose name and shape fit; the head of another set of classes stays as it was."""
    own = body.state_dict()
    named = {name.removeprefix("body."): tensor for name, tensor in weights.items()}
    fitting = {name: tensor for name, tensor in named.items() if name in own and own[name].shape == tensor.shape}
    if len(fitting) < len(own) // 2:
        raise ModelError(
            f"params.yaml: train.init: {init}: {len(fitting)} of {len(own)} weights fit train.arch; "
            "take the architecture they were trained with"
        )
    body.load_state_dict(fitting, strict=False)


def _torchvision_models() -> ModuleType:
    """Return torchvision.models, also beside a torch that its compiled part does not fit (a CPU build, say).

    Its Python part wants two operators declared. That is done only when loading the compiled part has failed: declaring
    them twice aborts the interpreter.
    """
    global _library
    if _library is None:
        spec = importlib.util.find_spec("torchvision")
        compiled = sorted(Path(str(spec.origin)).parent.glob("_C*.so")) if spec else []
        _library = torch.library.Library("torchvision", "FRAGMENT")
        try:
            torch.ops.load_library(str(compiled[0]))
        except (OSError, IndexError):
            _library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            _library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision.models

    models: ModuleType = torchvision.models
    return models
