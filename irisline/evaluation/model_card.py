"""The model card of the workspace's model: what it is, what it is for and not for, on whose pictures, how well, and where not.

In the sections of Mitchell et al. 2019, Model Cards for Model Reporting. What holds of a domain alone is said by it.
Markdown; knows nothing of MLflow nor of how a number was measured.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from irisline.core import display_names, paths
from irisline.core.bounded import plain_files
from irisline.core.domain import CardText
from irisline.core.params import Params
from irisline.dataset import shards
from irisline.domains import card_text, wording
from irisline.evaluation import slices
from irisline.evaluation.evaluate import Answers
from irisline.evaluation.metrics import share_interval
from irisline.evaluation.slices import Slice
from irisline.inference.calibration import Floats

FILE = "model_card.md"
SPLITS = ("train", "valid", "test")
SHOWN_ERRORS = 5
SURE = 0.9  # confidence of an answer that nobody would doubt

MEANT = "To sort pictures where a person can look again and a mistake harms nobody; to learn how such a model is made."
TAKE_DOWN = "`irisline take-down` removes a picture for good and names every version that was made from it."

MEANINGS = {
    "error_rate": "wrong answers",
    "selective_risk": "wrong among those that are not unsure",
    "coverage": "answers that are not unsure",
    "ece": "expected calibration error",
    "ece_uncalibrated": "the same before temperature scaling",
    "log_loss": "nats",
    "brier": "0 to 2",
    "roc_auc": "area under the ROC curve",
    "out_of_distribution": "pictures unlike all it was trained on, which makes them unsure",
    "flip_rate": "answers that change with what must not matter",
    "background_flip_rate": "of those with another background",
    "lost_rate": "perturbed pictures in which nothing was found any more, of all of them",
    "expected_flip_rate": "answers that follow a picture changed towards another class",
}


@dataclass(frozen=True)
class Subject:
    """What a card tells of: a model.json, answers on the test split with their probabilities and numbers, the pictures."""

    params: Params
    made: dict[str, Any]
    test: Answers
    probabilities: Floats
    numbers: dict[str, float]
    sliced: Sequence[Slice]
    pictures: Sequence[shards.Row]
    labels: Sequence[shards.Row]

    @property
    def told(self) -> CardText:
        """What the domain adds."""
        return card_text.OF[self.made["preprocess"]["crop"]]


def of_workspace(
    params: Params, test: Answers, temperature: float, numbers: dict[str, float], sliced: Sequence[Slice]
) -> str:
    """Return the card of the model in artifacts/train/, by its answers on the test split; raise MissingInput without labels."""
    pictures = list(shards.stream(paths.ACCEPTED, ["label", "split", "provider", "licence"]))
    labels = list(shards.stream(paths.LABELLED, ["id", "split", "reviewed", "suspect"]))
    made = json.loads(plain_files.read(paths.TRAINED / "model.json"))
    return text(Subject(params, made, test, test.probabilities(temperature), numbers, sliced, pictures, labels))


def text(subject: Subject) -> str:
    """Return the card as Markdown."""
    parts = {
        "Model details": _details(subject.made, subject.told.looks_at),
        "Intended use": _list(MEANT, *subject.told.intended_use),
        "Metrics": _metrics(subject),
        "Factors": _factors(subject),
        "Caveats and known failures": _failures(subject),
        "Evaluation and training data": _data(subject),
        "Ethical considerations": _list(*subject.told.ethics, TAKE_DOWN),
        "Build it again": _rebuild(subject),
    }
    title = f"# Model card: {subject.made['name']}\n"
    return "\n".join([title, *(f"## {name}\n\n{body}\n" for name, body in parts.items())])


def _details(made: dict[str, Any], seen: str) -> str:
    return _list(
        f"Says of a picture: {' or '.join(made['classes'])}; or `unsure`, with the reason. It knows no other class.",
        f"Looks at {seen}, {made['preprocess']['size']} pixels wide.",
        f"{made['arch']}, started from {made['init']}, {made['epochs']} epochs (`params.yaml` has the whole recipe).",
        f"Digest of the weights, as `model.json` has it: `{made['digest'][:12]}`.",
    )


def _metrics(subject: Subject) -> str:
    numbers, test = subject.numbers, subject.test
    given = ~test.unsure
    counted = {
        "coverage": share_interval(int(given.sum()), len(test.ids)),
        "selective_risk": share_interval(int(test.wrong[given].sum()), int(given.sum())),
    }
    recalls = {f"recall_{name}": f"pictures of {name} that are called so" for name in subject.made["classes"]}
    rows = []
    for name, meaning in (MEANINGS | recalls).items():
        if name in numbers:
            ends = counted.get(name, (numbers.get(f"{name}_low"), numbers.get(f"{name}_high")))
            rows.append((f"`{name}`", meaning, f"{numbers[name]:.3f}", _span(*ends)))
    spoken = (
        f"On {numbers['test_images']:.0f} pictures of the test split, which was measured once. An answer with less confidence "
        f"than {numbers['unsure_threshold']:.3f} is unsure: chosen so that of validation pictures with more at most "
        f"{subject.params.evaluate.target_risk:g} were answered wrong, where there is such a confidence."
    )
    return spoken + "\n\n" + _table(("metric", "of what", "value", "95 % interval"), rows)


def _factors(subject: Subject) -> str:
    if not subject.sliced:
        return "No facts of these pictures were measured that they could be sliced by."
    rows = [
        (each.by, each.name, f"{each.pictures}{', few' if each.few else ''}", *_shares(each)) for each in subject.sliced
    ]
    return (
        "Test pictures by what `validate` measures of them, with 95 % intervals (Wilson). Fewer than "
        f"{slices.FEW} pictures say hardly anything.\n\n"
        + _table(("by", "slice", "pictures", "error rate", "answered"), rows)
    )


def _shares(each: Slice) -> list[str]:
    if not each.pictures:
        return ["", ""]
    told = ((count / each.pictures, *share_interval(count, each.pictures)) for count in (each.wrong, each.answered))
    return [f"{share:.0%} ({low:.0%} to {high:.0%})" for share, low, high in told]


def _failures(subject: Subject) -> str:
    test, confidence = subject.test, subject.probabilities.max(axis=1)
    wrong = np.flatnonzero(test.wrong & test.seen)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:SHOWN_ERRORS]
    predicted, classes = subject.probabilities.argmax(axis=1), subject.made["classes"]
    sure = int((confidence[wrong] > SURE).sum())
    suspects = {row["id"] for row in subject.labels if row["suspect"]}
    blind = [display_names.code(test.ids[at]) for at in np.flatnonzero(~test.seen)]
    nothing = wording.OF[subject.made["preprocess"]["crop"]].nothing_found.capitalize()
    return _list(
        f"Wrong answers: {len(wrong)}; with over {SURE:.0%} confidence: {sure}.",
        *(
            f"{display_names.code(test.ids[at])} is {classes[test.truth[at]]}, said {classes[predicted[at]]} "
            f"({confidence[at]:.0%}{', unsure' if test.unsure[at] else ''}"
            f"{', its label is suspect' if test.ids[at] in suspects else ''})"
            for at in worst
        ),
        *([f"{nothing}: {len(blind)} of {len(test.ids)}, such as {', '.join(blind[:SHOWN_ERRORS])}."] if blind else []),
        *(line.format(classes=", ".join(classes)) for line in subject.told.known_failures),
    )


def _data(subject: Subject) -> str:
    counts = Counter((row["label"], row["split"]) for row in subject.pictures)
    rows = [(name, *(counts[name, split] for split in SPLITS)) for name in subject.made["classes"]]
    reviewed = sum(row["reviewed"] is not None for row in subject.labels)
    suspects = Counter(row["split"] for row in subject.labels if row["suspect"])
    policy = {"keep": "trained like the others", "down_weight": "trained without variants", "drop": "left out"}
    drawn = sum(row["provider"] == "drawn" for row in subject.pictures)
    doubt = f"{drawn} of {len(subject.pictures)} are drawn by a program: numbers on them say less of photographs."
    return (
        _table(("pictures", *SPLITS), rows)
        + "\n\n"
        + _list(
            f"Licences: {_counted(subject.made['data_licences'])}. Providers: {_counted(subject.made['data_providers'])}.",
            *([doubt] if drawn else []),
            f"Labels: a person reviewed {reviewed}. {suspects['train']} of the training split are suspect and "
            f"{policy[subject.params.labels.suspects]}; {suspects['valid']} of the validation split are, and "
            f"{'count' if subject.params.labels.suspects == 'keep' else 'do not count'} when temperature and threshold are "
            f"fitted; {suspects['test']} of the test split are, and count as given.",
            "Near-duplicates are in one split; variants are made of training pictures alone.",
        )
    )


def _rebuild(subject: Subject) -> str:
    return (
        "`irisline lineage V` names the commit, `dvc.lock` and the pool that version V was made from. Then\n\n"
        "```\ngit checkout COMMIT\ndvc pull data.dvc\nmake repro\n```\n\n"
        f"Seed {subject.params.base.seed}; pictures `{subject.made['data_pictures'][:12]}`."
    )


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{display_names.markdown(name)} {count}" for name, count in counts.items())


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.2f} to {high:.2f}"


def _list(*lines: str) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
