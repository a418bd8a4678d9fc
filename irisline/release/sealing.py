"""A version signed: the workspace's when it is published, and one of before there were signatures, once it is proven.

What is signed is what is here, or what was proven here; never what the store says it holds.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from irisline.errors import ModelError, NotFound
from irisline.release import evidence, signed, signing, versions

if TYPE_CHECKING:
    from mlflow import MlflowClient


class Classes(TypedDict):
    """What model.json says of the classes."""

    classes: list[str]


def seal(client: "MlflowClient", model: str, number: int, files: dict[str, Path], tags: Mapping[str, str]) -> bool:
    """Sign a version's files and what is told of it, unless that is signed already; say whether it had no signature."""
    classes = evidence.read_json(files["model.json"], Classes)["classes"]
    manifest = signed.manifest(model, number, tags[versions.DIGEST], classes, tags)
    version = versions.get(client, model, number)
    try:
        before = signed.verified(client, model, version)
    except (ModelError, NotFound):  # the signature went with the files
        before = None
    if before is None or before.signed.manifest != manifest:
        signed.attach(client, model, version, signing.sign(manifest, files))
    return before is None
