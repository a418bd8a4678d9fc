"""A Bento as an image, with docker or podman, whichever answers. Knows nothing of registries.

The index, proxy and certificates that pip uses on this machine serve the build as secrets: they stay in no layer.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from irisline.core import console, paths
from irisline.core.errors import ReleaseError
from irisline.core.params import Params
from irisline.release.packaging import bento, sbom
from irisline.release.packaging.bento import CPU, Kind

FOLDER = paths.ARTIFACTS / "containers"  # for what lies beside the images
ENGINES = {
    "docker": ("docker", "build", "--network", "host"),
    "podman": ("podman", "build", "--network", "host", "--format", "docker"),  # the other format has no health check
}
PREFIX = "irisline/"  # of the names of images
LAYERS = ("packages", "code", "version")  # ours, above those of the base
_PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy")
_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")  # what pip reads when it has no setting of its own
_CERTIFICATES_THERE = "/build/certificates.pem"  # where the Dockerfile mounts them


@dataclass(frozen=True)
class Image:
    """An image in an engine's store."""

    tag: str
    engine: str
    layers: dict[str, int]  # bytes by name, those of the base as one, from the bottom
    sbom: Path

    @property
    def size(self) -> int:
        """Bytes of all layers."""
        return sum(self.layers.values())


def build(params: Params, number: int | None = None, kind: Kind = CPU, engine: str | None = None) -> Image:
    """Build the image of a version, of the champion when no number is given.

    Raise as bento.build does, and ReleaseError when no engine answers or the build fails.
    """
    engine = choose(engine)
    built = bento.build(params, number, kind)
    tag, dockerfile = f"{PREFIX}{built.tag}", str(built.folder / bento.DOCKERFILE)
    console.say(f"{tag}: building with {engine}; the first time installs the packages, which takes minutes")
    with _secrets() as secrets:
        _run(*ENGINES[engine], "--file", dockerfile, "--tag", tag, *secrets, str(built.folder))
    bill = FOLDER / f"{built.tag.replace(':', '-')}.cdx.json"
    paths.write_whole(bill, sbom.of_image(engine, tag, built.identity))
    return Image(tag, engine, layers(engine, tag), bill)


def choose(engine: str | None = None) -> str:
    """Return the engine that is named, else the first that answers; raise ReleaseError that says why none does."""
    reasons = {name: _why_silent(name) for name in ([engine] if engine else ENGINES)}
    for name, reason in reasons.items():
        if reason is None:
            return name
    told = ", ".join(f"{name} ({reason})" for name, reason in reasons.items())
    raise ReleaseError(f"no container engine answers: {told}; install podman, or start docker")


def layers(engine: str, tag: str) -> dict[str, int]:
    """Return the bytes of an image's layers by name, those of the base as one, from the bottom."""
    return sizes(_run(engine, "history", "--format", "{{json .}}", "--human=false", tag))


def sizes(told: str) -> dict[str, int]:
    """Return what layers gives, from what an engine tells: podman one document, docker one a line."""
    rows = json.loads(told) if told.startswith("[") else [json.loads(line) for line in told.splitlines()]
    filled = [size for row in reversed(rows) if (size := int(row.get("size", row.get("Size", 0))))]
    ours = len(LAYERS)
    return {"base": sum(filled[:-ours]), **dict(zip(LAYERS, filled[-ours:], strict=True))}


def _why_silent(engine: str) -> str | None:
    """Say why an engine cannot be used, or None when it can."""
    if engine not in ENGINES:
        return f"not known; {' or '.join(ENGINES)}"
    if shutil.which(engine) is None:
        return "not installed"
    done = subprocess.run((engine, "info"), capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else _reason(done)


def _run(*words: str) -> str:
    """Return what an engine prints; raise ReleaseError with its own reason when it fails."""
    done = subprocess.run(words, capture_output=True, text=True, env=os.environ | {"DOCKER_BUILDKIT": "1"}, check=False)
    if done.returncode:
        raise ReleaseError(f"{words[0]} {words[1]} {words[-1]}: {_reason(done)}")
    return done.stdout


def _reason(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the line of an output that says why: pip's own when there is one, for the engine's says only that pip failed."""
    output = done.stdout + done.stderr
    told = re.findall(r"(?:ERROR|[A-Z]\w*Error): .*", output) or output.split("\n")
    return next((line.strip() for line in reversed(told) if line.strip()), "no word why")[:300]


@contextmanager
def _secrets() -> Iterator[list[str]]:
    """Yield the words that hand pip's settings of this machine to a build, for as long as it takes."""
    settings = dict(re.findall(r"^[\w:]+\.([\w-]+)='(.*)'$", _pip_settings(), re.M))
    given = {name: value for name in _PIP_SETTINGS if (value := _reachable(settings.get(name, "")))}
    certificates = settings.get("cert") or next(filter(None, map(os.environ.get, _CERTIFICATES)), None)
    with tempfile.TemporaryDirectory(prefix="irisline-") as scratch:
        words: list[str] = []
        if certificates:
            words += ["--secret", f"id=certificates,src={certificates}"]
            given["cert"] = _CERTIFICATES_THERE
        if given:
            file = Path(scratch, "pip.conf")
            file.write_text("\n".join(["[global]", *(f"{name} = {value}" for name, value in given.items())]) + "\n")
            words += ["--secret", f"id=pip,src={file}"]
        yield words


def _pip_settings() -> str:
    words = (sys.executable, "-m", "pip", "config", "list")
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def _reachable(value: str) -> str:
    """Return a setting without what lies on this machine's disk: the build does not see that."""
    return " ".join(part for part in value.replace("\\n", " ").split() if not part.startswith(("file:", "/")))
