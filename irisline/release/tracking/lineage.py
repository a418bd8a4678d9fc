"""Where a result came from: commit, lock files, machine and packages, as tags. Knows nothing of runs or registries."""

import hashlib
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import yaml

from irisline.core.bounded import plain_files
from irisline.release.tracking import store

COMMIT = "irisline.git_commit"
DIRTY = "irisline.git_dirty"
LOCK = "irisline.dvc_lock_sha256"
POOL = "irisline.data_md5"

SOURCE = (COMMIT, DIRTY, LOCK, POOL)
_PACKAGES = ("torch", "fastai", "onnxruntime", "mlflow")
MACHINE = ("irisline.python", "irisline.platform", *(f"irisline.{name}" for name in _PACKAGES))

_DVC_LOCK = Path("dvc.lock")
_POOL_POINTER = Path("data.dvc")
_MADE_BY_A_RUN = (
    "dvc.lock",
    "reports",
    "dvc_plots",
    "*.pem",
)  # public keys too; what a run writes does not decide what it yields


def run_tags() -> dict[str, str]:
    """Return what a run is tagged with: who, source tags that may be refined later, and the machine."""
    return {"mlflow.user": store.user(), "mlflow.source.name": "irisline", **source_tags(), **machine_tags()}


def source_tags() -> dict[str, str]:
    """Return commit, whether the tree differs from it, and the digests of dvc.lock and of the pool that data.dvc pins."""
    return {COMMIT: _git("rev-parse", "HEAD") or "none", DIRTY: _dirty(), LOCK: _lock_digest(), POOL: pool_digest()}


def machine_tags() -> dict[str, str]:
    """Return the interpreter, the platform and the packages that decide numbers."""
    versions = {f"irisline.{name}": version(name) for name in _PACKAGES}
    return {"irisline.python": platform.python_version(), "irisline.platform": platform.platform(), **versions}


def version(package: str) -> str:
    """Return the installed version of a package, or a dash."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "-"


def packages() -> str:
    """Return every installed package with its version, one a line, as pip reads them."""
    names = {f"{found.metadata['Name']}=={found.version}" for found in metadata.distributions()}
    return "\n".join(sorted(names, key=str.lower)) + "\n"


def pool_digest() -> str:
    """Return the md5 that data.dvc pins, or none."""
    if not _POOL_POINTER.exists():
        return "none"
    outputs = yaml.safe_load(plain_files.read(_POOL_POINTER))["outs"]
    return str(outputs[0].get("md5", "none"))


def is_settled(tags: dict[str, str]) -> bool:
    """Return whether recorded source tags name a commit that rebuilds the result as it stands."""
    return tags.get(DIRTY) == "no"


def code_of(commit: str) -> tuple[str, str]:
    """Return a commit and the one here; the same twice when nothing between them decides a result.

    When they differ in a file that does, the first names it.
    """
    here = _git("rev-parse", "HEAD") or "none"
    if commit == here or _git("cat-file", "-e", f"{commit}^{{commit}}") is None:
        return commit, here
    between = _git("diff", "--name-only", commit, "HEAD", "--", ".", *_not_made_by_a_run())
    return (here, here) if between == "" else (f"{commit[:12]} ({(between or 'a file').splitlines()[0]} differs)", here)


def _not_made_by_a_run() -> list[str]:
    return [f":(exclude){made}" for made in _MADE_BY_A_RUN]


def _dirty() -> str:
    changes = _git("status", "--porcelain", "--", ".", *_not_made_by_a_run())
    return "yes" if changes or changes is None else "no"


def _lock_digest() -> str:
    return hashlib.sha256(plain_files.read(_DVC_LOCK)).hexdigest() if _DVC_LOCK.exists() else "none"


def _git(*words: str) -> str | None:
    try:
        return subprocess.run(("git", *words), capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
