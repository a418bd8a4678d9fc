"""Versions in the registry: found, fetched and proven. Knows nothing of gates or the journal."""

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from irisline import paths
from irisline.errors import MissingInput, ModelError, NotFound, ReleaseError
from irisline.model import bounds, bundle
from irisline.model.bundle import Precision
from irisline.release.facts import DIGEST as DIGEST
from irisline.release.facts import GATE as GATE
from irisline.release.facts import LICENCES as LICENCES
from irisline.release.facts import METRICS as METRICS
from irisline.release.facts import PICTURES as PICTURES
from irisline.release.facts import PRECISION as PRECISION
from irisline.release.facts import PRECISION_REASON as PRECISION_REASON
from irisline.release.facts import PROVIDERS as PROVIDERS
from irisline.release.facts import RUN as RUN
from irisline.release.facts import Facts, Verdict

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
ALIASES = (CHAMPION, CHALLENGER, PREVIOUS)

MEND = "type irisline publish, if its model is the workspace's, or leave it"

_KEPT = paths.SCRATCH / "versions"
_KEPT_COUNT = 6
_LARGEST = 2**63 - 1  # what a database takes as an integer


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
    """Give all versions, newest first, the broken ones among them."""
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
    """Give one version; raise NotFound when there is none of this number, ReleaseError when it is broken."""
    from mlflow.exceptions import MlflowException

    absent = NotFound(f"{model} has no version {number}; irisline versions shows those it has")
    if number > _LARGEST:
        raise absent
    try:
        found = _version(client.get_model_version(model, str(number)), aliases_of(client, model))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        raise absent from error
    if found.broken:
        raise ReleaseError(f"{model} version {number} is broken: {found.broken}")
    return found


def of_digest(client: "MlflowClient", model: str, digest: str) -> Version | None:
    """Give the newest version that holds this very bundle, broken or not, or None."""
    rows = client.search_model_versions(f"name = '{model}' and tags.`{DIGEST}` = '{digest}'")
    newest = max(rows, key=lambda row: int(row.version), default=None)
    return _version(newest, aliases_of(client, model)) if newest else None


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
    kept = (_KEPT if (_KEPT / version.digest).is_dir() else paths.writable(_KEPT)) / version.digest
    return kept if _digest(kept) == version.digest else download(client, model, version)


def download(client: "MlflowClient", model: str, version: Version) -> Path:
    """Give the folder of a version's bundle, fresh from the store; raise ReleaseError when it has changed."""
    kept = paths.writable(_KEPT) / version.digest
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".") as scratch:
        arrived = part(model, version, "artifacts/bundle", Path(scratch))
        _check(arrived, f"{model} version {version.number}")
        found = _digest(arrived)
        if found != version.digest:
            raise ReleaseError(
                f"{model} version {version.number}: the stored files are not those that were published "
                f"(digest {found[:12]}, must be {version.digest[:12]}); {MEND}"
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
        raise NotFound(f"{model} version {version.number}: its files are not in the store: {reason}; {MEND}") from error


def _version(row: "ModelVersion", aliases: dict[str, int]) -> Version:
    number = int(row.version)  # an int from SQLite, a str over HTTP
    own = tuple(alias for alias in (*ALIASES, *sorted(set(aliases) - set(ALIASES))) if aliases.get(alias) == number)
    tags = {str(name): str(text) for name, text in row.tags.items()}
    facts, wrong = Facts.read(tags)
    run_id, about, source = facts.run or str(row.run_id), str(row.description or ""), str(row.source)
    broken = f"{wrong}; {MEND}" if wrong else ""
    return Version(number, facts, own, run_id, row.creation_timestamp / 1000, tags, about, source, broken)


def _with_files(client: "MlflowClient", model: str, version: Version) -> Version:
    """Return a version, broken when a folder of this machine should hold its files and does not."""
    kept = urlsplit(client.get_model_version_download_uri(model, str(version.number)))
    if version.broken or kept.scheme != "file" or Path(unquote(kept.path), "artifacts/bundle").is_dir():
        return version
    return replace(version, broken=f"files: not in {unquote(kept.path)}; {MEND}")


def _check(arrived: Path, name: str) -> None:
    try:
        bounds.check(arrived)
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
    kept = sorted(
        (folder for folder in paths.writable(_KEPT).iterdir() if folder.name[0] != "."),
        key=lambda one: one.stat().st_ctime,
    )
    for folder in kept[:-_KEPT_COUNT]:
        shutil.rmtree(folder, ignore_errors=True)


def _digest(folder: Path) -> str:
    try:
        bounds.check(folder)
        return bundle.digest(folder)
    except (MissingInput, ModelError) as error:
        return f"none, {error}"
