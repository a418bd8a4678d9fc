"""A version of the registry as the folder a service is started from: its files and what it says of itself.

Knows nothing of services, Bentos or images.
"""

import math
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from irisline import paths
from irisline.model import bounds, bundle
from irisline.model.bundle import NETWORKS, WEIGHTS
from irisline.model.identity import NAME, Identity, Metric, Source
from irisline.release import journal, lineage, versions
from irisline.release.versions import Version

if TYPE_CHECKING:
    from mlflow import MlflowClient


def export(client: "MlflowClient", model: str, version: Version, target: Path, gpu: bool = False) -> Identity:
    """Fill a folder with what a device needs of a version, proven by its digest; what was there before is replaced."""
    kept = versions.fetch(client, model, version)
    found = identity(client, model, version, kept)
    with paths.whole_folder(target) as folder:
        for name in _needed(found, gpu):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(kept / name, folder / name)
        (folder / NAME).write_text(found.as_json(), encoding="utf-8")
    return found


def renew(client: "MlflowClient", model: str, version: Version, target: Path) -> bool:
    """Bring up to date what a folder says of itself, if it holds this version already; say whether it does."""
    if not (target / NAME).is_file() or (found := Identity.read(target / NAME)).digest != version.digest:
        return False
    told = {"alias": next(iter(version.aliases), None), "promoted": _promoted(client, model, version)}
    paths.write_whole(target / NAME, found.model_copy(update=told).as_json())
    return True


def identity(client: "MlflowClient", model: str, version: Version, folder: Path) -> Identity:
    """Give what a version says of itself; the folder holds all its files."""
    tags = version.tags
    return Identity(
        name=model,
        version=version.number,
        alias=next(iter(version.aliases), None),
        digest=version.digest,
        files={name: bundle.file_digest(path) for name, path in bundle.files(folder).items()},
        classes=bounds.document(folder / "model.json")["classes"],
        precision=version.precision,
        precision_reason=version.precision_reason,
        source=Source(**{name.removeprefix("irisline."): tags.get(name, "none") for name in lineage.SOURCE}),
        run_id=version.run_id,
        metrics=_metrics(version.metrics),
        licences=version.facts.licences,
        providers=version.facts.providers,
        registered=datetime.fromtimestamp(version.created, UTC).isoformat(timespec="seconds"),
        promoted=_promoted(client, model, version),
    )


def _needed(found: Identity, gpu: bool) -> list[str]:
    """Give the names of the files a device needs: the CPU one network, a GPU the weights beside it."""
    network = NETWORKS[found.precision]
    unused = {*NETWORKS.values(), WEIGHTS} - {network, WEIGHTS if gpu else network}
    return [name for name in found.files if name not in unused]


def _metrics(numbers: dict[str, float]) -> dict[str, Metric]:
    finite = {name: value for name, value in numbers.items() if math.isfinite(value)}
    plain = (name for name in finite if not name.endswith(("_low", "_high")))
    return {
        name: Metric(value=finite[name], low=finite.get(f"{name}_low"), high=finite.get(f"{name}_high"))
        for name in plain
    }


def _promoted(client: "MlflowClient", model: str, version: Version) -> str | None:
    """Give when the version was last made the champion, or None; a change under way has happened once its alias has moved."""
    happened = {"done", "under way"} if versions.CHAMPION in version.aliases else {"done"}
    for entry in journal.entries(client, model):
        if entry.state in happened and entry.change.after == version.number:
            return entry.when.isoformat(timespec="seconds")
    return None
