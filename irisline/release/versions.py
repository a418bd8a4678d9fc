"""Versions in the registry: found, fetched and proven. Knows nothing of gates or the journal."""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from irisline import paths
from irisline.errors import MissingInput, NotFound, ReleaseError
from irisline.model import bundle
from irisline.model.bundle import Precision

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

DIGEST = "irisline.digest"
GATE = "irisline.gate"
METRICS = "irisline.metrics"
LICENCES = "irisline.data_licences"
PROVIDERS = "irisline.data_providers"
PICTURES = "irisline.data_pictures"  # which run keeps the table of them, its digest, how many of each split
PRECISION = "irisline.precision"  # what the CPU serves; a stopwatch had a say, so that it is no part of the digest
PRECISION_REASON = "irisline.precision_reason"
RUN = "irisline.run_id"  # the run that holds the evidence now; the one at registration may be older

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
ALIASES = (CHAMPION, CHALLENGER, PREVIOUS)

_KEPT = paths.SCRATCH / "versions"
_KEPT_COUNT = 6
_LARGEST = 2**63 - 1  # what a database takes as an integer


@dataclass(frozen=True)
class Version:
    """A version of the model as the registry holds it."""

    number: int
    digest: str
    aliases: tuple[str, ...]
    run_id: str
    created: float  # seconds since 1970
    tags: dict[str, str]
    description: str = ""

    @property
    def gate(self) -> dict[str, Any] | None:
        """The verdict on the absolute limits, as gate.json holds it."""
        return json.loads(self.tags[GATE]) if GATE in self.tags else None

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers of the evaluation."""
        return json.loads(self.tags.get(METRICS, "{}"))  # type: ignore[no-any-return]

    @property
    def precision(self) -> Precision:
        """What the CPU serves it in."""
        return "int8" if self.tags.get(PRECISION) == "int8" else "float32"

    @property
    def precision_reason(self) -> str:
        """Why that precision."""
        return self.tags.get(PRECISION_REASON, "not measured")


def every(client: "MlflowClient", model: str) -> list[Version]:
    """Give all versions, newest first."""
    aliases = aliases_of(client, model)
    found: list[Version] = []
    token: str | None = None
    while True:
        page = client.search_model_versions(f"name = '{model}'", page_token=token)
        found += [_version(row, aliases) for row in page]
        token = page.token
        if not token:
            return sorted(found, key=lambda version: -version.number)


def get(client: "MlflowClient", model: str, number: int) -> Version:
    """Give one version; raise NotFound when there is none of this number."""
    from mlflow.exceptions import MlflowException

    absent = NotFound(f"{model} has no version {number}; irisline versions shows those it has")
    if number > _LARGEST:
        raise absent
    try:
        return _version(client.get_model_version(model, str(number)), aliases_of(client, model))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        raise absent from error


def of_digest(client: "MlflowClient", model: str, digest: str) -> Version | None:
    """Give the version that holds this very bundle, or None."""
    rows = client.search_model_versions(f"name = '{model}' and tags.`{DIGEST}` = '{digest}'")
    return _version(rows[0], aliases_of(client, model)) if rows else None


def aliases_of(client: "MlflowClient", model: str) -> dict[str, int]:
    """Give the version each alias names; empty when nothing is published yet."""
    from mlflow.exceptions import MlflowException

    try:
        return {alias: int(number) for alias, number in client.get_registered_model(model).aliases.items()}
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return {}
        raise


def fetch(client: "MlflowClient", model: str, version: Version) -> Path:
    """Give the folder of a version's bundle, downloaded once and proven by its digest each time."""
    kept = _KEPT / version.digest
    return kept if _digest(kept) == version.digest else download(client, model, version)


def download(client: "MlflowClient", model: str, version: Version) -> Path:
    """Give the folder of a version's bundle, fresh from the store; raise ReleaseError when it has changed."""
    kept = _KEPT / version.digest
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".") as scratch:
        arrived = part(model, version, "artifacts/bundle", Path(scratch))
        found = _digest(arrived)
        if found != version.digest:
            raise ReleaseError(
                f"{model} version {version.number}: the stored files are not those that were published "
                f"(digest {found[:12]}, must be {version.digest[:12]}); leave this version and publish it anew"
            )
        _keep(arrived, kept, version.digest)
    _forget_oldest()
    return kept


def forget(version: Version) -> None:
    """Drop the bundle that fetch keeps of a version."""
    shutil.rmtree(_KEPT / version.digest, ignore_errors=True)


def part(model: str, version: Version, path: str, target: Path) -> Path:
    """Return a file or folder of what the store holds of a version, brought into a folder; raise NotFound."""
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        uri = f"models:/{model}/{version.number}/{path}"
        return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(target)))
    except (MlflowException, OSError) as error:
        reason = " ".join(str(error).split())[:120]
        raise NotFound(f"{model} version {version.number}: its files are not in the store: {reason}") from error


def _version(row: "ModelVersion", aliases: dict[str, int]) -> Version:
    number = int(row.version)  # an int from SQLite, a str over HTTP
    own = tuple(alias for alias in (*ALIASES, *sorted(set(aliases) - set(ALIASES))) if aliases.get(alias) == number)
    tags, created = dict(row.tags), row.creation_timestamp / 1000
    run_id, about = tags.get(RUN, str(row.run_id)), str(row.description or "")
    return Version(number, tags.get(DIGEST, ""), own, run_id, created, tags, about)


def _keep(arrived: Path, kept: Path, digest: str) -> None:
    """Move a proven folder to its place. What is whole there stays: another command may be reading it."""
    try:
        arrived.rename(kept)  # fails when a filled folder is there, whoever put it there first
    except OSError:
        if _digest(kept) == digest:
            return
        kept.rename(arrived.with_name("damaged"))
        arrived.rename(kept)


def _forget_oldest() -> None:
    """Keep the versions fetched last; a folder's time is that of its download."""
    kept = sorted((folder for folder in _KEPT.iterdir() if folder.name[0] != "."), key=lambda one: one.stat().st_ctime)
    for folder in kept[:-_KEPT_COUNT]:
        shutil.rmtree(folder, ignore_errors=True)


def _digest(folder: Path) -> str:
    try:
        return bundle.digest(folder)
    except MissingInput as error:
        return f"none, {error}"
