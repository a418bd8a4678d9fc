"""The picture of an answer: rings around the eyes, their squares, and what the answer rests on."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from irisline.dataset import crops
from irisline.eyes.rendering.picture import render
from irisline.eyes.rendering.sampling import sample
from irisline.inference import annotated_picture
from irisline.inference.classifier import Classifier
from irisline.inference.out_of_distribution import Gallery
from irisline.inference.predictions import Prediction, Subject
from irisline.networks import bundle
from tests import drawn, planted

YELLOW = (240, 228, 66)


def test_eyes_are_ringed_where_they_are(tmp_path: Path) -> None:
    classifier = Classifier.load(planted.model(tmp_path))
    classifier.preprocess = planted.settings(preprocess__crop="eyes", preprocess__size=planted.SIZE).preprocess
    data = planted.saved(Image.fromarray(render(sample("two/3", "blue"))), quality=95)
    places = [view.place for view in classifier.look(data)]
    assert places
    shown = Image.open(io.BytesIO(annotated_picture.draw(classifier, data)))
    width, height = Image.open(io.BytesIO(data)).size
    assert shown.width > width
    for place in places:
        right = (
            round((place.x + place.radius) * width) + annotated_picture.GAP,
            round(place.y * height) + 3 * annotated_picture.GAP,
        )
        near = np.asarray(shown.crop((right[0] - 3, right[1] - 1, right[0] + 2, right[1] + 2))).reshape(-1, 3)
        assert any(tuple(pixel) == YELLOW for pixel in near)


def test_the_nearest_training_pictures_are_drawn_below(tmp_path: Path) -> None:
    folder, data = planted.model(tmp_path), planted.saved(planted.picture("blue"))
    alone = Image.open(io.BytesIO(annotated_picture.draw(Classifier.load(folder), data)))
    squares = [np.full((3, 8, 8), level, np.uint8) for level in (0, 255)]
    features = np.stack([np.full(3 * planted.SIZE**2, level, np.float32) for level in (1, 1)])
    features[1, ::2] = -1  # far
    gallery = Gallery.of(features, ["a.jpg", "b.jpg"], ["blue", "brown"], ["", ""], squares)
    (folder / bundle.NEIGHBOURS).write_bytes(gallery.as_bytes())
    shown = Image.open(io.BytesIO(annotated_picture.draw(Classifier.load(folder), data)))
    assert shown.width > alone.width  # two thumbnails are wider than the picture
    top = 40 + 5 * annotated_picture.GAP + annotated_picture.SMALL // 2
    places = [
        (
            annotated_picture.GAP
            + number * (annotated_picture.SMALL + annotated_picture.GAP)
            + annotated_picture.SMALL // 2,
            top,
        )
        for number in (0, 1)
    ]
    assert [shown.getpixel(place) for place in places] == [(0, 0, 0), (255, 255, 255)]


def test_a_picture_without_an_eye_is_drawn_too(tmp_path: Path) -> None:
    classifier = Classifier.load(planted.model(tmp_path))
    classifier.preprocess = planted.settings(preprocess__crop="eyes", preprocess__size=planted.SIZE).preprocess
    data = planted.saved(Image.new("RGB", (120, 90), "grey"))
    assert crops.of(Image.open(io.BytesIO(data)), classifier.preprocess) == []
    assert Image.open(io.BytesIO(annotated_picture.draw(classifier, data))).format == "PNG"


def test_several_people_are_told_one_by_one() -> None:
    sure = Subject("blue", {"blue": 0.97, "brown": 0.03}, 0.97, unsure=False, reason=None, regions=())
    other = Subject(
        "brown", {"blue": 0.4, "brown": 0.6}, 0.6, unsure=True, reason="confidence 0.60 is below 0.80", regions=()
    )
    answer = Prediction("blue", sure.probabilities, 0.97, unsure=False, reason=None, subjects=(sure, other))
    assert annotated_picture.sentences(answer) == [
        "blue, 97% sure",
        "1: blue, 97% sure",
        "2: unsure: confidence 0.60 is below 0.80",
    ]


def test_the_eyes_of_several_people_bear_their_numbers(tmp_path: Path) -> None:
    classifier = Classifier.load(planted.model(tmp_path))
    classifier.preprocess = planted.settings(preprocess__crop="eyes", preprocess__size=planted.SIZE).preprocess
    data = planted.saved(drawn.two_people(), quality=95)
    shown = np.asarray(Image.open(io.BytesIO(annotated_picture.draw(classifier, data)))).astype(int)
    below = annotated_picture.GAP + 3 * annotated_picture.LINE  # the answer, and a line for each
    width, height = Image.open(io.BytesIO(data)).size
    assert {view.subject for view in classifier.look(data)} == {0, 1}
    for place in (view.place for view in classifier.look(data)):
        x, y = (
            round((place.x + place.radius) * width) + annotated_picture.GAP,
            round(place.y * height - place.radius * width) + below,
        )
        beside = shown[y - 16 : y, x : x + 12].reshape(-1, 3)
        assert (np.abs(beside - YELLOW).max(axis=1) < 30).any()
