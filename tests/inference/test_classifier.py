"""The only prediction path, with models small enough to foretell their answers."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from irisline.core.errors import MissingInput, ModelError, UnreadableImage
from irisline.dataset import crops, images
from irisline.inference import calibration
from irisline.inference.calibration import Calibration
from irisline.inference.classifier import Classifier
from irisline.networks.version_limits import BATCH
from tests import planted
from tests.planted import picture, saved


def test_answers_about_bytes(tmp_path: Path) -> None:
    classifier = Classifier.load(planted.model(tmp_path))
    answers = classifier.predict([saved(picture("blue")), saved(picture("brown"), "PNG")])
    assert [answer.label for answer in answers] == ["blue", "brown"]
    for answer in answers:
        assert list(answer.probabilities) == ["blue", "brown"]
        assert sum(answer.probabilities.values()) == pytest.approx(1)
        assert answer.confidence == max(answer.probabilities.values())
        assert (answer.unsure, answer.reason) == (False, None)
    assert classifier.digest == "0" * 64
    assert classifier.predict([]) == []


def test_an_answer_below_the_threshold_is_unsure_and_says_why(tmp_path: Path) -> None:
    classifier = Classifier.load(planted.model(tmp_path, calibrated=Calibration(1e6, 0.9)))
    (answer,) = classifier.predict([saved(picture("blue"))])
    assert answer.label == "blue"
    assert answer.unsure
    assert answer.reason == "confidence 0.50 is below 0.90"


def test_the_temperature_divides_the_logits(tmp_path: Path) -> None:
    plain = Classifier.load(planted.model(tmp_path / "plain"))
    warm = Classifier.load(planted.model(tmp_path / "warm", calibrated=Calibration(8.0, 0.0)))
    ((_, outputs),) = plain.read([saved(picture())])
    (logits,) = outputs.logits
    (answer,) = warm.predict([saved(picture())])
    assert list(answer.probabilities.values()) == pytest.approx(calibration.softmax(logits[None] / 8)[0].tolist())


def test_batches_change_nothing_and_are_pulled_one_at_a_time(tmp_path: Path) -> None:
    classifier = Classifier.load(planted.model(tmp_path))
    pictures = [saved(picture("blue", number)) for number in range(BATCH + 3)]
    pulled = 0

    def counted() -> Iterator[bytes]:
        nonlocal pulled
        for data in pictures:
            pulled += 1
            yield data

    rows = (outputs.logits for _, outputs in classifier.read(counted()))
    first = next(rows)
    assert pulled == BATCH
    alone = np.stack([next(classifier.read([data]))[1].logits for data in pictures])
    assert np.allclose(np.stack([first, *rows]), alone, atol=1e-4)


def test_the_first_unreadable_picture_is_the_error(tmp_path: Path) -> None:
    classifier = Classifier.load(planted.model(tmp_path))
    with pytest.raises(UnreadableImage, match=r"^not a JPEG, PNG or WebP picture$"):
        classifier.predict([saved(picture()), b"<html>"])
    large = saved(picture().resize((1200, 1000)))
    with pytest.raises(UnreadableImage, match=r"^1200x1000 is more than 1000000 pixels$"):
        classifier.predict([large])


def test_calibration_may_lie_in_another_folder(tmp_path: Path) -> None:
    planted.model(tmp_path / "train")
    (tmp_path / "evaluate").mkdir()
    (tmp_path / "evaluate" / "calibration.json").write_text(calibration.as_json(Calibration(2.0, 0.6)))
    folders = (tmp_path / "train", tmp_path / "evaluate")
    assert Classifier.load(*folders).calibration == Calibration(2.0, 0.6)
    assert Classifier.load(folders[0]).calibration == calibration.NONE


def test_missing_files_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match=r"^model.json: not in .*absent or .*; type dvc repro to make it$"):
        Classifier.load(tmp_path / "absent", tmp_path)
    planted.model(tmp_path)
    (tmp_path / "model.onnx").unlink()
    with pytest.raises(MissingInput, match=r"^model.onnx: not in .*; type dvc repro to make it$"):
        Classifier.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x08garbage" * 50])
def test_a_damaged_network_is_one_line(tmp_path: Path, content: bytes) -> None:
    (planted.model(tmp_path) / "model.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"model.onnx: cannot be loaded: .*; publish it anew$") as caught:
        Classifier.load(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model.json", "{"),
        ("model.json", "[]"),
        ("model.json", json.dumps({"classes": ["a", "b"]})),
        ("calibration.json", "{}"),
        ("calibration.json", '{"temperature": 1, "unsure_threshold": 0, "more": 1}'),
    ],
)
def test_facts_of_another_program_are_one_line(tmp_path: Path, file: str, content: str) -> None:
    (planted.model(tmp_path, calibrated=calibration.NONE) / file).write_text(content)
    with pytest.raises(ModelError, match=r": not a model of this program: .*; publish it anew$") as caught:
        Classifier.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_training_and_prediction_see_the_same_square(tmp_path: Path) -> None:
    classifier = Classifier.load(planted.model(tmp_path))
    stored = images.encode(images.decode(saved(picture(size=(900, 500))), 640, 10**6))
    (seen,) = crops.of_stored(stored, classifier.preprocess)
    assert np.array_equal(classifier.look(stored)[0].pixels, seen.pixels)
