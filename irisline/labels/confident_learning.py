"""How sure models that did not see a picture are of its label: confident learning on features, by cleanlab.

Small models judge: a picture of the training split by those that were fitted on the others of that split, the held-out ones
by those of the whole split, so that nothing held out has a say in what is trained. The models are fitted twice, the second
time without the labels that the first found wrong (Northcutt et al., Confident Learning, JAIR 70, 2021). Knows nothing of
pixels or of where features come from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from irisline.core import seeding
from irisline.dataset.shards import Row

COLUMNS = ("id", "label", "sha256", "split", "reviewed", "group")
"""Of accepted rows: what is needed to judge their labels."""

FOLDS, REPEATS = 5, 3
"""Each fold is judged by a model of the others; dividing anew and taking the mean keeps one division's luck out."""

SWAPPED = 0.1
"""Share of the training labels that are swapped on purpose, to try the judges."""

STRENGTH = 0.3
"""Inverse of the logistic regression's L2 penalty, on features of unit variance."""

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Mask = NDArray[np.bool_]
Names = NDArray[np.str_]


@dataclass(frozen=True)
class Quality:
    """Probabilities (n, classes) that pictures are of each class, and how often the models are right about the labels."""

    probabilities: Floats
    confidence: Floats  # the probability of the given label
    accuracy: float  # over the training split, mean over classes

    @property
    def suggested(self) -> Labels:
        """The likeliest class of each picture."""
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int64)


def of_rows(
    rows: Sequence[Row], features: Sequence[NDArray[np.float32] | None], classes: list[str], seed: int
) -> tuple[list[Row], float | None]:
    """Return accepted rows with suggested and confidence, null where they have no features, and the accuracy of the judges.

    All are null, and so is the accuracy, when the training split has too little to judge by.
    """
    seen = [number for number, found in enumerate(features) if found is not None]
    quality = _quality([rows[number] for number in seen], [features[number] for number in seen], classes, seed)
    given: dict[int, Row] = {}
    if quality:
        suggested = [classes[index] for index in quality.suggested]
        pairs = zip(suggested, quality.confidence.round(6).tolist(), strict=True)
        given = {
            number: {"suggested": name, "confidence": sure} for number, (name, sure) in zip(seen, pairs, strict=True)
        }
    nothing = {"suggested": None, "confidence": None}
    judged = [row | given.get(number, nothing) for number, row in enumerate(rows)]
    return judged, quality.accuracy if quality else None


def precision(
    rows: Sequence[Row],
    features: Sequence[NDArray[np.float32] | None],
    classes: list[str],
    seed: int,
    threshold: float,
) -> float | None:
    """Return how far suspects can be trusted: labels of the training split are swapped, and this share of its suspects was.

    The least it can be, for some suspects are wrong without that. None when nothing is judged or suspect. Which labels are
    swapped, and for which, is keyed by the picture.
    """
    swapped = {
        row["id"]: _another(row, classes, seed)
        for row in rows
        if row["split"] == "train" and seeding.unit(seed, "swap", row["sha256"]) < SWAPPED
    }
    tried = [row | {"label": swapped.get(row["id"], row["label"])} for row in rows]
    judged, _ = of_rows(tried, features, classes, seed)
    suspects = [
        row["id"]
        for row in judged
        if row["split"] == "train" and row["confidence"] is not None and row["confidence"] < threshold
    ]
    return sum(name in swapped for name in suspects) / len(suspects) if suspects else None


def judge(features: Floats, labels: Labels, groups: Names, training: Mask, seed: int) -> Quality | None:
    """Judge labels 0..n-1 by features (n, d); pictures of one group are never judged by one another.

    None when the training split has fewer than two classes, or groups of a class: then there is nothing to judge by.
    """
    own, names = labels[training], groups[training]
    folds = min([FOLDS, *(len(set(names[own == name])) for name in range(max(2, labels.max(initial=0) + 1)))])
    if folds < 2:
        return None
    found = _Data(features, labels, groups, training, folds, seed).cleaned_probabilities()
    right = found[training].argmax(axis=1) == own
    accuracy = float(np.mean([right[own == name].mean() for name in np.unique(own)]))
    return Quality(found, _confidence(labels, found), accuracy)


@dataclass(frozen=True)
class _Data:
    features: Floats
    labels: Labels
    groups: Names
    training: Mask
    folds: int
    seed: int

    def cleaned_probabilities(self) -> Floats:
        """Return the probabilities by models that were fitted without the labels that the first models found wrong."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):  # small models: threads would wait for each other, and round each in their own way
            sound = np.ones(len(self.labels), dtype=bool)
            first = self.probabilities(sound)[self.training]
            sound[self.training] = ~_issues(self.labels[self.training], first)
            return self.probabilities(sound)

    def probabilities(self, sound: Mask) -> Floats:
        """Return the mean probabilities of models fitted on sound labels of the training split."""
        total = np.zeros((len(self.labels), self.labels.max() + 1))
        inside, outside = np.flatnonzero(self.training), np.flatnonzero(~self.training)
        if len(outside):
            total[outside] = REPEATS * self._fitted(inside[sound[inside]], outside)
        for repeat in range(REPEATS):
            for kept, judged in self._divided(repeat, inside):
                total[judged] += self._fitted(kept[sound[kept]], judged)
        return total / REPEATS

    def _divided(self, repeat: int, inside: Labels) -> Iterator[tuple[Labels, Labels]]:
        from sklearn.model_selection import StratifiedGroupKFold

        folds = StratifiedGroupKFold(self.folds, shuffle=True, random_state=(self.seed + repeat) % 2**32)
        for kept, judged in folds.split(inside, self.labels[inside], self.groups[inside]):
            yield inside[kept], inside[judged]

    def _fitted(self, kept: Labels, judged: Labels) -> Floats:
        """Return the probabilities of some by a model of others, in which each class weighs the same."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        known = np.unique(self.labels[kept])
        found = np.zeros((len(judged), self.labels.max() + 1))
        if len(known) == 1:  # the others were all unsound
            found[:, known] = 1.0
            return found
        model = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=2000, class_weight="balanced"))
        model.fit(self.features[kept], self.labels[kept])
        found[:, known] = model.predict_proba(self.features[judged])
        return found


def _another(row: Row, classes: list[str], seed: int) -> str:
    others = [name for name in classes if name != row["label"]]
    return seeding.pick(seeding.generator(seed, "another", row["sha256"]), others)


def _quality(rows: list[Row], features: list[Any], classes: list[str], seed: int) -> Quality | None:
    if not rows:
        return None
    labels = np.array([classes.index(row["label"]) for row in rows], dtype=np.int64)
    groups, training = np.array([row["group"] for row in rows]), np.array([row["split"] == "train" for row in rows])
    return judge(np.stack(features).astype(np.float64), labels, groups, training, seed)


def _issues(labels: Labels, probabilities: Floats) -> Mask:
    from cleanlab.filter import find_label_issues

    found: Mask = find_label_issues(labels, probabilities, filter_by="prune_by_noise_rate", n_jobs=1)
    return found


def _confidence(labels: Labels, probabilities: Floats) -> Floats:
    from cleanlab.rank import get_label_quality_scores

    scores: Floats = get_label_quality_scores(labels, probabilities, method="self_confidence")
    return scores
