"""The fit: weights of any network start from, and a loss that asks only for what is known."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from irisline.core import paths
from irisline.networks import architectures
from pretrain import draw, fit, settings
from pretrain.table import COLOURS, TRUTH
from tests.planted import ROOT

GIVEN = settings.read(ROOT / "pretrain" / "params.yaml")


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_what_is_fitted_can_be_started_from_and_is_repeatable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small = {
        "draw": GIVEN.draw.model_copy(update={"pictures": 24}),
        "fit": GIVEN.fit.model_copy(update={"epochs": 1, "batch_size": 16, "held_out": 0.3}),
    }
    given = GIVEN.model_copy(update=small)
    draw.draw(given)
    measured = fit.fit(given)
    file = fit.WEIGHTS / f"{given.fit.arch}.safetensors"
    first = file.read_bytes()
    assert measured == json.loads(fit.METRICS.read_text())
    assert 0 < len(first) < 12_000_000
    fit.fit(given)
    assert file.read_bytes() == first
    monkeypatch.setattr(paths, "RENDERED", fit.WEIGHTS)
    started = architectures.build(given.fit.arch, 2, "rendered", 1, ["brown", "green"])
    with safe_open(file, framework="pt") as kept:
        head = kept.get_tensor("body.classifier.3.weight").float()
    assert len(head) == len(COLOURS)
    assert torch.equal(architectures.head(started).get_parameter("weight")[0], head[COLOURS.index("brown")])
    assert torch.equal(architectures.head(started).get_parameter("weight")[1], head[COLOURS.index("green")])


def test_the_loss_asks_for_nothing_of_an_iris_where_there_is_none() -> None:
    outputs = torch.zeros(2, fit.OUTPUTS)
    truth = torch.zeros(2, 1 + len(TRUTH) + 3)
    truth[1, 0], truth[1, 1 : 1 + len(TRUTH)] = COLOURS.index("none"), float("nan")
    before = fit.loss(outputs, truth)
    shifted = outputs.clone()
    shifted[1, len(COLOURS) :] = 5.0
    assert fit.loss(shifted, truth) == before
    shifted[0, len(COLOURS)] = 5.0
    assert fit.loss(shifted, truth) > before + 0.1
