"""Whether a training came to more than the commonest class, and what to try when it did not. Knows nothing of pictures."""

import math
from collections import Counter
from collections.abc import Sequence

from scipy.stats import binomtest

from irisline.core.params import Params
from irisline.training import schedule
from irisline.training.history import Epoch

CHANCE = 0.05  # of so few errors by luck: above it, a network is no better than a constant
FELL = 0.9  # of the loss of equal probabilities: above it, nothing was learnt


def warning(history: Sequence[Epoch], truth: Sequence[int], params: Params) -> str | None:
    """Return the line about a training that is not surely better on validation than its commonest class; None when it is.

    Truth holds the class numbers of the validation pictures. Surely: by the exact binomial test of its last epoch.
    """
    (commonest, right), count = Counter(truth).most_common(1)[0], len(truth)
    wrong, constant = history[-1]["error_rate"], 1 - right / count
    if binomtest(round(wrong * count), count, constant, alternative="less").pvalue < CHANCE:
        return None
    return (
        f"{'no' if wrong >= constant else 'hardly'} better than always saying {params.base.classes[commonest]}: {wrong:.1%} "
        f"wrong of {count} validation pictures against {constant:.1%}; {_advice(history, params)}"
    )


def _advice(history: Sequence[Epoch], params: Params) -> str:
    train, losses = params.train, [epoch["train_loss"] for epoch in history]
    faster, slower = (f"train.learning_rate {train.learning_rate * times:g}" for times in (10, 0.1))
    if losses[-1] > FELL * math.log(len(params.base.classes)):
        if schedule.fine_tunes(train) and train.init == "scratch":
            return "the loss never fell: try train.schedule one_cycle, for there are no weights to tune"
        if losses[-1] > 1.1 * min(losses):
            return f"the loss rose: try {slower}"
        return f"the loss never fell: try {faster} or {slower}, more train.epochs, a larger preprocess.size"
    if history[-1]["valid_loss"] > 1.1 * min(epoch["valid_loss"] for epoch in history):
        return "the loss fell on training pictures alone: try more pictures, more augment.variants, fewer train.epochs"
    return "the loss fell, but not far enough: try more train.epochs, a larger preprocess.size, or more pictures"
