"""A version signed: the workspace's when it is published, and one of before there were signatures, once it is proven.

What is signed is what is here, or what was proven here; never what the store says it holds.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from irisline.core.errors import ModelError
from irisline.inference.identity import Manifest
from irisline.release.publishing import run_contents
from irisline.release.signatures import signed, signing
from irisline.release.tracking import versions
from irisline.release.tracking.versions import Version

if TYPE_CHECKING:
    from mlflow import MlflowClient


class Classes(TypedDict):
    """What model.json says of the classes."""

    classes: list[str]


def seal(client: "MlflowClient", model: str, number: int, files: dict[str, Path], tags: Mapping[str, str]) -> bool:
    """Sign a version's files and what is told of it, unless a trusted key has signed just that; say whether this signed."""
    classes = run_contents.read_json(files["model.json"], Classes)["classes"]
    manifest = signed.manifest(model, number, tags[versions.DIGEST], classes, tags)
    version = versions.get(client, model, number)
    if signed_before(client, model, version) == manifest:
        return False
    signed.attach(client, model, version, signing.sign(manifest, files))
    return True


def signed_before(client: "MlflowClient", model: str, version: Version) -> Manifest | None:
    """Return what a trusted key has signed of a version; None where none has, or the signature went with the files."""
    try:
        return signed.verified(client, model, version).signed.manifest
    except ModelError:
        return None
