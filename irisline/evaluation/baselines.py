"""How often simpler means are wrong on the test pictures: whoever trains a network should know what it is worth.

Fitted on the training pictures that answers are compared with, measured on the test pictures: the commonest class for every
picture, the nearest training picture and a linear model by the network's own features, and a linear model that sees colours
and a thumbnail. Knows nothing of files or of the gate.
"""

import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from irisline.dataset import shards
from irisline.evaluation import evaluate
from irisline.evaluation.metrics import share_interval
from irisline.inference.classifier import Classifier
from irisline.inference.out_of_distribution import Gallery

WHAT: Mapping[str, str] = MappingProxyType(
    {
        "baseline_constant": "the commonest class for all",
        "baseline_nearest_neighbour": "the nearest training picture by the network's features",
        "baseline_linear": "a linear model on the network's features",
        "baseline_simple": "a linear model on colours and a thumbnail",
    }
)
"""What each is, by the name of its error rate in metrics.json."""

LEVELS = 6  # of each band in the histogram of colours
CELLS = 8  # of the thumbnail's side
STRENGTH = 0.3  # inverse of the L2 penalty, on features of unit variance
ROUNDS = 200  # of fitting, at most: a baseline may not take long

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pictures:
    """Pictures in the order of their ids: labels, what the network reads of them (n, d), simple features (n, k)."""

    labels: NDArray[np.str_]
    features: Floats
    simple: Floats

    @classmethod
    def of(cls, gallery: Gallery) -> Self:
        """Return the pictures of a gallery; of one with several squares, the mean of each feature."""
        ids, first, own = np.unique(np.array(gallery.ids), return_index=True, return_inverse=True)
        simple = np.stack([_simple(thumbnail) for thumbnail in gallery.thumbnails])
        count = np.bincount(own, minlength=len(ids))[:, None]
        features, simple = (_sums(own, each, len(ids)) / count for each in (gallery.features, simple))
        return cls(np.array(gallery.labels)[first], features, simple)


def measure(classifier: Classifier, folder: Path, seed: int) -> dict[str, float]:
    """Return the error rate of each baseline on the test split of a folder of rows, with _low and _high, its 95 % interval."""
    from threadpoolctl import threadpool_limits

    assert classifier.reader.gallery is not None  # evaluate has gathered it
    train = Pictures.of(classifier.reader.gallery)
    test = Pictures.of(evaluate.gather(classifier, shards.of_split(folder, "test"), seed))
    names, counts = np.unique(train.labels, return_counts=True)
    with threadpool_limits(1):  # small models: threads would wait for each other, and round each in their own way
        said = {
            "baseline_constant": np.full(len(test.labels), names[counts.argmax()]),
            "baseline_nearest_neighbour": train.labels[(test.features @ train.features.T).argmax(axis=1)],
            "baseline_linear": _linear(train.features, train.labels, test.features),
            "baseline_simple": _linear(train.simple, train.labels, test.simple),
        }
    found: dict[str, float] = {}
    for name, answers in said.items():
        wrong = int((answers != test.labels).sum())
        low, high = share_interval(wrong, len(test.labels))
        found |= {name: wrong / len(test.labels), f"{name}_low": low, f"{name}_high": high}
    return found


def sentence(numbers: Mapping[str, float]) -> str:
    """Say how often each is wrong, and which are better than the network."""
    told = ", ".join(f"{what} {numbers[name]:.1%}" for name, what in WHAT.items() if name in numbers)
    return f"baselines are wrong with {told}" + "".join(f"; {line}" for line in warning(numbers))


def warning(numbers: Mapping[str, float]) -> Sequence[str]:
    """Return the line about the best baseline that is better than the network; none where the network is the best."""
    better = [name for name in WHAT if numbers.get(name, 1.0) < numbers["error_rate"]]
    return [_of_better(name, numbers) for name in sorted(better, key=lambda name: numbers[name])[:1]]


def _of_better(name: str, numbers: Mapping[str, float]) -> str:
    meet = numbers[f"{name}_high"] >= numbers["error_rate_low"]
    return (
        f"{WHAT[name]} is better than the network here: {numbers[name]:.1%} wrong (95 % interval "
        f"{numbers[f'{name}_low']:.1%} to {numbers[f'{name}_high']:.1%}) against {numbers['error_rate']:.1%}"
        + (", though the intervals meet" if meet else "")
    )


def _sums(own: NDArray[np.intp], rows: NDArray[np.floating], count: int) -> Floats:
    found = np.zeros((count, rows.shape[1]))
    np.add.at(found, own, rows)
    return found


def _simple(thumbnail: bytes) -> Floats:
    """Return the colours of a small JPEG as a histogram (LEVELS³,), square roots of shares, and of its cells (CELLS² * 3,)."""
    with Image.open(io.BytesIO(thumbnail), formats=["JPEG"]) as stored:
        picture = stored.convert("RGB")
    levels = np.asarray(picture).reshape(-1, 3).astype(int) * LEVELS // 256
    counts = np.bincount(levels @ np.array([LEVELS**2, LEVELS, 1]), minlength=LEVELS**3)
    cells = np.asarray(picture.resize((CELLS, CELLS), Image.Resampling.BOX), dtype=float) / 255
    return np.concatenate([np.sqrt(counts / counts.sum()), cells.ravel()])


def _linear(known: Floats, labels: NDArray[np.str_], asked: Floats) -> NDArray[np.str_]:
    """Return the answers of a logistic regression in which each class weighs the same."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=ROUNDS, class_weight="balanced"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(known, labels)
    return np.asarray(model.predict(asked))
