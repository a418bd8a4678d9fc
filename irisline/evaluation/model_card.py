"""The model card of the workspace's model: what it is, what it is for and not for, on whose pictures, how well, and where not.

In the sections of Mitchell et al. 2019, Model Cards for Model Reporting. What holds of a domain alone is said by it.
Markdown; knows nothing of MLflow nor of how a number was measured.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from irisline.core import class_names, display_names, paths
from irisline.core.bounded import plain_files
from irisline.core.domain import CardText
from irisline.core.params import Params
from irisline.dataset import shards
from irisline.domains import card_text, wording
from irisline.evaluation import baselines, forest, markdown, metrics, per_class
from irisline.evaluation.evaluate import Answers
from irisline.evaluation.metrics import share_interval
from irisline.evaluation.per_class import OfClass, Share
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
    **{name: f"wrong answers of {what}" for name, what in baselines.WHAT.items()},
}


@dataclass(frozen=True)
class Subject:
    """What a card tells of: a model.json, answers on the test split with their probabilities and numbers, the pictures."""

    params: Params
    made: dict[str, Any]
    test: Answers
    probabilities: Floats
    numbers: dict[str, float]
    per_class: Sequence[OfClass]
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
    seen = test.of_seen()
    classes = per_class.of(
        metrics.confusion(seen.logits.argmax(axis=1), seen.truth, seen.logits.shape[1]), params.base.classes
    )
    pictures = list(shards.stream(paths.ACCEPTED, ["label", "split", "provider", "licence"]))
    labels = list(shards.stream(paths.LABELLED, ["id", "split", "reviewed", "suspect"]))
    made = json.loads(plain_files.read(paths.TRAINED / "model.json"))
    return text(
        Subject(params, made, test, test.probabilities(temperature), numbers, classes, sliced, pictures, labels)
    )


def text(subject: Subject) -> str:
    """Return the card as Markdown."""
    parts = {
        "Model details": _details(subject.made, subject.told.looks_at),
        "Intended use": markdown.listed(MEANT, *subject.told.intended_use),
        "Metrics": _metrics(subject),
        "Factors": _factors(subject),
        "Caveats and known failures": _failures(subject),
        "Evaluation and training data": _data(subject),
        "Ethical considerations": markdown.listed(*subject.told.ethics, TAKE_DOWN),
        "Build it again": _rebuild(subject),
    }
    title = f"# Model card: {subject.made['name']}\n"
    return "\n".join([title, *(f"## {name}\n\n{body}\n" for name, body in parts.items())])


def _details(made: dict[str, Any], seen: str) -> str:
    return markdown.listed(
        f"Answers with one of {len(made['classes'])} classes: {_names(made)}. It knows no other.",
        "Marks an answer as `unsure`, with the reason, when it is better not relied upon.",
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
    rows = []
    for name, meaning in MEANINGS.items():
        if name in numbers:
            ends = counted.get(name, (numbers.get(f"{name}_low"), numbers.get(f"{name}_high")))
            rows.append((f"`{name}`", meaning, f"{numbers[name]:.3f}", markdown.between(*ends)))
    spoken = (
        f"On {numbers['test_images']:.0f} pictures of the test split, which was measured once. An answer with less confidence "
        f"than {numbers['unsure_threshold']:.3f} is unsure: chosen so that of validation pictures with more at most "
        f"{subject.params.evaluate.target_risk:g} were answered wrong, where there is such a confidence."
    )
    measured = markdown.table(("metric", "of what", "value", "95 % interval"), rows)
    return "\n\n".join([spoken, measured, _of_classes(subject.per_class)])


def _of_classes(found: Sequence[OfClass]) -> str:
    """Return the numbers of the classes with most errors."""
    worst = per_class.worst(found)
    rows = [
        (display_names.markdown(each.name), each.pictures, each.wrong, _ranged(each.recall), _ranged(each.precision))
        for each in worst
    ]
    head = ("class", "pictures", "called another", "recall (95 % interval)", "precision (95 % interval)")
    rest = f"The {len(worst)} of {len(found)} classes with most errors; `{per_class.TABLE}` has all.\n\n"
    return (rest if len(worst) < len(found) else "") + markdown.table(head, rows)


def _factors(subject: Subject) -> str:
    if not subject.sliced:
        return "No facts of these pictures were measured that they could be sliced by."
    rows = [
        (each.by, each.name, f"{each.pictures}{', few' if each.few else ''}", *_shares(each)) for each in subject.sliced
    ]
    return (
        "Test pictures by what `validate` measures of them, with 95 % intervals (Wilson). Fewer than "
        f"{forest.FEW} pictures say hardly anything.\n\n"
        + markdown.table(("by", "slice", "pictures", "error rate", "answered"), rows)
    )


def _shares(each: Slice) -> list[str]:
    if not each.pictures:
        return ["", ""]
    told = ((count / each.pictures, *share_interval(count, each.pictures)) for count in (each.wrong, each.answered))
    return [_ranged(share) for share in told]


def _ranged(told: Share) -> str:
    share, low, high = told
    return f"{share:.0%} ({low:.0%} to {high:.0%})"


def _failures(subject: Subject) -> str:
    test, confidence = subject.test, subject.probabilities.max(axis=1)
    wrong = np.flatnonzero(test.wrong & test.seen)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:SHOWN_ERRORS]
    predicted, classes = (
        subject.probabilities.argmax(axis=1),
        [display_names.markdown(each) for each in subject.made["classes"]],
    )
    sure = int((confidence[wrong] > SURE).sum())
    suspects = {row["id"] for row in subject.labels if row["suspect"]}
    blind = [display_names.code(test.ids[at]) for at in np.flatnonzero(~test.seen)]
    nothing = wording.OF[subject.made["preprocess"]["crop"]].nothing_found.capitalize()
    return markdown.listed(
        *(f"{line[0].upper()}{line[1:]}." for line in baselines.warning(subject.numbers)),
        f"Wrong answers: {len(wrong)}; with over {SURE:.0%} confidence: {sure}.",
        *(
            f"{display_names.code(test.ids[at])} is {classes[test.truth[at]]}, said {classes[predicted[at]]} "
            f"({confidence[at]:.0%}{', unsure' if test.unsure[at] else ''}"
            f"{', its label is suspect' if test.ids[at] in suspects else ''})"
            for at in worst
        ),
        *([f"{nothing}: {len(blind)} of {len(test.ids)}, such as {', '.join(blind[:SHOWN_ERRORS])}."] if blind else []),
        *(line.format(classes=_names(subject.made)) for line in subject.told.known_failures),
    )


def _data(subject: Subject) -> str:
    counts = Counter((row["label"], row["split"]) for row in subject.pictures)
    classes = sorted(subject.made["classes"], key=lambda name: counts[name, "train"])[: per_class.SHOWN]
    shown = [name for name in subject.made["classes"] if name in classes]
    rows = [(display_names.markdown(name), *(counts[name, split] for split in SPLITS)) for name in shown]
    if len(shown) < len(subject.made["classes"]):
        every = (sum(counts[name, split] for name in subject.made["classes"]) for split in SPLITS)
        rows.append((f"all {len(subject.made['classes'])} classes, of which these have the fewest", *every))
    reviewed = sum(row["reviewed"] is not None for row in subject.labels)
    suspects = Counter(row["split"] for row in subject.labels if row["suspect"])
    policy = {"keep": "trained like the others", "down_weight": "trained without variants", "drop": "left out"}
    drawn = sum(row["provider"] == "drawn" for row in subject.pictures)
    doubt = f"{drawn} of {len(subject.pictures)} are drawn by a program: numbers on them say less of photographs."
    return (
        markdown.table(("pictures", *SPLITS), rows)
        + "\n\n"
        + markdown.listed(
            f"Licences: {markdown.counted(subject.made['data_licences'])}. "
            f"Providers: {markdown.counted(subject.made['data_providers'])}.",
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


def _names(made: dict[str, Any]) -> str:
    return class_names.some([display_names.markdown(name) for name in made["classes"]])
