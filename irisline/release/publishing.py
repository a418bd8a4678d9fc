"""DVC's outputs, shown in MLflow: a complete run, a registry version, the alias challenger.

All of it can be built again from the workspace at any time, and building it twice changes nothing: a run is known by
the digest of what it shows, a version by the digest of its files. Knows nothing of promotion.
"""

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irisline import console, paths
from irisline.data import manifest
from irisline.errors import MissingInput, ReleaseError
from irisline.model import bundle
from irisline.params import Params
from irisline.release import lineage, lock, note, store, tracking, versions

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

EVIDENCE = "irisline.evidence"  # what is being shown
PUBLISHED = "irisline.published"  # the same, once all of it is there: written last
PATIENCE = 120.0  # seconds to wait for another publish; several experiments may end together

_SOURCES = ("params.yaml", "dvc.yaml", "dvc.lock", "data.dvc")


@dataclass(frozen=True)
class Published:
    """Where the workspace's model is now."""

    version: int
    run_id: str
    run_changed: bool  # False when the run was complete already
    version_created: bool  # False when these files were a version already

    @property
    def changed(self) -> bool:
        """Whether anything was added."""
        return self.run_changed or self.version_created


def publish(params: Params) -> Published:
    """Complete the run of the workspace's model and register its version; raise MissingInput or ReleaseError."""
    digest, gate = bundle.digest(*bundle.MODEL_FOLDERS), read_json(paths.EVALUATE_REPORT / "gate.json")
    client = store.client()
    with store.one_line_failures(), lock.held(client, f"{params.base.name}.publish", "publish", PATIENCE):
        experiment = store.experiment(client, params.base.name)
        run_id, run_changed = _complete_run(client, experiment, params, digest)
        facts = _facts(client, run_id, gate)
        found = versions.of_digest(client, params.base.name, digest)
        if found is None:
            number = _register(client, experiment, params.base.name, run_id, {versions.DIGEST: digest, **facts})
        else:
            number = found.number
            _update(client, params.base.name, found, facts)
        _set_challenger(client, params.base.name, number)
        client.set_tag(run_id, PUBLISHED, _evidence(digest))
    return Published(number, run_id, run_changed, found is None)


def publish_or_warn(params: Params) -> None:
    """Publish as the end of a stage: a store that fails is one line with the command to type, not a lost training."""
    try:
        published = publish(params)
    except ReleaseError as error:
        console.fail(f"not published: {error}; nothing is lost, type irisline publish when that is mended")
    else:
        console.say(f"published as version {published.version} of {params.base.name}")


def read_json(file: Path) -> Any:
    """Give a JSON file's document; raise MissingInput when it is not there."""
    if not file.exists():
        raise MissingInput(f"{file}: not found; type dvc repro to make it")
    return json.loads(file.read_text(encoding="utf-8"))


def reported_metrics() -> dict[str, dict[str, float]]:
    """Give the numbers of each stage's metrics.json by stage."""
    files = sorted(paths.REPORTS.glob("*/metrics.json"))
    documents = {file.parent.name: tracking.flat(read_json(file)) for file in files}
    return {
        stage: {name: float(value) for name, value in document.items() if isinstance(value, int | float)}
        for stage, document in documents.items()
    }


def _complete_run(client: "MlflowClient", experiment: str, params: Params, digest: str) -> tuple[str, bool]:
    """Give the run that shows the workspace, and whether anything had to be added to it."""
    evidence = _evidence(digest)
    run = _find_run(client, experiment, params, evidence)
    if run is None:
        tags = {tracking.MODEL_DIGEST: _model_digest(), **lineage.run_tags()}
        run = client.create_run(experiment, tags=tags, run_name=tracking.run_name(params))
    run_id = str(run.info.run_id)
    if run.data.tags.get(PUBLISHED) == evidence:
        _refine_source(client, run)
        return run_id, False
    client.set_tag(run_id, EVIDENCE, evidence)
    _show(client, run_id, params)
    about = {versions.DIGEST: digest, "mlflow.note.content": note.of_run(experiment, run_id)}
    tracking.set_tags(client, run_id, {**lineage.run_tags(), **about})
    client.set_terminated(run_id, "FINISHED")
    return run_id, True


def _find_run(client: "MlflowClient", experiment: str, params: Params, evidence: str) -> "Run | None":
    """Give the run that shows or began to show this evidence, else a training's that nothing was published to yet."""
    runs = client.search_runs([experiment], f"tags.`{tracking.MODEL_DIGEST}` = '{_model_digest()}'")
    shown = [run for run in runs if run.data.tags.get(EVIDENCE) == evidence]
    bare = [run for run in runs if EVIDENCE not in run.data.tags and _agrees(run, params)]
    return next(iter(shown + bare), None)


def _agrees(run: "Run", params: Params) -> bool:
    ours = {name: str(value) for name, value in _all_params(params).items()}
    return all(ours.get(name) == value for name, value in run.data.params.items())


def _show(client: "MlflowClient", run_id: str, params: Params) -> None:
    tracking.log_params(client, run_id, _all_params(params))
    _show_curves(client, run_id)
    for stage, metrics in reported_metrics().items():
        tracking.log_step(client, run_id, 0, metrics, stage)
    client.log_artifacts(run_id, str(paths.REPORTS), "reports")
    for name in _SOURCES:
        if Path(name).exists():
            client.log_artifact(run_id, name, "source")
    client.log_text(run_id, lineage.packages(), "environment/requirements.txt")
    _show_predictions(client, run_id)
    _show_inputs(client, run_id, params)


def _show_curves(client: "MlflowClient", run_id: str) -> None:
    """Log the points of history.tsv that the training did not log while it ran."""
    file = paths.TRAIN_REPORT / "history.tsv"
    if not file.exists():
        return
    known: dict[str, set[int]] = {}
    with file.open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            step = int(row.pop("epoch"))
            missing = [name for name in row if step not in _steps(client, run_id, name, known)]
            tracking.log_step(client, run_id, step, {name: float(row[name]) for name in missing})


def _steps(client: "MlflowClient", run_id: str, name: str, known: dict[str, set[int]]) -> set[int]:
    if name not in known:
        known[name] = {point.step for point in client.get_metric_history(run_id, f"{tracking.CURVES}/{name}")}
    return known[name]


def _show_predictions(client: "MlflowClient", run_id: str) -> None:
    """Log the table of answers; MLflow would append to one that is there already."""
    import pandas as pd

    file = paths.EVALUATE_REPORT / "predictions.csv"
    if file.exists() and not any(found.path == "predictions.json" for found in client.list_artifacts(run_id)):
        client.log_table(run_id, pd.read_csv(file), "predictions.json")


def _show_inputs(client: "MlflowClient", run_id: str, params: Params) -> None:
    """Name the splits as data set inputs: facts of each picture, never its bytes."""
    import mlflow
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.pandas_dataset import from_pandas

    if not paths.ACCEPTED.is_dir():
        return
    facts = manifest.table(paths.ACCEPTED).to_pandas().astype({"width": "float64", "height": "float64"})
    source = CodeDatasetSource({"data.dvc": lineage.pool_digest()})
    with mlflow.start_run(run_id=run_id):
        for split, rows in facts.groupby("split"):
            name = f"{params.base.name} {split}"
            seen = hashlib.sha256("".join(rows["id"] + rows["sha256"]).encode()).hexdigest()[:32]
            pictures = from_pandas(rows.reset_index(drop=True), source=source, name=name, digest=seen)
            mlflow.log_input(pictures, context=str(split))


def _refine_source(client: "MlflowClient", run: "Run") -> None:
    """Replace source tags that no commit stood behind when they were written."""
    if not lineage.is_settled(run.data.tags):
        tracking.set_tags(client, run.info.run_id, lineage.source_tags())


def _register(client: "MlflowClient", experiment: str, model: str, run_id: str, tags: dict[str, str]) -> int:
    from mlflow.exceptions import MlflowException

    stored = versions.log_model(client, experiment, run_id, tags[versions.DIGEST])
    try:
        client.create_registered_model(model, description="Irisline's versions. Change aliases with irisline promote.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    source, headline = f"models:/{stored}", note.headline()
    created = client.create_model_version(model, source, run_id, tags, description=headline, model_id=stored)
    return int(created.version)


def _facts(client: "MlflowClient", run_id: str, gate: dict[str, Any]) -> dict[str, str]:
    """Give the tags of a version: the verdict, the numbers, the source and which run holds the evidence."""
    tags = client.get_run(run_id).data.tags
    metrics = reported_metrics().get("evaluate", {})
    return {
        versions.GATE: json.dumps(gate),
        versions.METRICS: json.dumps(metrics),
        versions.LICENCES: json.dumps(_model_facts()["data_licences"]),
        versions.RUN: run_id,
        "gate": "passed" if gate["passed"] else "refused",
        "error_rate": f"{metrics['error_rate']:.4f}",
        **{name: tags[name] for name in lineage.SOURCE},
    }


def _update(client: "MlflowClient", model: str, version: versions.Version, facts: dict[str, str]) -> None:
    """Bring a version's tags up to date: limits may have changed, or a commit been made, since it was registered."""
    for name, value in facts.items():
        if version.tags.get(name) != value:
            client.set_model_version_tag(model, str(version.number), name, value)


def _set_challenger(client: "MlflowClient", model: str, number: int) -> None:
    """Let challenger name the workspace's version, unless that is the champion: then nothing challenges it."""
    aliases = versions.aliases_of(client, model)
    if aliases.get(versions.CHAMPION) != number:
        client.set_registered_model_alias(model, versions.CHALLENGER, str(number))
    elif versions.CHALLENGER in aliases:
        client.delete_registered_model_alias(model, versions.CHALLENGER)


def _all_params(params: Params) -> dict[str, Any]:
    return tracking.flat(params.model_dump(by_alias=True))


def _model_facts() -> Any:
    return read_json(paths.TRAINED / "model.json")


def _model_digest() -> str:
    return str(_model_facts()["digest"])


def _evidence(digest: str) -> str:
    """Give the digest of all a run shows: the version's files, every report and the params."""
    lines = [digest, *(f"{path.as_posix()} {bundle.file_digest(path)}" for path in _shown_files())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _shown_files() -> Iterator[Path]:
    yield paths.PARAMS
    yield from sorted(path for path in paths.REPORTS.rglob("*") if path.is_file())
