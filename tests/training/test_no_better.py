"""A training that came to nothing says so, and what to try; one that learnt is left alone."""

import math

import pytest

from irisline.training import no_better
from irisline.training.history import Epoch
from tests import planted

TRUTH = [0] * 26 + [1] * 24
EVEN = math.log(2)


def epoch(train_loss: float, error_rate: float, valid_loss: float = 0.7) -> Epoch:
    return {"train_loss": train_loss, "valid_loss": valid_loss, "error_rate": error_rate}


def said(*history: Epoch, **params: object) -> str | None:
    return no_better.warning(history, TRUTH, planted.settings(train__learning_rate=0.001, **params))


def test_a_training_that_learnt_is_left_alone() -> None:
    assert said(epoch(0.6, 0.3), epoch(0.2, 0.1)) is None
    assert said(epoch(0.6, 0.3)) is None


def test_one_answer_for_all_is_named_with_what_to_try() -> None:
    assert said(epoch(EVEN, 0.5), epoch(EVEN, 0.48)) == (
        "no better than always saying blue: 48.0% wrong of 50 validation pictures against 48.0%; the loss never fell: try "
        "train.learning_rate 0.01 or train.learning_rate 0.0001, more train.epochs, a larger preprocess.size"
    )


def test_a_few_lucky_answers_are_no_proof() -> None:
    assert (said(epoch(EVEN, 0.46)) or "").startswith("hardly better than always saying blue: 46.0% wrong")


@pytest.mark.parametrize(
    ("history", "params", "advice"),
    [
        ([epoch(EVEN, 0.5)], {"train__schedule": "fine_tune"}, "the loss never fell: try train.schedule one_cycle"),
        ([epoch(EVEN, 0.5), epoch(3.0, 0.5)], {}, "the loss rose: try train.learning_rate 0.0001"),
        (
            [epoch(0.5, 0.5, 0.7), epoch(0.1, 0.5, 1.9)],
            {},
            "the loss fell on training pictures alone: try more pictures, more augment.variants, fewer train.epochs",
        ),
        ([epoch(0.65, 0.5), epoch(0.6, 0.5)], {}, "the loss fell, but not far enough: try more train.epochs"),
    ],
    ids=["tuned from nothing", "rose", "learnt by heart", "too short"],
)
def test_the_advice_follows_what_was_seen(history: list[Epoch], params: dict[str, str], advice: str) -> None:
    assert f"; {advice}" in (said(*history, **params) or "")
