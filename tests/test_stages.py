"""Each stage on a planted pool in a folder of its own: what it reads, what it leaves, and what it never does."""

import json
from pathlib import Path

import pytest
import yaml
from PIL import Image

from irisline.collection.drawn_pool import draw_pool
from irisline.core import paths
from irisline.core.errors import DataError, MissingInput, ModelError
from irisline.dataset import shards, training_set
from irisline.eyes.columns import COLUMNS
from irisline.inference.classifier import Classifier
from irisline.labels import decisions as label_patches
from irisline.labels.decisions import Patch
from irisline.networks import bundle
from irisline.release.publishing import run_contents
from irisline.training import training
from pipelines.augment import augment
from pipelines.collect import collect
from pipelines.evaluate import evaluate
from pipelines.labels import labels
from pipelines.publish import publish
from pipelines.train import train
from pipelines.validate import validate
from tests import planted
from tests.hostile_names import HOSTILE
from tests.planted import CLASSES, picture, saved

SETTINGS = planted.settings(
    preprocess__size=32, train__arch="mobilenet_v3_small", train__epochs=2, train__batch_size=8, train__device="cpu",
    evaluate__bootstrap_samples=100, evaluate__golden_images=4, collect__shard_rows=8,
)  # fmt: skip


@pytest.fixture
def pool(project: Path) -> Path:
    for label in CLASSES:
        (project / "data" / label).mkdir(parents=True)
        for number in range(12):
            (project / "data" / label / f"{number:02d}.jpg").write_bytes(saved(picture(label, number)))
    (project / "params.yaml").write_text(yaml.safe_dump(SETTINGS.model_dump(by_alias=True)))
    return project / "data"


def accept_collected() -> list[shards.Row]:
    """Accept what was collected, in turn 8 to train, 2 to valid and 2 to test of each class."""
    splits = ["train"] * 8 + ["valid"] * 2 + ["test"] * 2
    rows = collected()
    for label in CLASSES:
        for row, split in zip((row for row in rows if row["label"] == label), splits, strict=True):
            row.update(split=split, group=row["sha256"])
    shards.write(paths.ACCEPTED, shards.ACCEPTED, 8, rows)
    return rows


def collected() -> list[shards.Row]:
    """Return what was collected and can be read, with the columns that an accepted row has too."""
    return [
        {name: row[name] for name in shards.ACCEPTED.names if name in row}
        for row in shards.stream(paths.COLLECTED)
        if row["reason"] is None
    ]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()
    }


def untimed(folder: Path) -> dict[str, bytes]:
    """Return the files of a report but the one that a stopwatch has a say in."""
    return {name: data for name, data in contents(folder).items() if name != "precision.json"}


def test_collect_keeps_every_file_as_a_row(pool: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pool / "blue" / "broken.jpg").write_bytes(b"<html>gone</html>")
    before = contents(pool)
    collect(SETTINGS)
    rows = list(shards.stream(paths.COLLECTED))
    assert [row["id"] for row in rows] == sorted(name for name in before)
    assert {row["id"]: row["reason"] for row in rows if row["reason"]} == {
        "blue/broken.jpg": "not a JPEG, PNG or WebP picture"
    }
    assert json.loads((paths.COLLECT_REPORT / "metrics.json").read_text()) == {
        "images": 25,
        "unreadable": 1,
        "patched": 0,
        "lines_without_picture": 0,
    }
    assert len(list(paths.COLLECTED.iterdir())) == 4
    assert contents(pool) == before
    assert capsys.readouterr().out == "collect: 25 images, 1 unreadable, in artifacts/collect/\n"


@pytest.mark.parametrize("workers", [1, 2])
def test_collect_writes_the_same_bytes_again(pool: Path, workers: int) -> None:
    collect(SETTINGS)
    first = contents(paths.COLLECTED)
    collect(planted.settings(execution__workers=workers, collect__shard_rows=8))
    assert contents(paths.COLLECTED) == first


def test_a_collect_that_fails_leaves_the_last_one(pool: Path) -> None:
    collect(SETTINGS)
    first = contents(paths.COLLECTED)
    (pool / "hazel").mkdir()
    with pytest.raises(DataError, match=r"data/hazel/: not one of base.classes"):
        collect(SETTINGS)
    assert contents(paths.COLLECTED) == first


def test_augment_makes_variants_of_training_pictures_and_of_no_other(pool: Path) -> None:
    collect(SETTINGS)
    split_of = {row["sha256"]: row["split"] for row in accept_collected()}
    augment(SETTINGS)
    made = list(shards.stream(paths.AUGMENTED))
    assert len(made) == 16 * SETTINGS.augment.variants
    assert {split_of[row["sha256"]] for row in made} == {"train"}
    ids = {row["id"] for row in shards.of_split(paths.ACCEPTED, "valid")} | {
        row["id"] for row in shards.of_split(paths.ACCEPTED, "test")
    }
    assert len(ids) == 8
    assert not ids & {row["id"] for row in made}
    assert json.loads((paths.AUGMENT_REPORT / "metrics.json").read_text()) == {"variants": 48}
    with Image.open(paths.AUGMENT_REPORT / "variants.png") as sheet:
        assert sheet.format == "PNG"
    first = contents(paths.AUGMENTED)
    augment(planted.settings(execution__workers=2, collect__shard_rows=8))
    assert contents(paths.AUGMENTED) == first


def test_no_variants_are_an_empty_table(pool: Path) -> None:
    collect(SETTINGS)
    accept_collected()
    labels(SETTINGS)
    augment(planted.settings(augment__variants=0))
    assert shards.count(paths.AUGMENTED) == 0
    training_samples, validation = training.load(SETTINGS)
    assert (len(training_samples), len(validation)) == (16, 4)


def test_collect_does_what_people_decided_about_labels(pool: Path, capsys: pytest.CaptureFixture[str]) -> None:
    collect(SETTINGS)
    digests = {row["id"]: row["sha256"] for row in shards.stream(paths.COLLECTED)}
    decisions = [
        Patch("blue/00.jpg", digests["blue/00.jpg"], "set", "brown", who="ada"),
        Patch("blue/01.jpg", digests["blue/01.jpg"], "accept", "blue", who="ada"),
        Patch("brown/02.jpg", digests["brown/02.jpg"], "reject", who="ada", why="no eye in it"),
        Patch("brown/gone.jpg", "0" * 64, "reject", who="ada"),
    ]
    label_patches.append(pool / paths.LABEL_PATCHES, decisions, CLASSES)
    (pool / "blue" / "00.jpg").rename(pool / "blue" / "fetched-again.jpg")
    capsys.readouterr()
    collect(SETTINGS)
    rows = {row["id"]: row for row in shards.stream(paths.COLLECTED)}
    again, accepted, rejected = (rows[name] for name in ("blue/fetched-again.jpg", "blue/01.jpg", "brown/02.jpg"))
    assert (again["label"], again["reviewed"], again["reason"]) == ("brown", "set by ada", None)
    assert (accepted["label"], accepted["reviewed"]) == ("blue", "accept by ada")
    assert (rejected["reason"], rejected["image"]) == ("rejected by ada: no eye in it", None)
    assert rows["blue/03.jpg"]["reviewed"] is None
    assert json.loads((paths.COLLECT_REPORT / "metrics.json").read_text())["patched"] == 3
    said = "collect: data/label_patches.csv: 1 of 4 decisions found no picture in the pool\n"
    assert capsys.readouterr().out.startswith(said)


def test_labels_names_the_wrong_one_and_training_heeds_it(pool: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pool / "blue" / "wrong.jpg").write_bytes(saved(picture("brown", "wrong")))
    collect(SETTINGS)
    rows = collected()
    for number, row in enumerate(rows):
        split = "train" if "wrong" in row["id"] else ("train", "valid", "test")[number % 3]
        row.update(group=row["sha256"], split=split)
    shards.write(paths.ACCEPTED, shards.ACCEPTED, 8, rows)
    labels(SETTINGS)
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith("labels: 1 of 25 labels are suspect, 1 of them in training (down_weight); look at reports/")
    found = list(shards.stream(paths.LABELLED))
    assert [row["id"] for row in found if row["suspect"]] == ["blue/wrong.jpg"]
    assert (found[0]["rank"], found[0]["suggested"]) == (1, "brown")
    assert {row["id"] for row in found} == {row["id"] for row in rows}
    assert json.loads((paths.LABELS_REPORT / "metrics.json").read_text())["suspects_in_training"] == 1
    with Image.open(paths.LABELS_REPORT / "suspects.png") as sheet:
        assert sheet.format == "PNG"
    augment(SETTINGS)
    originals = sum(row["split"] == "train" for row in rows)
    assert trained("keep") == 4 * originals
    assert trained("down_weight") == 4 * originals - 3
    assert trained("drop") == 4 * originals - 4


def trained(suspects: str) -> int:
    """Return how many samples are trained on when suspects are treated so."""
    treatment = SETTINGS.labels.model_copy(update={"suspects": suspects})
    return len(training.load(SETTINGS.model_copy(update={"labels": treatment}))[0])


@pytest.mark.parametrize("workers", [1, 2])
def test_labels_writes_the_same_bytes_again(pool: Path, workers: int) -> None:
    collect(SETTINGS)
    accept_collected()
    labels(SETTINGS)
    first = contents(paths.LABELLED), contents(paths.LABELS_REPORT)
    labels(planted.settings(execution__workers=workers, preprocess__size=32, collect__shard_rows=8))
    assert (contents(paths.LABELLED), contents(paths.LABELS_REPORT)) == first


LOOSE = {f"validate__min_{name}": 0.0 for name in ("contrast", "sharpness", "entropy", "class_balance", "unique_share")}
ALL_TRAIN = {"split__train": 1.0, "split__valid": 0.0, "split__test": 0.0}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning")
def test_validate_keeps_a_picture_without_an_eye_and_names_it(project: Path) -> None:
    settings = planted.settings(preprocess__crop="eyes", validate__min_per_class=5, **LOOSE, **ALL_TRAIN)
    draw_pool(paths.POOL, 12, seed=1, classes=CLASSES, defects=False)
    (paths.POOL / "blue" / "shirt.jpg").write_bytes(saved(picture("blue", size=(200, 150))))
    collect(settings)
    validate(settings)
    rows = {row["id"]: row for row in shards.stream(paths.ACCEPTED)}
    assert [rows["blue/shirt.jpg"][name] for name in COLUMNS] == [0, 0, None, None, None, None]
    seen = [row for row in rows.values() if row["eyes"]]
    assert len(seen) >= 11
    assert all(row[name] is not None for row in seen for name in COLUMNS if name != "glasses")
    assert all((row["glasses"] is None) == (row["eyes"] == 1) for row in seen)
    listed = (paths.VALIDATE_REPORT / "nothing_found.csv").read_text().splitlines()
    assert "blue/shirt.jpg,blue,train" in listed
    assert len(listed) == 1 + len(rows) - len(seen)


@pytest.mark.parametrize("stage", [labels, augment, evaluate])
def test_a_stage_without_its_input_says_what_to_do(project: Path, stage: object) -> None:
    with pytest.raises(MissingInput, match=r"type dvc repro"):
        stage(SETTINGS)  # type: ignore[operator]


@pytest.mark.parametrize("split", ["train", "valid"])
def test_a_class_that_a_split_lacks_is_named(project: Path, split: str) -> None:
    rows = [
        planted.row(label, f"{part}{n}", part) for part in ("train", "valid") for label in CLASSES for n in range(2)
    ]
    kept = [row for row in rows if (row["split"], row["label"]) != (split, "brown")]
    shards.write(paths.ACCEPTED, shards.ACCEPTED, 8, kept)
    shards.write(paths.AUGMENTED, shards.AUGMENTED, 8, [])
    with pytest.raises(
        DataError, match=rf"validate: no brown picture in the {split} split; add .* or raise split.{split}$"
    ):
        training.load(SETTINGS)


def test_the_key_of_a_training_is_what_decides_it(pool: Path) -> None:
    collect(SETTINGS)
    accept_collected()
    augment(SETTINGS)
    key = training.key(SETTINGS, "scratch")
    same = SETTINGS.model_copy(update={"execution": SETTINGS.execution.model_copy(update={"workers": 2})})
    assert training.key(same, "scratch") == key
    longer = SETTINGS.model_copy(update={"train": SETTINGS.train.model_copy(update={"epochs": 3})})
    assert training.key(longer, "scratch") != key
    (paths.AUGMENTED / "shard-00000.parquet").write_bytes(b"other rows")
    assert training.key(SETTINGS, "scratch") != key


def test_the_key_of_a_training_from_rendered_weights_knows_their_bytes(pool: Path) -> None:
    collect(SETTINGS)
    accept_collected()
    augment(SETTINGS)
    drawn = SETTINGS.model_copy(update={"train": SETTINGS.train.model_copy(update={"init": "rendered"})})
    with pytest.raises(ModelError, match=r"train.init: rendered: .*no such weights"):
        training.key(drawn, "rendered")
    paths.write_whole(paths.RENDERED / f"{SETTINGS.train.arch}.safetensors", b"one")
    one = training.key(drawn, "rendered")
    assert training.key(drawn, "rendered") == one
    paths.write_whole(paths.RENDERED / f"{SETTINGS.train.arch}.safetensors", b"two")
    assert training.key(drawn, "rendered") != one


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_from_a_pool_to_a_report(pool: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file, name in zip(sorted(pool.glob("*/*.jpg")), HOSTILE, strict=False):  # of any name
        file.rename(file.with_name(name))
    collect(SETTINGS)
    accept_collected()
    labels(SETTINGS)
    augment(SETTINGS)
    train(SETTINGS)
    facts = json.loads((paths.TRAINED / "model.json").read_text())
    assert facts["classes"] == list(CLASSES)
    assert facts["preprocess"] == SETTINGS.preprocess.model_dump()
    assert (facts["data_licences"], facts["data_providers"]) == ({"own": 24}, {"folder": 24})
    assert facts["data_pictures"] == training_set.digest(training_set.of(shards.table(paths.ACCEPTED)))
    assert set(contents(paths.TRAINED)) == {"model.safetensors", "model.onnx", "model.json"}
    assert set(contents(paths.TRAIN_REPORT)) == {"history.tsv", "curves.png", "metrics.json"}
    assert len((paths.TRAIN_REPORT / "history.tsv").read_text().splitlines()) == 3
    assert list((paths.SCRATCH / "train").iterdir()) == []
    first = {name: data for name, data in contents(paths.TRAINED).items() if name != "model.json"}

    evaluate(SETTINGS)
    kept = contents(paths.CALIBRATED)
    assert {"calibration.json", "golden/answers.json", "golden/0001.jpg", *bundle.INT8} <= set(kept)
    numbers = json.loads((paths.EVALUATE_REPORT / "metrics.json").read_text())
    assert numbers["test_images"] == 4
    assert {"flips_mirror", "flip_rate", "lost_rate"} <= set(numbers)
    assert isinstance(json.loads((paths.EVALUATE_REPORT / "gate.json").read_text())["passed"], bool)
    choice = json.loads((paths.EVALUATE_REPORT / "precision.json").read_text())
    assert (choice["test_images"], choice["chosen"] in bundle.NETWORKS) == (4, True)
    report = untimed(paths.EVALUATE_REPORT)
    assert {"slices.csv", "slices.png"} <= set(report)
    card = report["model_card.md"].decode()
    assert "No facts of these pictures were measured" in card
    assert "| blue | 8 | 2 | 2 |" in card
    publish(SETTINGS)
    said = capsys.readouterr()
    assert said.out.splitlines()[-1].startswith("published as version 1 of eye-colour"), said.err

    answers = json.loads((paths.CALIBRATED / "golden" / "answers.json").read_text())
    classifier = Classifier.load(paths.TRAINED, paths.CALIBRATED)
    again = classifier.predict([(paths.CALIBRATED / "golden" / said["file"]).read_bytes() for said in answers])
    assert [said["probabilities"] for said in answers] == [answer.probabilities for answer in again]

    train(SETTINGS)
    assert {name: data for name, data in contents(paths.TRAINED).items() if name != "model.json"} == first
    evaluate(SETTINGS)
    assert untimed(paths.EVALUATE_REPORT) == report
    assert contents(paths.CALIBRATED) == kept
    assert {file for file in paths.REPORTS.rglob("*") if file.is_file()} == set(run_contents.reports())
