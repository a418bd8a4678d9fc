"""Simpler means on pictures whose classes are colours: what each gets right, and what is said of one that beats the network."""

from pathlib import Path

import pytest

from irisline.dataset import shards
from irisline.evaluation import baselines, evaluate
from irisline.inference.classifier import Classifier
from tests import planted

LIMITS = planted.settings().evaluate


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with rows of three times as many brown as blue pictures to train, the other way round to test."""
    folder = tmp_path_factory.mktemp("baselines")
    rows = [
        planted.row(label, f"{split}-{number}", split)
        for split, counts in {"train": (6, 18), "valid": (4, 4), "test": (15, 5)}.items()
        for label, count in zip(planted.CLASSES, counts, strict=True)
        for number in range(count)
    ]
    shards.write(folder / "rows", shards.ACCEPTED, 8, rows)
    return folder


def compared(home: Path) -> Classifier:
    """Return a classifier with its training pictures."""
    (home / "calibrated").mkdir(exist_ok=True)
    model, training = planted.model(home / "model"), shards.of_split(home / "rows", "train")
    evaluate.calibrate(model, home / "rows", list(training), set(), LIMITS, 1, home / "calibrated")
    return Classifier.load(model, home / "calibrated")


def test_each_is_fitted_on_training_and_measured_on_test_pictures(home: Path) -> None:
    found = baselines.measure(compared(home), home / "rows", seed=1)
    assert found["baseline_constant"] == 0.75  # brown is the commonest in training, and rare in test
    assert (found["baseline_constant_low"], found["baseline_constant_high"]) == pytest.approx((0.531, 0.888), abs=1e-3)
    for name in ("baseline_simple", "baseline_linear", "baseline_nearest_neighbour"):
        assert found[name] == 0.0
        assert found[f"{name}_high"] == pytest.approx(0.161, abs=1e-3)
    assert found == baselines.measure(compared(home), home / "rows", seed=2)


NUMBERS = {
    "error_rate": 0.2, "error_rate_low": 0.12, "error_rate_high": 0.3, "test_images": 80, "baseline_constant": 0.9,
    "baseline_simple": 0.05, "baseline_simple_low": 0.02, "baseline_simple_high": 0.11, "baseline_linear": 0.2,
}  # fmt: skip


def test_the_line_names_the_best_that_is_better_than_the_network() -> None:
    assert baselines.sentence(NUMBERS) == (
        "baselines are wrong with the commonest class for all 90.0%, a linear model on the network's features 20.0%, a linear "
        "model on colours and a thumbnail 5.0%; a linear model on colours and a thumbnail is better than the network here: "
        "5.0% wrong (95 % interval 2.0% to 11.0%) against 20.0%"
    )
    (line,) = baselines.warning(NUMBERS | {"baseline_simple_high": 0.13})
    assert line.endswith("against 20.0%, though the intervals meet")
    assert baselines.warning(NUMBERS | {"error_rate": 0.05}) == []
