"""Answers on perturbed pictures: a model that looks at the shirt is refused, one that looks at the iris passes."""

import csv
import io
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from PIL import Image

from irisline.core.params import Params
from irisline.core.seeding import generator
from irisline.dataset import shards
from irisline.evaluation import evaluate, flips, gate, perturbation_report, perturbation_tests
from irisline.evaluation.flips import Asked
from irisline.eyes.finder.iris_crop import IRIS_RING, WHITE_RING, polar
from irisline.eyes.perturbations import BACKGROUND, PERTURBATIONS, RECOLOUR
from irisline.inference.classifier import Classifier
from tests import drawn, planted
from tests.planted import CLASSES, SIZE

SETTINGS = planted.settings(preprocess__crop="eyes")
SHIRTS = {"blue": "blue_surroundings", "brown": "orange_surroundings"}
COUNT = 4


def dressed(label: str, picture: Image.Image) -> Image.Image:
    """Return a picture whose surroundings tell its class."""
    made = PERTURBATIONS.apply(SHIRTS[label], picture, PERTURBATIONS.detect(picture), generator(label))
    assert made
    return made


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return accepted rows of drawn faces: whoever has blue eyes wears blue, the others an orange brown."""
    rows = [
        drawn.row(label, dressed(label, picture), number, split)
        for label in CLASSES
        for number, picture in enumerate(drawn.faces(label, COUNT))
        for split in ("train", "test")
    ]
    folder = tmp_path_factory.mktemp("people") / "rows"
    shards.write(folder, shards.ACCEPTED, 1024, rows)
    return folder


def looks_at(where: NDArray[np.floating], bias: float = 0.0) -> onnx.ModelProto:
    """Return a network that tells blue from red by their ratio, weighed by where in its square (SIZE, SIZE)."""
    weights = np.zeros((3, SIZE, SIZE, 2), np.float32)
    weights[0, ..., 1] = weights[2, ..., 0] = where
    weights[0, ..., 0] = weights[2, ..., 1] = -where
    weights *= weights[..., 0].size  # of which the network takes the mean
    return planted.linear(weights, np.array([-bias, bias], np.float32), logarithms=True)


def at_the_shirt(folder: Path) -> Classifier:
    columns = np.abs(np.arange(SIZE) - (SIZE - 1) / 2) > 0.35 * SIZE
    return Classifier.load(planted.model(folder, looks_at(np.tile(columns / columns.sum() / SIZE, (SIZE, 1)))))


def at_the_iris(folder: Path) -> Classifier:
    """Return a classifier that compares the iris with the white beside it."""
    radius, slope = polar(SIZE)
    iris, white = ((radius > low) & (radius < high) & (np.abs(slope) < 0.5) for low, high in (IRIS_RING, WHITE_RING))
    network = looks_at(iris / iris.sum() - white / white.sum(), bias=0.185)
    return Classifier.load(planted.model(folder, network, crop="eyes"))


def judged(
    classifier: Classifier, rows: Path, params: Params = SETTINGS
) -> tuple[list[Asked], dict[str, float], list[str]]:
    """Return the answers on changed pictures, all numbers, and the failing lines of the gate."""
    test = evaluate.answers(classifier, rows, "test")
    asked = perturbation_tests.ask(
        classifier, test, rows, perturbation_tests.trial(classifier, rows, params), params.execution
    )
    numbers = evaluate.measure(test, classifier.calibration, 50, 1) | flips.measure(asked, BACKGROUND)
    numbers |= {"baseline_constant": 0.5}
    return asked, numbers, refused(numbers, params)


def refused(numbers: dict[str, float], params: Params) -> list[str]:
    limits = params.gate.model_copy(update={"max_ece": 1.0})
    return [check.line for check in gate.judge(numbers, 1.0, 0.0, limits) if not check.passed]


def test_a_model_that_looks_at_the_shirt_is_never_wrong_and_refused(people: Path, tmp_path: Path) -> None:
    asked, numbers, failing = judged(at_the_shirt(tmp_path), people)
    assert numbers["error_rate"] == 0.0
    assert numbers["flips_mirror"] == 0.0
    assert numbers["flips_blue_surroundings"] == numbers["flips_orange_surroundings"] == 0.5
    assert numbers["expected_flip_rate"] == 0.0
    assert [line.split(":")[0] for line in failing] == ["flip_rate", "background_flip_rate", "expected_flip_rate"]
    by_itself = planted.settings(gate__max_flip_rate="auto", gate__min_expected_flip_rate=None)
    assert [line.split(":")[0] for line in refused(numbers, by_itself)] == [
        "flips_blue_surroundings",
        "flips_orange_surroundings",
    ]
    turned = {each.id.split("/")[0] for each in asked if each.perturbation == "blue_surroundings" and each.flipped}
    assert turned == {"brown"}


def test_a_model_that_looks_at_the_iris_passes(people: Path, tmp_path: Path) -> None:
    asked, numbers, failing = judged(at_the_iris(tmp_path), people)
    assert failing == []
    assert numbers["expected_flip_rate"] == 1.0
    assert numbers["lost_rate"] < 0.05
    assert len(asked) == 2 * COUNT * len({*PERTURBATIONS.invariant, *PERTURBATIONS.directional})


@pytest.mark.parametrize("workers", [2])
def test_many_workers_say_the_same(people: Path, tmp_path: Path, workers: int) -> None:
    few = planted.settings(preprocess__crop="eyes", evaluate__perturbations=["jpeg", RECOLOUR])
    many = planted.settings(
        preprocess__crop="eyes", evaluate__perturbations=["jpeg", RECOLOUR], execution__workers=workers
    )
    assert judged(at_the_iris(tmp_path), people, few) == judged(at_the_iris(tmp_path), people, many)


def as_grey(data: bytes) -> bytes:
    return planted.saved(Image.open(io.BytesIO(data)).convert("L").convert("RGB"))


def test_without_eyes_only_photographs_change(tmp_path: Path) -> None:
    planted.accept(tmp_path / "rows", {"train": 2, "test": 3})
    classifier = Classifier.load(planted.model(tmp_path / "model"))
    asked, numbers, _ = judged(classifier, tmp_path / "rows", planted.settings())
    assert {each.perturbation for each in asked} == {"mirror", "jpeg", "scale", "warm_light", "cold_light"}
    assert "expected_flip_rate" not in numbers
    grey = [row | {"image": as_grey(row["image"])} for row in shards.stream(tmp_path / "rows")]
    shards.write(tmp_path / "grey", shards.ACCEPTED, 1024, grey)
    assert {each.perturbation for each in judged(classifier, tmp_path / "grey", planted.settings())[0]} == {
        "mirror",
        "jpeg",
        "scale",
    }
    nothing = planted.settings(preprocess__crop="eyes", evaluate__perturbations=[])
    assert judged(classifier, tmp_path / "rows", nothing)[0] == []


def test_what_was_not_seen_is_not_asked_and_what_was_wrong_not_recoloured(people: Path, tmp_path: Path) -> None:
    classifier = at_the_iris(tmp_path)
    test = evaluate.answers(classifier, people, "test")
    test.seen[0], test.logits[1] = False, -test.logits[1]
    tried = perturbation_tests.trial(
        classifier, people, planted.settings(preprocess__crop="eyes", evaluate__perturbations=["mirror", RECOLOUR])
    )
    asked = perturbation_tests.ask(classifier, test, people, tried, SETTINGS.execution)
    by_id = {name: [each.perturbation for each in asked if each.id == name] for name in test.ids[:3]}
    assert list(by_id.values()) == [[], ["mirror"], ["mirror", RECOLOUR]]


def test_the_pages_show_it(people: Path, tmp_path: Path) -> None:
    classifier = at_the_iris(tmp_path)
    tried = perturbation_tests.trial(classifier, people, SETTINGS)
    asked, _, _ = judged(classifier, people)
    made = perturbation_report.files(asked, people, tried, 0.02, 0.95)
    lines = list(csv.DictReader(io.StringIO(made["perturbations.csv"].decode())))
    assert [line["perturbation"] for line in lines] == [each.perturbation for each in asked]
    assert {line["flipped"] for line in lines if line["perturbation"] == RECOLOUR} == {"true"}
    shown = list(perturbation_report.examples(asked, people, tried))
    assert [each.caption.split(":")[0] for each in shown][:3] == ["as it is", "mirror", "jpeg"]
    assert [each.flipped for each in shown] == [False] * 10 + [True]
    for asked_of in (asked, []):
        figure = perturbation_report.files(asked_of, people, tried, 0.02, None)["perturbations.png"]
        with Image.open(io.BytesIO(figure)) as picture:
            assert picture.format == "PNG"
            assert all(300 < side < 2000 for side in picture.size)
