"""A version that the CPU serves in int8: tagged with the reason, proven, compared and exported in that precision."""

import json
from pathlib import Path

import pytest

from irisline.core import paths
from irisline.core.errors import ReleaseError
from irisline.core.params import Params
from irisline.evaluation import evaluate, quantization
from irisline.inference import golden, identity
from irisline.inference.classifier import Classifier
from irisline.networks import bundle
from irisline.release.packaging import version_folder
from irisline.release.promotion import registry, version_report
from irisline.release.publishing import publishing
from irisline.release.tracking import store, versions
from irisline.release.tracking.versions import Version
from tests.release.conftest import BLUE, BROWN, Train

REASON = (
    "3.1 times as fast as float32 on one thread, changes 0 of 8 test answers, limit is 0.0% (gate.max_changed_answers)"
)


def choose(chosen: str, reason: str, speed_ratio: float = 3.1) -> None:
    """Let the evaluation have chosen so."""
    choice = {"chosen": chosen, "reason": reason, "speed_ratio": speed_ratio}
    (paths.EVALUATE_REPORT / "precision.json").write_text(json.dumps(choice))


def quantise() -> None:
    """Add int8 and its golden answers to the workspace's model."""
    whole = Classifier.load(*bundle.MODEL_FOLDERS)
    assert quantization.add(whole, paths.TRAINED, paths.ACCEPTED, 1, paths.CALIBRATED) is None
    int8 = Classifier.load(*bundle.MODEL_FOLDERS, precision="int8")
    said = evaluate.golden_answers(int8, {"0001.jpg": BLUE, "0002.jpg": BROWN})
    (paths.CALIBRATED / bundle.ANSWERS["int8"]).write_text(json.dumps(said))


@pytest.fixture
def int8(train: Train, settings: Params) -> Version:
    """Return a published version that is served in int8."""
    train()
    quantise()
    choose("int8", REASON)
    return registry.find(settings, publishing.publish(settings).version)


def test_the_version_says_what_was_chosen_and_why(int8: Version, settings: Params) -> None:
    assert (int8.precision, int8.precision_reason) == ("int8", REASON)
    assert version_report.of_version(settings, int8.number)["precision on the CPU"] == f"int8: {REASON}"
    note = store.client().get_run(int8.run_id).data.tags["mlflow.note.content"]
    assert f"On the CPU: **int8**, {REASON}" in note
    assert registry.classifier(settings, int8.number)[1].precision == "int8"


def test_a_version_without_a_choice_is_served_in_float32(published: Params) -> None:
    client = store.client()
    client.delete_model_version_tag("eye-colour", "1", versions.PRECISION)
    client.delete_model_version_tag("eye-colour", "1", versions.PRECISION_REASON)
    version = registry.find(published, 1)
    assert (version.precision, version.precision_reason) == ("float32", "not measured")
    assert registry.classifier(published, 1)[1].precision == "float32"


def test_both_precisions_are_part_of_the_version_and_the_choice_is_not(int8: Version, settings: Params) -> None:
    folder = versions.fetch(store.client(), "eye-colour", int8)
    assert set(bundle.INT8) < set(bundle.files(folder))
    choose("float32", "int8 is 1.02 times as fast on one thread, needs 1.05")
    again = publishing.publish(settings)
    assert (again.version, again.version_created, again.run_changed) == (int8.number, False, True)
    assert registry.find(settings, again.version).precision == "float32"


def test_another_reading_of_the_stopwatch_adds_no_run(int8: Version, settings: Params) -> None:
    choose("int8", REASON.replace("3.1", "3.3"), 3.3)
    again = publishing.publish(settings)
    assert (again.version, again.run_id, again.changed) == (int8.number, int8.run_id, False)
    assert registry.find(settings, again.version).precision_reason.startswith("3.3 times as fast")


@pytest.mark.parametrize(("precision", "passes"), [("float32", True), ("int8", False)])
def test_promotion_replays_the_precision_that_is_served(
    train: Train, settings: Params, precision: str, passes: bool
) -> None:
    train()
    quantise()
    file = paths.CALIBRATED / bundle.ANSWERS["int8"]
    said = json.loads(file.read_text())
    said[1]["probabilities"]["blue"] += 2 * golden.TOLERANCE["int8"]
    file.write_text(json.dumps(said))
    choose(precision, REASON)
    publishing.publish(settings)
    if passes:
        assert registry.promote(settings).after == 1
        return
    with pytest.raises(
        ReleaseError, match=r"version 1: answers 0002.jpg of its golden set differently .* limit 0.02\)"
    ):
        registry.promote(settings)


def test_the_cpu_gets_the_int8_network_alone_and_proves_it(int8: Version) -> None:
    found = version_folder.export(store.client(), "eye-colour", int8, Path("served"))
    held = {path.name for path in Path("served").glob("model.*")}
    assert held == {"model.int8.onnx", "model.json", "model.sig"}
    assert (found.precision, found.precision_reason) == ("int8", REASON)
    assert identity.verify(Path("served")) == found
    classifier = Classifier.load(Path("served"), precision=found.precision)
    assert golden.replay(classifier, Path("served"), "it") == 2
    assert classifier.predict([BLUE])[0].label == "blue"
