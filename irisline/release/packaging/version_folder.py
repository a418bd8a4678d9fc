"""A version of the registry as the folder a service is started from: its files and what it says of itself.

Knows nothing of services, Bentos or images.
"""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from irisline.core import paths
from irisline.inference.identity import NAME, Identity
from irisline.inference.signature_check import MANIFEST
from irisline.networks.bundle import NETWORKS, WEIGHTS
from irisline.release.promotion import journal
from irisline.release.signatures import signed
from irisline.release.signatures.signed import SignedVersion
from irisline.release.tracking import versions
from irisline.release.tracking.versions import Version

if TYPE_CHECKING:
    from mlflow import MlflowClient


def export(client: "MlflowClient", model: str, version: Version, target: Path, gpu: bool = False) -> Identity:
    """Fill a folder with what a device needs of a version as it was signed; what was there before is replaced."""
    proven = signed.verified(client, model, version)
    kept = signed.fetch(client, model, proven)
    found = identity(client, model, proven)
    with paths.whole_folder(target) as folder:
        for name in _needed(found, gpu):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(kept / name, folder / name)
        for name, document in proven.documents.items():
            (folder / name).write_bytes(document)
        (folder / NAME).write_text(found.as_json(), encoding="utf-8")
    return found


def renew(client: "MlflowClient", model: str, version: SignedVersion, target: Path) -> bool:
    """Bring up to date what a folder says of itself, if it holds this version already; say whether it does."""
    if not (target / MANIFEST).is_file() or (target / MANIFEST).read_bytes() != version.documents[MANIFEST]:
        return False
    paths.write_whole(target / NAME, identity(client, model, version).as_json())
    return True


def identity(client: "MlflowClient", model: str, version: SignedVersion) -> Identity:
    """Return what a version says of itself."""
    return Identity.of(
        version.signed.manifest,
        version.signed.files,
        alias=next(iter(version.aliases), None),
        registered=datetime.fromtimestamp(version.created, UTC).isoformat(timespec="seconds"),
        promoted=_promoted(client, model, version),
    )


def _needed(found: Identity, gpu: bool) -> list[str]:
    """Return the names of the files a device needs: the CPU one network, a GPU the weights beside it."""
    network = NETWORKS[found.precision]
    unused = {*NETWORKS.values(), WEIGHTS} - {network, WEIGHTS if gpu else network}
    return [name for name in found.files if name not in unused]


def _promoted(client: "MlflowClient", model: str, version: Version) -> str | None:
    """Return when the version was last made the champion, or None; a change under way has happened once its alias has moved."""
    happened = {"done", "under way"} if versions.CHAMPION in version.aliases else {"done"}
    for entry in journal.entries(client, model):
        if entry.state in happened and entry.change.after == version.number:
            return entry.when.isoformat(timespec="seconds")
    return None
