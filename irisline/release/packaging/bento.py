"""A version of the registry as a Bento: its files, the code that serves them, the locked packages and our own Dockerfile.

The tag says which registry version and files it holds: <name>:v3-<first 12 of the digest>. Built again from the same
version and code it is the same Bento. Knows nothing of container engines.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from irisline.core import class_names, console, paths
from irisline.core.errors import ReleaseError
from irisline.core.params import Params
from irisline.inference import trusted_keys
from irisline.inference.identity import Identity
from irisline.release.packaging import version_folder
from irisline.release.promotion import registry
from irisline.release.publishing import import_closure, pyfunc_package
from irisline.release.signatures import signed
from irisline.release.tracking import lineage, store

BASE = "python:3.11-slim"
DOCKERFILE = Path("env/docker/Dockerfile")
REQUIREMENTS = Path("env/python/requirements.txt")
CONTENTS = "contents"  # the label that says what was packed, so that another build need not do it again
# BentoML's own image, and its page about routes that it does not know: ours needs no shell, and describes itself.
_GENERATED = ("env/docker/entrypoint.sh", "env/python/requirements.in", "apis/openapi.yaml")
_IMAGE = Path(__file__).parent / "image"
_NVIDIA = "ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility\n"
_WATCHES = "irisline/release/serving/watch.py"
_STARTED = ("service/service.py", "service/__main__.py", "service/health.py", *pyfunc_package.STARTED)


@dataclass(frozen=True)
class Kind:
    """What a Bento is for: a machine with or without NVIDIA's devices, and whether it may follow a registry."""

    gpu: bool = False
    follow: bool = False

    @property
    def suffix(self) -> str:
        """What tells the kinds of one version apart, in their tags."""
        return "-follow" * self.follow + "-gpu" * self.gpu

    @property
    def modules(self) -> list[str]:
        """The modules that are started, or loaded by name."""
        return [*_STARTED, *[pyfunc_package.ON_CUDA] * self.gpu, *[_WATCHES] * self.follow]

    @property
    def requirements(self) -> list[str]:
        """All that its image installs, each as name==version; `make lock` writes it."""
        lines = (_IMAGE / f"requirements{self.suffix}.txt").read_text(encoding="utf-8").splitlines()
        return [line for line in lines if not line.startswith("#")]


CPU = Kind()


@dataclass(frozen=True)
class Built:
    """A Bento in BentoML's store."""

    tag: str
    folder: Path
    identity: Identity
    changed: bool  # False when it was there, with the very same contents


def build(params: Params, number: int | None = None, kind: Kind = CPU) -> Built:
    """Build a Bento of a version, of the champion when no number is given.

    Raise as registry.proven does, ReleaseError when BentoML fails.
    """
    version, client = registry.proven(params, number), store.client()
    with tempfile.TemporaryDirectory(prefix="irisline-") as scratch:
        packed = Path(scratch, "packed")
        with store.one_line_failures():
            proven = signed.verified(client, params.base.name, version, console.fail)
            identity = version_folder.export(client, params.base.name, proven, packed / "model", kind.gpu)
        _copy_code(kind, paths.CODE, packed)
        _copy_keys(packed / "keys")
        image = _image_files(kind, identity)
        return _keep(identity, kind, packed, image)


def tag_of(identity: Identity, kind: Kind) -> str:
    """Return the tag of a version's Bento, which is its image's too."""
    return f"{identity.name.lower()}:v{identity.version}-{identity.digest[:12]}{kind.suffix}"


def _copy_code(kind: Kind, root: Path, packed: Path) -> None:
    """Copy the files that serving imports, and the page."""
    code = import_closure.travelling([root / module for module in kind.modules], root)
    page = (path for path in (root / "service" / "page").iterdir() if path.is_file())
    for file in {*code, *page}:
        target = packed / file.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def _copy_keys(target: Path) -> None:
    """Copy the public keys that are trusted here: the service verifies by them whatever it is told to serve."""
    target.mkdir()
    for key in signed.trusted():
        (target / f"{key.name}.pem").write_bytes(trusted_keys.pem(key.public))


def _image_files(kind: Kind, identity: Identity) -> dict[Path, str]:
    """Return the text of each file that the image is built by."""
    labels = " \\\n    ".join(f"{name}={_in_dockerfile(value)}" for name, value in _labels(kind, identity).items())
    return {
        DOCKERFILE: f"{(_IMAGE / 'Dockerfile').read_text(encoding='utf-8')}{_NVIDIA * kind.gpu}LABEL {labels}\n",
        DOCKERFILE.with_name("layers.py"): (_IMAGE / "layers.py").read_text(encoding="utf-8"),
        REQUIREMENTS: "\n".join(kind.requirements) + "\n",
    }


def _in_dockerfile(value: str) -> str:
    """Return a value between quotes in which nothing ends it, and no $ begins a variable."""
    return '"' + re.sub(r'(["$\\])', r"\\\1", value) + '"'


def _labels(kind: Kind, identity: Identity) -> dict[str, str]:
    return {
        "org.opencontainers.image.title": identity.name,
        "org.opencontainers.image.description": f"Tells which of {class_names.some(identity.classes)} a picture shows.",
        "org.opencontainers.image.version": tag_of(identity, kind).partition(":")[2],
        "org.opencontainers.image.revision": lineage.source_tags()[lineage.COMMIT],
        "org.opencontainers.image.created": identity.registered,
        "org.opencontainers.image.base.name": BASE,
        **{f"irisline.{name}": value for name, value in _facts(identity).items()},
    }


def _facts(identity: Identity) -> dict[str, str]:
    return {
        "version": str(identity.version),
        "digest": identity.digest,
        "git_commit": identity.source.git_commit,
        "run_id": identity.run_id,
        "precision": identity.precision,
    }


def _keep(identity: Identity, kind: Kind, packed: Path, image: dict[Path, str]) -> Built:
    """Return the Bento with these contents from BentoML's store, built unless it is there."""
    tag, contents = tag_of(identity, kind), _digest(packed, image)
    found = _folder(tag)
    if found and _is_whole(found, contents, image):
        return Built(tag, found, identity, changed=False)
    if found:
        _bentoml("delete", tag, "--yes")
    _pack(tag, packed, {CONTENTS: contents, **_facts(identity)}, image[REQUIREMENTS].split())
    folder = Path(_bentoml("get", tag, "--output", "path").stdout.strip())
    for name in _GENERATED:
        (folder / name).unlink(missing_ok=True)
    for file, text in image.items():
        (folder / file).write_text(text, encoding="utf-8")
    return Built(tag, folder, identity, changed=True)


def _folder(tag: str) -> Path | None:
    """Return the folder of a Bento in BentoML's store, or None when it is not there."""
    done = _bentoml("get", tag, "--output", "path", check=False)
    return None if done.returncode else Path(done.stdout.strip())


def _is_whole(folder: Path, contents: str, image: dict[Path, str]) -> bool:
    """Return whether a Bento holds these contents; one whose build was cut off lacks our Dockerfile."""
    labels = yaml.safe_load((folder / "bento.yaml").read_text(encoding="utf-8"))["labels"]
    return labels.get(CONTENTS) == contents and (folder / DOCKERFILE).read_text(encoding="utf-8") == image[DOCKERFILE]


def _digest(packed: Path, image: dict[Path, str]) -> str:
    """Return the sha256 of all that goes into a Bento: names and bytes."""
    whole = hashlib.sha256()
    for path in sorted(path for path in packed.rglob("*") if path.is_file()):
        whole.update(
            f"{path.relative_to(packed).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode()
        )
    whole.update(json.dumps({str(name): text for name, text in image.items()}).encode())
    return whole.hexdigest()


def _pack(tag: str, packed: Path, labels: dict[str, str], packages: list[str]) -> None:
    """Let BentoML build from a folder."""
    name, _, version = tag.partition(":")
    settings: dict[str, Any] = {
        "service": "service.service:Irisline",
        "name": name,
        "description": f"{name}: a version of the registry, and the service that answers with it.",
        "labels": labels,
        "include": ["*"],
        "python": {"packages": packages, "lock_packages": False},
        "docker": {"base_image": BASE, "python_version": "3.11"},
    }
    (packed / "bentofile.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    _bentoml("build", ".", "--version", version, folder=packed)


def _bentoml(*words: str, folder: Path = Path(), check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run BentoML in a process of its own, for it imports the service that it packs; raise ReleaseError when it fails."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("IRISLINE_")}
    clean["COLUMNS"] = "10000"  # it would break a long path into lines
    command = (sys.executable, "-m", "bentoml", *words)
    done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=False)
    if check and done.returncode:
        reason = " ".join((done.stderr.partition("Error: ")[2] or done.stderr or done.stdout).split())
        raise ReleaseError(f"bentoml {' '.join(words)}: {reason[:500]}")
    return done
