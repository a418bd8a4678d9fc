"""What the model card says, and what it does not say of a model that does not look at eyes."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from irisline.core import display_names
from irisline.dataset import shards
from irisline.evaluation import metrics, model_card
from irisline.evaluation.evaluate import Answers
from irisline.evaluation.model_card import Subject
from irisline.evaluation.per_class import OfClass
from irisline.evaluation.slices import Slice
from tests import planted

SECTIONS = [
    "Model details", "Intended use", "Metrics", "Factors", "Caveats and known failures", "Evaluation and training data",
    "Ethical considerations", "Build it again",
]  # fmt: skip
NUMBERS = {
    "error_rate": 0.25, "error_rate_low": 0.125, "error_rate_high": 0.5, "selective_risk": 1 / 3, "coverage": 0.6,
    "test_images": 4, "unsure_threshold": 0.85, "flip_rate": 0.015,
}  # fmt: skip


def made(crop: str) -> dict[str, Any]:
    return {
        "name": "fruit", "classes": ["red", "green"], "preprocess": {"crop": crop, "size": 64, "fit": "squash"},
        "arch": "resnet18", "init": "scratch", "epochs": 4, "digest": "0123456789abcdef", "data_pictures": "fedcba9876543210",
        "data_licences": {"CC0-1.0": 5, "own": 2}, "data_providers": {"drawn": 5, "folder": 2},
    }  # fmt: skip


def subject(crop: str = "eyes", **changes: Any) -> Subject:
    """Return a subject with five test pictures: one is wrong, surely so, one is unsure, one was not seen."""
    logits = np.array([[4.0, 0], [0, 4], [4, 0], [0, 1], [0, 0]])
    ids = [f"{name}/{number}.jpg" for number, name in enumerate(("red", "red", "red", "green", "green"))]
    unsure, seen = np.array([False, False, False, True, True]), np.array([True] * 4 + [False])
    test = Answers(ids, ids, np.array([0, 0, 0, 1, 1]), logits, seen, unsure, np.zeros(5))
    rows: list[shards.Row] = [
        {"label": label, "split": split, "provider": provider}
        for label, split, provider in [
            ("red", "train", "drawn"),
            ("red", "test", "drawn"),
            ("green", "train", "folder"),
        ]
    ]
    labels = [
        {"id": "red/7.jpg", "split": "train", "reviewed": "accept by ada", "suspect": False},
        {"id": "red/8.jpg", "split": "train", "reviewed": None, "suspect": True},
        {"id": "red/1.jpg", "split": "test", "reviewed": None, "suspect": True},
    ]
    sliced = [
        Slice("skin tone", "dark", 3, 1, 2),
        Slice("skin tone", "light", 12, 0, 12),
        Slice("light", "cold", 0, 0, 0),
    ]
    params = planted.settings(preprocess__crop=crop, evaluate__target_risk=0.05)
    classes = [OfClass("red", 3, 2, 2), OfClass("green", 1, 2, 1)]
    whole = Subject(params, made(crop), test, test.probabilities(), NUMBERS, classes, sliced, rows, labels)
    return replace(whole, **changes)


def sections(text: str) -> dict[str, str]:
    title, *parts = text.split("\n## ")
    assert title == "# Model card: fruit\n"
    return dict(part.split("\n", 1) for part in parts)


def test_the_card_has_its_sections_in_order_and_no_word_of_another_model() -> None:
    for crop in ("eyes", "none"):
        card = model_card.text(subject(crop))
        assert list(sections(card)) == SECTIONS
        assert not re.search(r"\b(blue|brown|grey|None|nan)\b", card)


def test_what_only_holds_of_eyes_is_said_only_of_eyes() -> None:
    ofeyes, whole = (sections(model_card.text(subject(crop))) for crop in ("eyes", "none"))
    for word in ("who someone is", "ethnicity", "surveillance", "decision about a person"):
        assert word in ofeyes["Intended use"]
    assert "a square around each eye, 64 pixels wide" in ofeyes["Model details"]
    whole.pop("Factors")  # facts of eyes that were planted
    assert not re.search(r"\beyes?\b|skin", "".join(whole.values()))


def test_numbers_come_with_their_meaning_and_interval_and_only_those_there_are() -> None:
    told = sections(model_card.text(subject()))["Metrics"]
    assert "| `error_rate` | wrong answers | 0.250 | 0.12 to 0.50 |" in told
    low, high = metrics.share_interval(3, 5)
    assert f"| `coverage` | answers that are not unsure | 0.600 | {low:.2f} to {high:.2f} |" in told
    low, high = metrics.share_interval(1, 3)
    assert f"| `selective_risk` | wrong among those that are not unsure | 0.333 | {low:.2f} to {high:.2f} |" in told
    recall, precision = (
        f"({low:.0%} to {high:.0%})" for low, high in (metrics.share_interval(2, 3), metrics.share_interval(2, 2))
    )
    assert f"| red | 3 | 1 | 67% {recall} | 100% {precision} |" in told
    assert "| `flip_rate` |" in told
    assert "expected_flip_rate" not in told
    assert "less confidence than 0.850 is unsure" in told


def test_a_card_of_a_hundred_classes_stays_readable() -> None:
    names = [f"class {number}" for number in range(102)]
    classes = [OfClass(name, 20, 20, 20 - number % 7) for number, name in enumerate(names)]
    pictures = [
        {"label": name, "split": "train", "provider": "folder"}
        for name in names
        for _ in range(9 if name in names[:90] else 5)
    ]
    told = sections(
        model_card.text(subject("none", made=made("none") | {"classes": names}, per_class=classes, pictures=pictures))
    )
    assert "one of 102 classes: class 0, class 1, " in told["Model details"]
    assert "class 19, and 82 more. It knows no other." in told["Model details"]
    assert "The 20 of 102 classes with most errors; `classes.csv` has all." in told["Metrics"]
    assert re.findall(r"^\| class (\d+) ", told["Metrics"], re.M)[:3] == ["6", "13", "20"]
    data = told["Evaluation and training data"]
    assert re.findall(r"^\| class (\d+) ", data, re.M) == [*map(str, range(8)), *map(str, range(90, 102))]
    assert "| all 102 classes, of which these have the fewest | 870 | 0 | 0 |" in data
    assert max(map(len, model_card.text(subject("none", made=made("none") | {"classes": names})).splitlines())) < 700


def test_a_name_of_a_class_is_just_words_in_the_card() -> None:
    names = ["<b>|`x`", "unsure"]
    told = model_card.text(subject("none", made=made("none") | {"classes": names}))
    assert display_names.markdown(names[0]) in told
    assert names[0] not in told
    assert "(98%, its label is suspect)" in told


def test_slices_say_how_many_pictures_they_are_of() -> None:
    told = sections(model_card.text(subject()))["Factors"]
    low, high = metrics.share_interval(1, 3)
    assert f"| skin tone | dark | 3, few | 33% ({low:.0%} to {high:.0%}) |" in told
    assert "| skin tone | light | 12 | 0% (0% to" in told
    assert "| light | cold | 0, few |  |  |" in told
    assert sections(model_card.text(subject(sliced=[])))["Factors"].strip() == (
        "No facts of these pictures were measured that they could be sliced by."
    )


def test_failures_are_counted_and_the_surest_is_named() -> None:
    told = sections(model_card.text(subject()))["Caveats and known failures"]
    assert "- Wrong answers: 1; with over 90% confidence: 1.\n" in told
    assert "- `red/1.jpg` is red, said green (98%, its label is suspect)" in told
    assert "- No eye found: 1 of 5, such as `green/4.jpg`.\n" in told
    assert "An eye that is none of red, green is called one of them" in told


def test_pictures_are_counted_by_class_split_licence_and_provider_and_drawn_ones_are_named() -> None:
    told = sections(model_card.text(subject()))["Evaluation and training data"]
    assert "| red | 1 | 0 | 1 |\n| green | 1 | 0 | 0 |" in told
    assert "Licences: CC0-1.0 5, own 2. Providers: drawn 5, folder 2." in told
    assert "2 of 3 are drawn by a program" in told
    assert (
        "a person reviewed 1. 1 of the training split are suspect and trained without variants; 0 of the validation split "
        "are, and do not count when temperature and threshold are fitted; 1 of the test split" in told
    )
    photographs = [row | {"provider": "folder"} for row in subject().pictures]
    assert "drawn by a program" not in model_card.text(subject(pictures=photographs))


@pytest.mark.parametrize(("policy", "said"), [("keep", "trained like the others"), ("drop", "left out")])
def test_what_is_done_with_suspects_is_what_params_say(policy: str, said: str) -> None:
    assert f"suspect and {said};" in model_card.text(subject(params=planted.settings(labels__suspects=policy)))
