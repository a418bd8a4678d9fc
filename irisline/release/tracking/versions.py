"""Versions in the registry: found, fetched and proven. Knows nothing of gates or the journal."""

import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from irisline.core import paths
from irisline.core.errors import MissingInput, ModelError, NotFound, ReleaseError, in_a_line
from irisline.networks import bundle, version_limits
from irisline.networks.bundle import Precision
from irisline.release.tracking import artifacts
from irisline.release.tracking.version_tags import DIGEST as DIGEST
from irisline.release.tracking.version_tags import GATE as GATE
from irisline.release.tracking.version_tags import LICENCES as LICENCES
from irisline.release.tracking.version_tags import METRICS as METRICS
from irisline.release.tracking.version_tags import PICTURES as PICTURES
from irisline.release.tracking.version_tags import PRECISION as PRECISION
from irisline.release.tracking.version_tags import PRECISION_REASON as PRECISION_REASON
from irisline.release.tracking.version_tags import PROVIDERS as PROVIDERS
from irisline.release.tracking.version_tags import RUN as RUN
from irisline.release.tracking.version_tags import Facts, Verdict

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
ALIASES = (CHAMPION, CHALLENGER, PREVIOUS)

ADVICE = "type irisline publish, if its model is the workspace's, or leave it"

_KEPT = paths.SCRATCH / "versions"
_KEPT_COUNT = 6
_LARGEST = 2**63 - 1  # what a database takes as an integer
_LATEST = 253_402_300_800_000  # milliseconds since 1970: the year 10000
_LEFT = 3600.0  # seconds after which a download is one that was killed


@dataclass(frozen=True)
class Version:
    """A version of the model as the registry holds it."""

    number: int
    facts: Facts
    aliases: tuple[str, ...]
    run_id: str
    created: float  # seconds since 1970
    tags: dict[str, str]
    description: str = ""
    source: str = ""  # where MLflow keeps its files
    broken: str = ""  # what of it cannot be read and what to do; then it is listed, and good for nothing else

    @property
    def digest(self) -> str:
        """The digest of its files."""
        return self.facts.digest

    @property
    def gate(self) -> Verdict | None:
        """The verdict on the absolute limits, as gate.json holds it."""
        return self.facts.gate

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers of the evaluation."""
        return self.facts.metrics

    @property
    def precision(self) -> Precision:
        """What the CPU serves it in."""
        return self.facts.precision

    @property
    def precision_reason(self) -> str:
        """Why that precision."""
        return self.facts.precision_reason


def every(client: "MlflowClient", model: str) -> list[Version]:
    """Return all versions, newest first, the broken ones among them."""
    aliases = aliases_of(client, model)
    found: list[Version] = []
    token: str | None = None
    while True:
        page = client.search_model_versions(f"name = '{model}'", page_token=token)
        found += [_version(row, aliases) for row in page]
        token = page.token
        if not token:
            return [_with_files(client, model, one) for one in sorted(found, key=lambda version: -version.number)]


def get(client: "MlflowClient", model: str, number: int) -> Version:
    """Return one version; raise NotFound when there is none of this number, ReleaseError when it is broken."""
    row = _row(client, model, number)
    if row is None:
        raise NotFound(f"{model} has no version {number}; irisline versions shows those it has")
    found = _version(row, aliases_of(client, model))
    if found.broken:
        raise ReleaseError(f"{model} version {number} is broken: {found.broken}")
    return found


def existing(client: "MlflowClient", model: str, number: int | None) -> int | None:
    """Return a version's number, None when it was deleted."""
    return number if number and _row(client, model, number) else None


def of_digest(client: "MlflowClient", model: str, digest: str) -> Version | None:
    """Return the newest version that holds this very bundle, broken or not, or None."""
    rows = client.search_model_versions(f"name = '{model}' and tags.`{DIGEST}` = '{digest}'")
    newest = max(rows, key=lambda row: int(row.version), default=None)
    return _version(newest, aliases_of(client, model)) if newest else None


def aliases_of(client: "MlflowClient", model: str) -> dict[str, int]:
    """Return the version each alias names, those that name none left out; empty when nothing is published yet."""
    from mlflow.exceptions import MlflowException

    try:
        named = client.get_registered_model(model).aliases.items()
        return {alias: int(number) for alias, number in named if str(number).isdecimal()}
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return {}
        raise


def fetch(client: "MlflowClient", model: str, version: Version) -> Path:
    """Return the folder of a version's bundle, downloaded once and proven by its digest each time."""
    kept = (_KEPT if (_KEPT / version.digest).is_dir() else paths.writable(_KEPT)) / version.digest
    return kept if _digest(kept) == version.digest else download(client, model, version)


def download(client: "MlflowClient", model: str, version: Version) -> Path:
    """Return the folder of a version's bundle, fresh from the store; raise ReleaseError when it has changed."""
    kept = paths.writable(_KEPT) / version.digest
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".") as scratch:
        arrived = part(model, version, "artifacts/bundle", Path(scratch))
        _check(arrived, f"{model} version {version.number}")
        found = _digest(arrived)
        if found != version.digest:
            raise ReleaseError(
                f"{model} version {version.number}: the stored files are not those that were published "
                f"(digest {found[:12]}, must be {version.digest[:12]}); {ADVICE}"
            )
        _keep(arrived, kept, version.digest)
    _forget_oldest()
    return kept


def forget(version: Version) -> None:
    """Drop the bundle that fetch keeps of a version."""
    shutil.rmtree(_KEPT / version.digest, ignore_errors=True)


def part(model: str, version: Version, folder: str, target: Path, most: int = version_limits.ALL_BYTES) -> Path:
    """Return a folder of what the store holds of a version, brought into another; raise as artifacts.bring does."""
    try:
        return artifacts.bring(f"models:/{model}/{version.number}/{folder}", target, most)
    except NotFound as error:
        raise NotFound(
            f"{model} version {version.number}: its files are not in the store: {error}; {ADVICE}"
        ) from error


def _row(client: "MlflowClient", model: str, number: int) -> "ModelVersion | None":
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version(model, str(number)) if number <= _LARGEST else None
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _version(row: "ModelVersion", aliases: dict[str, int]) -> Version:
    number, created = int(row.version), row.creation_timestamp or 0  # a number from SQLite, a str over HTTP
    own = tuple(alias for alias in (*ALIASES, *sorted(set(aliases) - set(ALIASES))) if aliases.get(alias) == number)
    tags = {str(name): str(text) for name, text in row.tags.items()}
    facts, wrong = Facts.read(tags)
    run_id, about, source = facts.run or str(row.run_id), str(row.description or ""), str(row.source)
    if not 0 < created < _LATEST:
        wrong = wrong or f"created: {created} milliseconds since 1970 is no time"
    broken, seconds = f"{wrong}; {ADVICE}" if wrong else "", created / 1000 if 0 < created < _LATEST else 0.0
    return Version(number, facts, own, run_id, seconds, tags, about, source, broken)


def _with_files(client: "MlflowClient", model: str, version: Version) -> Version:
    """Return a version, broken when a folder of this machine should hold its files and does not."""
    if version.broken:
        return version
    try:
        kept = artifacts.folder_of(client.get_model_version_download_uri(model, str(version.number)))
        if kept is None or (kept / "artifacts/bundle").is_dir():
            return version
        wrong = f"not in {kept}"
    except (ReleaseError, OSError, ValueError) as error:
        wrong = in_a_line(error, 200)
    return replace(version, broken=f"files: {wrong}; {ADVICE}")


def _check(arrived: Path, name: str) -> None:
    try:
        version_limits.check(arrived)
    except ModelError as error:
        raise ReleaseError(f"{name}: {error}") from error


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
    times = {folder: folder.stat().st_ctime for folder in paths.writable(_KEPT).iterdir()}
    left = [folder for folder, at in times.items() if folder.name[0] == "." and time.time() - at > _LEFT]
    kept = sorted((folder for folder in times if folder.name[0] != "."), key=lambda one: times[one])
    for folder in (*left, *kept[:-_KEPT_COUNT]):
        shutil.rmtree(folder, ignore_errors=True)


def _digest(folder: Path) -> str:
    try:
        version_limits.check(folder)
        return bundle.digest(folder)
    except (MissingInput, ModelError) as error:
        return f"none, {error}"
