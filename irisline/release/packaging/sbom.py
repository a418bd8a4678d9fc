"""The bill of materials of an image as CycloneDX: its Python packages with licences, its base's packages, and the model.

`python -m irisline.release.packaging.sbom` prints that of all that is installed here.

Read from the image itself, not from what was asked for. Knows nothing of how images are built.
"""

import csv
import io
import json
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.utils import canonicalize_name

from irisline.core.errors import ReleaseError
from irisline.inference.identity import Identity

# Runs in the image, which need not have tar: the metadata of the packages, and the list of what the base is made of.
_METADATA = """
import pathlib, sys, tarfile
with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as archive:
    for folder in pathlib.Path("/opt/irisline/packages").glob("*.dist-info"):
        archive.add(folder, f"packages/{folder.name}")
    base = pathlib.Path("/var/lib/dpkg/status")
    if base.exists():
        archive.add(base, "status")
"""


# Libraries of the GPL's family that wheels bring along, each a file of its own, linked when it is loaded.
COPYLEFT = {
    **dict.fromkeys(("libavcodec", "libavformat", "libavutil", "libswresample", "libswscale"), "LGPL-2.1-or-later"),
    **dict.fromkeys(("libgfortran", "libgomp"), "GPL-3.0-or-later WITH GCC-exception-3.1"),
    "libquadmath": "LGPL-2.1-or-later",
}
_LIBRARY = re.compile(r"lib.*\.so\b")


def of_image(engine: str, tag: str, identity: Identity) -> str:
    """Return the document as text; raise ReleaseError when the image cannot be read."""
    with tempfile.TemporaryDirectory(prefix="irisline-") as scratch:
        found = Path(scratch)
        _read(engine, tag, found / "image")
        document = _python(found / "image" / "packages", found / "environment")
        document["components"] += [*_base(found / "image" / "status"), _model(identity)]
    name, _, version = tag.partition(":")
    document["metadata"]["component"] = {"bom-ref": tag, "type": "container", "name": name, "version": version}
    return json.dumps(document, indent=2) + "\n"


def of_environment() -> str:
    """Return the document of all that is installed here: what makes a model, and never travels with it, too."""
    return json.dumps(_described(sys.executable, Path(sysconfig.get_path("purelib"))), indent=2) + "\n"


def _read(engine: str, tag: str, target: Path) -> None:
    words = (engine, "run", "--rm", "--network", "none", "--entrypoint", "python3.11", tag, "-c", _METADATA)
    done = subprocess.run(words, capture_output=True, check=False)
    if done.returncode:
        raise ReleaseError(f"{tag}: cannot be read for its bill of materials: {done.stderr.decode().strip()[-200:]}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        for member in archive:  # Python 3.11.2 has no filters for extractall
            place = PurePosixPath(member.name)
            inside = member.isreg() and not place.is_absolute() and ".." not in place.parts
            if inside and (data := archive.extractfile(member)):
                (target / place).parent.mkdir(parents=True, exist_ok=True)
                (target / place).write_bytes(data.read())


def _python(packages: Path, environment: Path) -> dict[str, Any]:
    """Return the document of the Python packages, by an environment that holds only them."""
    venv.create(environment)
    site = next(environment.glob("lib/python*/site-packages"))
    for folder in packages.iterdir():
        folder.rename(site / folder.name)
    return _described(str(environment), site)


def _described(environment: str, site: Path) -> dict[str, Any]:
    """Return what cyclonedx-py writes of an environment, with licences it does not know how to spell, and bundled libraries."""
    words = ("environment", "--output-reproducible", "--spec-version", "1.6", environment)
    done = subprocess.run((sys.executable, "-m", "cyclonedx_py", *words), capture_output=True, text=True, check=False)
    if done.returncode:
        raise ReleaseError(
            f"cyclonedx-py: {(done.stderr.strip() or 'no word why').splitlines()[-1]}; type make install"
        )
    document: dict[str, Any] = json.loads(done.stdout)
    packages = {canonicalize_name(each.name): each for each in metadata.distributions(path=[str(site)])}
    for component in document["components"]:
        known = packages.get(canonicalize_name(component["name"]))
        if (
            known
            and not component.get("licenses")
            and "License" in known.metadata
            and (said := known.metadata["License"])
        ):
            component["licenses"] = [{"license": {"name": said.splitlines()[0]}}]
    document["components"] += [library for each in packages.values() for library in bundled(each)]
    return document


def bundled(package: metadata.Distribution) -> list[dict[str, Any]]:
    """Return the libraries of the GPL's family that a package brings along, as components."""
    recorded = csv.reader((package.read_text("RECORD") or "").splitlines())  # of an image only what is recorded is here
    files = [name for row in recorded if _LIBRARY.match(name := PurePosixPath(row[0]).name)]
    return [
        {
            "bom-ref": f"bundled:{package.name}/{file}",
            "type": "library",
            "name": name,
            "licenses": [{"expression": COPYLEFT[name]}],
            "properties": [{"name": "irisline:bundled_in", "value": package.name}],
        }
        for file in sorted(files)
        if (name := re.split(r"[-.]", file)[0]) in COPYLEFT
    ]


def _base(status: Path) -> list[dict[str, Any]]:
    """Return the packages of a Debian base; none when it is another."""
    texts = status.read_text(encoding="utf-8").strip().split("\n\n") if status.is_file() else []
    fields = (HeaderParser().parsestr(text) for text in texts)
    rows = ((found["Package"], found["Version"], found["Architecture"]) for found in fields)
    return [
        {
            "bom-ref": f"deb:{name}",
            "type": "library",
            "name": name,
            "version": version,
            "purl": f"pkg:deb/debian/{name}@{version.replace(':', '%3A')}?arch={architecture}",
        }
        for name, version, architecture in rows
    ]


def _model(identity: Identity) -> dict[str, Any]:
    """Return the version as the component it is."""
    return {
        "bom-ref": f"model:{identity.digest}",
        "type": "machine-learning-model",
        "name": identity.name,
        "version": str(identity.version),
        "hashes": [{"alg": "SHA-256", "content": identity.digest}],
        "properties": [
            {"name": f"irisline:{name}", "value": value}
            for name, value in {"run_id": identity.run_id, **identity.source.model_dump()}.items()
        ],
    }


if __name__ == "__main__":
    sys.stdout.write(of_environment())
