"""DVC's outputs, shown in MLflow: a complete run, a registry version, the alias challenger.

All of it can be built again from the workspace at any time, and building it twice changes nothing: a run is known by
the digest of what it shows, a version by the digest of its files. Knows nothing of promotion.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from irisline.core import console, paths
from irisline.core.errors import ReleaseError
from irisline.core.params import Params
from irisline.inference.identity import Manifest
from irisline.networks import bundle
from irisline.release.publishing import descriptions, pyfunc_package, run_contents, trained_on, version_signature
from irisline.release.tracking import artifacts, lineage, live_logging, registry_lock, store, versions
from irisline.release.tracking.version_tags import Verdict

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

EVIDENCE = "irisline.evidence"  # what is being shown
PUBLISHED = "irisline.published"  # the same, once all of it is there: written last
_CHOICE = paths.EVALUATE_REPORT / "precision.json"
PATIENCE = 120.0  # seconds to wait for another publish; several experiments may end together


@dataclass(frozen=True)
class Published:
    """Where the workspace's model is now."""

    version: int
    run_id: str
    run_changed: bool  # False when the run was complete already
    version_created: bool  # False when these files were a version already
    version_signed: bool  # False when a trusted key had signed just this already
    restored: bool = False  # that version's files were gone from the store, or others

    @property
    def changed(self) -> bool:
        """Whether anything was added but a signature of what is told of it now."""
        return self.run_changed or self.version_created or self.restored


def publish(params: Params) -> Published:
    """Complete the run of the workspace's model and register its version; raise MissingInput or ReleaseError."""
    digest, gate = (
        bundle.digest(*bundle.MODEL_FOLDERS),
        run_contents.read_json(paths.EVALUATE_REPORT / "gate.json", Verdict),
    )
    run_contents.read_json(paths.EVALUATE_REPORT / "metrics.json", run_contents.Rates)
    lock = f"{params.base.name}.publish"
    with store.one_line_failures(), registry_lock.held(store.client(), lock, "publish", PATIENCE) as client:
        experiment = store.experiment(client, params.base.name)
        artifacts.writable(client.get_experiment(experiment).artifact_location)
        found = versions.of_digest(client, params.base.name, digest)
        before = version_signature.signed_before(client, params.base.name, found) if found else None
        run_id, run_changed = _complete_run(client, experiment, params, digest, before)
        pictures, added = trained_on.record(client, run_id, _model_facts())
        run_changed |= added
        facts = _facts(run_id, gate, before, pictures)
        restored = found is not None and not pyfunc_package.is_whole(client, found.source, digest)
        lost = restored and found and not pyfunc_package.restore(client, experiment, run_id, digest, found.source)
        if found is None or lost:
            number = _register(client, experiment, params.base.name, run_id, {versions.DIGEST: digest, **facts})
        else:
            number = found.number
            _update(client, params.base.name, found, facts)
        ours, tags = bundle.files(*bundle.MODEL_FOLDERS), {versions.DIGEST: digest, **facts}
        signed_now = version_signature.seal(client, params.base.name, number, ours, tags)
        _set_challenger(client, params.base.name, number)
        client.set_tag(run_id, PUBLISHED, _evidence(digest))
    created = number != (found and found.number)
    return Published(number, run_id, run_changed, created, signed_now, restored)


def publish_or_warn(params: Params) -> None:
    """Publish as the end of a stage: a store that fails is one line with the command to type, not a lost training."""
    try:
        published = publish(params)
    except ReleaseError as error:
        console.fail(f"not published: {error}; nothing is lost, type irisline publish when that is fixed")
    else:
        console.say(f"published as version {published.version} of {params.base.name}")


def _complete_run(
    client: "MlflowClient", experiment: str, params: Params, digest: str, before: Manifest | None
) -> tuple[str, bool]:
    """Return the run that shows the workspace, and whether anything had to be added to it."""
    seen = _evidence(digest)
    run = _find_run(client, experiment, params, seen, before.run_id if before else "")
    if run is None:
        tags = {live_logging.MODEL_DIGEST: _model_digest(), **lineage.run_tags()}
        run = client.create_run(experiment, tags=tags, run_name=live_logging.run_name(params))
    run_id = str(run.info.run_id)
    artifacts.writable(run.info.artifact_uri)
    if run.data.tags.get(PUBLISHED) == seen:
        _refine_source(client, run)
        return run_id, False
    client.set_tag(run_id, EVIDENCE, seen)
    run_contents.show(client, run_id, params)
    about = {versions.DIGEST: digest, "mlflow.note.content": descriptions.of_run(experiment, run_id)}
    live_logging.set_tags(client, run_id, {**lineage.run_tags(), **about})
    client.set_terminated(run_id, "FINISHED")
    return run_id, True


def _find_run(client: "MlflowClient", experiment: str, params: Params, seen: str, signed: str) -> "Run | None":
    """Return the run that shows or began to show this evidence, else a training's that nothing was published to yet.

    Of several that one whose id was signed before.
    """
    runs = client.search_runs([experiment], f"tags.`{live_logging.MODEL_DIGEST}` = '{_model_digest()}'")
    shown = [run for run in runs if run.data.tags.get(EVIDENCE) == seen]
    bare = [run for run in runs if EVIDENCE not in run.data.tags and _agrees(run, params)]
    return next(iter(sorted(shown, key=lambda run: run.info.run_id != signed) + bare), None)


def _agrees(run: "Run", params: Params) -> bool:
    ours = {name: str(value)[: live_logging.LONGEST] for name, value in run_contents.all_params(params).items()}
    return all(ours.get(name) == value for name, value in run.data.params.items())


def _refine_source(client: "MlflowClient", run: "Run") -> None:
    """Replace source tags that no commit stood behind when they were written, and the lock's: DVC writes it after the stage."""
    now = lineage.source_tags()
    if lineage.is_settled(run.data.tags):
        now = {lineage.LOCK: now[lineage.LOCK]}
    if any(run.data.tags.get(name) != value for name, value in now.items()):
        live_logging.set_tags(client, run.info.run_id, now)


def _register(client: "MlflowClient", experiment: str, model: str, run_id: str, tags: dict[str, str]) -> int:
    from mlflow.exceptions import MlflowException

    stored = pyfunc_package.log(client, experiment, run_id, tags[versions.DIGEST])
    try:
        client.create_registered_model(model, description="Irisline's versions. Change aliases with irisline promote.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    source, about = f"models:/{stored}", descriptions.of_version(tags)
    created = client.create_model_version(model, source, run_id, tags, description=about, model_id=stored)
    return int(created.version)


def _facts(run_id: str, gate: Verdict, before: Manifest | None, pictures: str) -> dict[str, str]:
    """Return the tags of a version, all of it known here: verdict, numbers, source, and which run shows the evidence."""
    metrics, choice, made = run_contents.reported_metrics().get("evaluate", {}), _choice(), _model_facts()
    return {
        versions.GATE: json.dumps(gate),
        versions.METRICS: json.dumps(metrics),
        versions.LICENCES: json.dumps(made["data_licences"]),
        versions.PROVIDERS: json.dumps(made.get("data_providers", {})),
        versions.RUN: run_id,
        versions.PRECISION: choice["chosen"],
        versions.PRECISION_REASON: choice["reason"],
        "gate": "passed" if gate["passed"] else "refused",
        "error_rate": f"{metrics['error_rate']:.4f}",
        **_source(before),
        **_pictures(before, made, pictures),
    }


def _source(before: Manifest | None) -> dict[str, str]:
    """Return the source as it is here; the commit that was signed before, where it rebuilds the result as it stands."""
    now = lineage.source_tags()
    if before is None or before.source.git_dirty != "no":
        return now
    kept = {f"irisline.{name}": text for name, text in before.source.model_dump().items()}
    return {**now, **kept, lineage.LOCK: now[lineage.LOCK]}


def _pictures(before: Manifest | None, made: run_contents.Made, pictures: str) -> dict[str, str]:
    """Return what is told of the pictures: as the workspace knows them, else as it was signed before."""
    if not pictures and before and before.pictures.get("digest") == made.get("data_pictures"):
        pictures = json.dumps(before.pictures)
    return {versions.PICTURES: pictures} if pictures else {}


def _update(client: "MlflowClient", model: str, version: versions.Version, facts: dict[str, str]) -> None:
    """Bring a version's tags and card up to date: limits may have changed, or a commit been made, since it was registered."""
    if versions.PICTURES in version.tags and versions.PICTURES not in facts:
        client.delete_model_version_tag(model, str(version.number), versions.PICTURES)
    for name, value in facts.items():
        if version.tags.get(name) != value:
            client.set_model_version_tag(model, str(version.number), name, value)
    if version.description != (about := descriptions.of_version(facts)):
        client.update_model_version(model, str(version.number), about)


def _set_challenger(client: "MlflowClient", model: str, number: int) -> None:
    """Let challenger name the workspace's version, unless that is the champion: what challenged it before does so still."""
    if versions.aliases_of(client, model).get(versions.CHAMPION) != number:
        client.set_registered_model_alias(model, versions.CHALLENGER, str(number))


def _model_facts() -> run_contents.Made:
    return run_contents.read_json(paths.TRAINED / "model.json", run_contents.Made)


def _choice() -> run_contents.Choice:
    return run_contents.read_json(_CHOICE, run_contents.Choice)


def _model_digest() -> str:
    return str(_model_facts()["digest"])


def _evidence(digest: str) -> str:
    """Return the digest of all a run shows: the version's files, every report and the params."""
    lines = [digest, _choice()["chosen"], *(f"{path.as_posix()} {bundle.file_digest(path)}" for path in _shown_files())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _shown_files() -> Iterator[Path]:
    yield paths.PARAMS
    yield from (path for path in run_contents.reports() if path != _CHOICE)  # a stopwatch never says the same twice
