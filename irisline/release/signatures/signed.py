"""A version as it was signed: its manifest and signature, fetched from the store and verified, then its files.

What the store's tags say is for people; who decides by a version decides by what is given here. The two documents lie
beside the version's files in the store, in a folder of their own for each signing, and one tag names the last.
"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from irisline.core import params, paths
from irisline.core.errors import MissingInput, ModelError, NotFound, ReleaseError
from irisline.inference import signature_check, trusted_keys
from irisline.inference.identity import Manifest
from irisline.inference.signature_check import MANIFEST, SIGNATURE, Signed
from irisline.release.tracking import artifacts, lineage, store, versions
from irisline.release.tracking.version_tags import Facts
from irisline.release.tracking.versions import Version

if TYPE_CHECKING:
    from mlflow import MlflowClient

TRUSTED = "IRISLINE_TRUSTED_KEYS"  # the folder of the keys, where there is no project
TAG = "irisline.signed"  # which of the folders below FOLDER holds the documents
FOLDER = "signed"


@dataclass(frozen=True, kw_only=True)
class SignedVersion(Version):
    """A version whose digest, run and tags are those that were signed. Made by verified alone."""

    signed: Signed
    documents: dict[str, bytes]  # the manifest and the signature, by the names of their files


def keys_folder() -> Path:
    """Return the folder of the trusted public keys: the environment's, else the one that params.yaml names."""
    named = os.environ.get(TRUSTED)
    return Path(named) if named else store.home() / params.read(paths.PARAMS).release.trusted_keys


def trusted() -> tuple[trusted_keys.Key, ...]:
    """Return the keys that are trusted; raise ModelError for a file that holds none."""
    return trusted_keys.trusted(keys_folder())


def verified(
    client: "MlflowClient", model: str, version: Version, tell: Callable[[str], object] = lambda _: None
) -> SignedVersion:
    """Return a version as it was signed by a trusted key, and tell of tags that disagree; raise ModelError if it was not."""
    if isinstance(version, SignedVersion):
        return version
    documents = _documents(client, model, version)
    found = signature_check.opened(documents[MANIFEST], documents[SIGNATURE], trusted(), model, version.number)
    tags = tags_of(found.manifest)
    differing = [name for name, text in tags.items() if not _same(version.tags.get(name, ""), text)]
    if differing:
        tell(f"{model} version {version.number}: what was signed counts, and these tags differ: {', '.join(differing)}")
    facts, _ = Facts.read(version.tags | tags)
    return SignedVersion(
        number=version.number,
        facts=facts,
        aliases=version.aliases,
        run_id=found.manifest.run_id,
        created=version.created,
        tags=version.tags | tags,
        description=version.description,
        source=version.source,
        signed=found,
        documents=documents,
    )


def fetch(client: "MlflowClient", model: str, version: SignedVersion, fresh: bool = False) -> Path:
    """Return the folder of a version's files, each the one that was signed, and no other; raise ModelError if not so."""
    folder = (versions.download if fresh else versions.fetch)(client, model, version)
    try:
        signature_check.holds(folder, version.signed.files, f"{model} version {version.number}")
    except ModelError:
        versions.forget(version)
        raise
    return folder


def manifest(model: str, number: int, digest: str, classes: list[str], tags: Mapping[str, str]) -> Manifest:
    """Return the manifest of a version from the texts of its tags; raise ReleaseError when they do not make one."""
    try:
        facts = {
            "name": model,
            "version": number,
            "digest": digest,
            "classes": classes,
            "precision": tags.get(versions.PRECISION, "float32"),
            "precision_reason": tags.get(versions.PRECISION_REASON, "not measured"),
            "source": {name.removeprefix("irisline."): tags.get(name, "none") for name in lineage.SOURCE},
            "run_id": tags[versions.RUN],
            "gate": _plain(tags[versions.GATE]),
            "metrics": _plain(tags.get(versions.METRICS, "{}")),
            "licences": _plain(tags.get(versions.LICENCES, "{}")),
            "providers": _plain(tags.get(versions.PROVIDERS, "{}")),
            "pictures": _plain(tags.get(versions.PICTURES, "{}")),
        }
        return Manifest.model_validate(facts)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        reason = f"{'.'.join(map(str, first['loc']))[:80]}: {first['msg'][:200]}"
    except KeyError as error:
        reason = f"no tag {error}"
    except (ValueError, RecursionError) as error:
        reason = f"a tag that is no JSON: {error}"
    raise ReleaseError(f"{model} version {number}: its tags cannot be signed: {reason}; publish it anew")


def tags_of(told: Manifest) -> dict[str, str]:
    """Return the tags that say what a manifest says."""
    source = told.source.model_dump()
    return {
        versions.DIGEST: told.digest,
        versions.GATE: json.dumps(told.gate.model_dump()),
        versions.METRICS: json.dumps(told.metrics),
        versions.LICENCES: json.dumps(told.licences),
        versions.PROVIDERS: json.dumps(told.providers),
        versions.RUN: told.run_id,
        versions.PRECISION: told.precision,
        versions.PRECISION_REASON: told.precision_reason,
        "gate": "passed" if told.gate.passed else "refused",
        **({"error_rate": f"{told.metrics['error_rate']:.4f}"} if "error_rate" in told.metrics else {}),
        **({versions.PICTURES: json.dumps(told.pictures)} if told.pictures else {}),
        **{name: source[name.removeprefix("irisline.")] for name in lineage.SOURCE},
    }


def attach(client: "MlflowClient", model: str, version: Version, documents: dict[str, bytes]) -> None:
    """Put what was signed beside a version's files: the documents first, then the tag that names them."""
    name = hashlib.sha256(documents[MANIFEST] + documents[SIGNATURE]).hexdigest()[:16]
    with tempfile.TemporaryDirectory(prefix="irisline-") as scratch:
        for file, data in documents.items():
            Path(scratch, file).write_bytes(data)
        stored = _stored(client, model, version.number)
        artifacts.writable(client.get_logged_model(stored).artifact_location)
        client.log_model_artifacts(stored, scratch, f"{FOLDER}/{name}")
    client.set_model_version_tag(model, str(version.number), TAG, name)


def _stored(client: "MlflowClient", model: str, number: int) -> str:
    """Return the id of the model whose files a version holds."""
    row = client.get_model_version(model, str(number))
    return str(row.model_id or str(row.source).removeprefix("models:/"))


def _documents(client: "MlflowClient", model: str, version: Version) -> dict[str, bytes]:
    """Return the manifest and the signature that the store holds of a version, as long as they may be."""
    name = version.tags.get(TAG, "")
    if not re.fullmatch(r"[0-9a-f]{16}", name):
        raise ModelError(
            f"{model} version {version.number}: is not signed; type irisline sign {version.number}, "
            "or irisline publish where it was made"
        )
    with tempfile.TemporaryDirectory(prefix="irisline-") as scratch:
        try:
            folder = versions.part(model, version, f"{FOLDER}/{name}", Path(scratch), 2 * signature_check.LARGEST)
            return {file: signature_check.bounded(folder / file) for file in (MANIFEST, SIGNATURE)}
        except (MissingInput, NotFound) as error:
            raise ModelError(
                f"{model} version {version.number}: its signature is not in the store; type irisline sign "
                f"{version.number}, or irisline publish where it was made"
            ) from error


def _same(told: str, signed: str) -> bool:
    """Return whether a tag says what was signed; one may have been written another way, or hold numbers that are none."""
    try:
        return told == signed or _plain(told) == _plain(signed)
    except (ValueError, RecursionError):
        return False


def _plain(text: str) -> Any:
    """Return what a tag's JSON holds, numbers that are none left out."""
    found = json.loads(text, parse_constant=lambda _: None)
    return {name: value for name, value in found.items() if value is not None} if isinstance(found, dict) else found
