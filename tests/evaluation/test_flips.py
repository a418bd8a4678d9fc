"""Answers on perturbed pictures: what is a flip, what is lost, and the shares with their intervals."""

import pytest

from irisline.evaluation import flips
from irisline.evaluation.flips import Asked, Flips
from irisline.eyes.perturbations import BACKGROUND, RECOLOUR


def asked(perturbation: str, *said: str | None, wanted: str = "blue") -> list[Asked]:
    return [Asked(f"{number}.jpg", perturbation, "blue", wanted, each) for number, each in enumerate(said)]


def test_another_answer_is_a_flip_and_none_is_lost() -> None:
    assert [each.flipped for each in asked("mirror", "blue", "brown", None)] == [False, True, False]


def test_recoloured_irises_flip_to_their_new_colour_only() -> None:
    said = asked(RECOLOUR, "blue", "brown", "green", None, wanted="brown")
    assert [each.flipped for each in said] == [False, True, False, False]


def test_the_shares_are_of_answers_and_the_iris_counts_apart() -> None:
    found = flips.measure(
        asked("mirror", "blue", "brown", None, None)
        + asked("blue_surroundings", *["blue"] * 8)
        + asked(RECOLOUR, *["brown"] * 3, None, wanted="brown"),
        BACKGROUND,
    )
    assert found == {
        "flips_mirror": 0.5,
        "flips_blue_surroundings": 0.0,
        "flip_rate": 0.1,
        "background_flip_rate": 0.0,
        "expected_flip_rate": 1.0,
        "expected_flip_rate_low": pytest.approx(0.4385, abs=1e-4),  # Wilson's interval of 3 of 3
        "expected_flip_rate_high": 1.0,
        "lost_rate": 3 / 16,
    }


def test_without_answers_there_are_no_shares() -> None:
    assert flips.measure([], BACKGROUND) == {}
    assert flips.measure(asked("mirror", None), BACKGROUND) == {"lost_rate": 1.0}
    assert flips.of_each(asked("mirror", None) + asked("jpeg", "blue", None)) == {"jpeg": Flips(1, 0, 1)}


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (
            {"flip_rate": 0.01, "expected_flip_rate": 0.975},
            "1.0% of answers flip when what must not matter is changed, 97.5% when what must matter is",
        ),
        ({"flip_rate": 0.0}, "0.0% of answers flip when what must not matter is changed"),
        ({}, "no picture was perturbed"),
    ],
    ids=["eyes", "no eyes", "nothing"],
)
def test_a_sentence_says_it(numbers: dict[str, float], said: str) -> None:
    assert flips.sentence(numbers) == said
