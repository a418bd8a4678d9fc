"""What a run shows, taken from the workspace: params, curves, numbers, every report, the table of answers, the pictures' facts.

Knows nothing of versions or of when a run is complete.
"""

import csv
import hashlib
import io
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NotRequired, TypeVar

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from irisline.core import class_names, paths
from irisline.core.bounded import plain_files
from irisline.core.errors import MissingInput
from irisline.core.params import Params
from irisline.dataset import shards, tables
from irisline.networks.bundle import Precision
from irisline.release.tracking import lineage, live_logging

if TYPE_CHECKING:
    from mlflow import MlflowClient

_DOCS = (
    *("index.html", "expectations/*.html", "validations/*/*/*/*.html"),
    *("assets/README.md", "assets/css/*.css", "assets/js/*.js", "assets/licences/*.txt", "assets/webfonts/*.woff2"),
    *("static/styles/*.css", "static/fonts/*/*.otf", "static/images/favicon.ico", "static/images/*logo*.svg"),
    *("static/images/logo-long.png", "static/images/short-logo.png", "static/images/iterative-dev-loop.png"),
    *("static/images/glossary_scroller.gif", "static/images/validation_failed_unexpected_values.gif"),
)
_FIGURES = (
    "confusion_matrix",
    "classes",
    "biggest_errors",
    "reliability",
    "risk_coverage",
    "saliency",
    "perturbations",
    "slices",
)
REPORTS: dict[Path, tuple[str, ...]] = {
    paths.COLLECT_REPORT: ("metrics.json",),
    paths.VALIDATE_REPORT: (
        *("metrics.json", "index.html", "rejected.csv", "nothing_found.csv"),
        *(f"docs/{pattern}" for pattern in _DOCS),
    ),
    paths.LABELS_REPORT: ("metrics.json", "labels.csv", "suspects.png"),
    paths.AUGMENT_REPORT: ("metrics.json", "variants.png"),
    paths.TRAIN_REPORT: ("metrics.json", "history.tsv", "curves.png"),
    paths.EVALUATE_REPORT: (
        *("metrics.json", "gate.json", "precision.json", "model_card.md"),
        *("predictions.csv", "classes.csv", "confusions.csv", "slices.csv", "perturbations.csv"),
        *(f"{name}.png" for name in _FIGURES),
    ),
}
"""What a run holds of reports/. Whatever else lies there may be of somebody's own pictures, and stays.

So does refused.png: a refused picture is in no version, and whoever takes it down would not find the runs that show it.
"""

Kind = TypeVar("Kind")
_SOURCES = ("params.yaml", "dvc.yaml", "dvc.lock", "data.dvc")


def show(client: "MlflowClient", run_id: str, params: Params) -> None:
    """Log all of it to a run."""
    live_logging.log_params(client, run_id, all_params(params))
    _show_curves(client, run_id)
    for stage, metrics in reported_metrics().items():
        if stage != live_logging.CURVES:  # its numbers are the last points of the curves
            live_logging.log_step(client, run_id, 0, metrics, stage)
    live_logging.log_step(client, run_id, 0, class_metrics(), paths.EVALUATE_REPORT.name)
    _show_reports(client, run_id)
    for name in _SOURCES:
        if Path(name).is_file():
            client.log_artifact(run_id, name, "source")
    client.log_text(run_id, lineage.packages(), "environment/requirements.txt")
    _show_predictions(client, run_id)
    _show_inputs(client, run_id, params)


def _show_reports(client: "MlflowClient", run_id: str) -> None:
    """Log the files of the list, from a copy that holds nothing else."""
    with tempfile.TemporaryDirectory(prefix="irisline-") as scratch:
        for file in reports():
            copy = Path(scratch) / file
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        client.log_artifacts(run_id, scratch)


def _show_curves(client: "MlflowClient", run_id: str) -> None:
    """Log the points of history.tsv that the training did not log while it ran."""
    file = paths.TRAIN_REPORT / "history.tsv"
    if not file.exists():
        return
    known: dict[str, set[int]] = {}
    for row in csv.DictReader(io.StringIO(plain_files.read(file).decode(), newline=""), delimiter="\t"):
        step = int(row.pop("epoch"))
        missing = [name for name in row if step not in _steps(client, run_id, name, known)]
        live_logging.log_step(client, run_id, step, {name: float(row[name]) for name in missing})


def _steps(client: "MlflowClient", run_id: str, name: str, known: dict[str, set[int]]) -> set[int]:
    if name not in known:
        known[name] = {point.step for point in client.get_metric_history(run_id, f"{live_logging.CURVES}/{name}")}
    return known[name]


def _show_predictions(client: "MlflowClient", run_id: str) -> None:
    """Log the table of answers; MLflow would append to one that is there already."""
    import pandas as pd

    file = paths.EVALUATE_REPORT / "predictions.csv"
    if file.exists() and not any(found.path == "predictions.json" for found in client.list_artifacts(run_id)):
        lines = ({name: _cell(name, text) for name, text in line.items()} for _, line in tables.read(file, ("id",)))
        client.log_table(run_id, pd.DataFrame(lines), "predictions.json")


def _cell(name: str, text: str) -> str | float | bool:
    """Return what a cell of predictions.csv says: a class is text, whatever it looks like."""
    if name == "unsure":
        return text == "true"
    return float(text) if name.startswith("probability_") or name in ("confidence", "loss") else text


def _show_inputs(client: "MlflowClient", run_id: str, params: Params) -> None:
    """Name the splits as data set inputs: facts of each picture, never its bytes."""
    import mlflow
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.pandas_dataset import from_pandas

    if not paths.ACCEPTED.is_dir():
        return
    facts = shards.table(paths.ACCEPTED).to_pandas()
    facts = facts.astype(dict.fromkeys(facts.select_dtypes("integer"), "float64"))  # an integer has no null in MLflow
    source = CodeDatasetSource({"data.dvc": lineage.pool_digest()})
    with mlflow.start_run(run_id=run_id):
        for split, rows in facts.groupby("split"):
            name = f"{params.base.name} {split}"
            seen = hashlib.sha256("".join(rows["id"] + rows["sha256"]).encode()).hexdigest()[:32]
            pictures = from_pandas(rows.reset_index(drop=True), source=source, name=name, digest=seen)
            mlflow.log_input(pictures, context=str(split))


def reports() -> list[Path]:
    """Return the files of REPORTS that are there."""
    listed = (file for folder, named in REPORTS.items() for pattern in named for file in folder.glob(pattern))
    return sorted(file for file in listed if file.is_file())


def all_params(params: Params) -> dict[str, Any]:
    """Return every param by its dotted name."""
    return live_logging.flat(params.model_dump(by_alias=True))


def reported_metrics() -> dict[str, dict[str, float]]:
    """Return the numbers of each stage's metrics.json by stage."""
    files = [file for file in reports() if file.name == "metrics.json"]
    documents = {file.parent.name: live_logging.flat(read_json(file, dict[str, Any])) for file in files}
    return {
        stage: {name: float(value) for name, value in document.items() if isinstance(value, int | float)}
        for stage, document in documents.items()
    }


def class_metrics() -> dict[str, float]:
    """Return the numbers of each class in classes.csv by name: recall/<class>, and recall/<class>/low and /high, its interval.

    No class has a / in its name, so that no two numbers have one name.
    """
    file = paths.EVALUATE_REPORT / "classes.csv"
    found = {}
    for _, line in tables.read(file, ("class",)) if file.exists() else ():
        for share in ("precision", "recall", "f1"):
            for column, end in ((share, ""), (f"{share}_low", "/low"), (f"{share}_high", "/high")):
                found[f"{share}/{class_names.key(line['class'])}{end}"] = float(line[column])
    return found


class Rates(TypedDict):
    """What a headline needs of the evaluation's metrics.json."""

    error_rate: float
    error_rate_low: float
    error_rate_high: float
    test_images: float


class Choice(TypedDict):
    """What a version needs of precision.json."""

    chosen: Precision
    reason: str


class Made(TypedDict):
    """What a version needs of model.json."""

    digest: str
    data_licences: dict[str, int]
    data_providers: NotRequired[dict[str, int]]
    data_pictures: NotRequired[str]


def read_json(file: Path, kind: type[Kind]) -> Kind:
    """Return a JSON file's document; raise MissingInput when it is not there, or is not of this kind."""
    if not file.exists():
        raise MissingInput(f"{file}: not found; type dvc repro to make it")
    try:
        return TypeAdapter(kind).validate_json(plain_files.read(file))
    except ValidationError as error:
        first = error.errors()[0]
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}".lstrip(": ")[:200]
        raise MissingInput(f"{file}: not what its stage writes: {why}; type dvc repro to make it") from error
