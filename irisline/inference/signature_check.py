"""Whether a version is what somebody who is trusted has signed: its manifest, every file of it, and nothing beside.

Reads the bundles of model-signing (OpenSSF): Sigstore's format, a DSSE envelope around an in-toto statement that names
each file with its sha256. Part of the serving image, so that it needs `cryptography` alone. Knows nothing of registries,
nor where keys come from.
"""

import base64
import hashlib
import os
import stat
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from irisline.core.errors import MissingInput, ModelError
from irisline.inference import identity
from irisline.inference.identity import FileName, Identity, Manifest, Sha256, digest_of
from irisline.inference.trusted_keys import Key
from irisline.networks import bundle

MANIFEST = "manifest.json"
SIGNATURE = "model.sig"
LARGEST = 8 * 2**20  # bytes of a manifest, a signature or an identity

_ADVICE = "publish it anew, or type irisline sign"


class _Envelope(BaseModel):
    """A part of what lies around the signed statement, as model-signing writes it and no other way."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Signature(_Envelope):
    sig: str
    keyid: Literal[""]


class _Dsse(_Envelope):
    payload: str
    payload_type: Literal["application/vnd.in-toto+json"] = Field(alias="payloadType")
    signatures: list[_Signature] = Field(min_length=1, max_length=1)


class _PublicKey(_Envelope):
    hint: str


class _Material(_Envelope):
    public_key: _PublicKey = Field(alias="publicKey")
    log: list[str] = Field(alias="tlogEntries", max_length=0)


class _Bundle(_Envelope):
    media_type: Literal["application/vnd.dev.sigstore.bundle.v0.3+json"] = Field(alias="mediaType")
    material: _Material = Field(alias="verificationMaterial")
    envelope: _Dsse = Field(alias="dsseEnvelope")


class _Part(BaseModel):
    """A part of the signed statement; what it says beside these is its signer's."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Digest(_Part):
    sha256: Sha256


class _Subject(_Part):
    digest: _Digest


class _Resource(_Part):
    name: FileName
    algorithm: Literal["sha256"]
    digest: Sha256


class _Serialization(_Part):
    method: Literal["files"]
    hash_type: Literal["sha256"]
    allow_symlinks: Literal[False]


class _Predicate(_Part):
    serialization: _Serialization
    resources: list[_Resource]


class _Statement(_Part):
    kind: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type")
    predicate_type: Literal["https://model_signing/signature/v1.0"] = Field(alias="predicateType")
    subject: list[_Subject] = Field(min_length=1, max_length=1)
    predicate: _Predicate


Read = TypeVar("Read", bound=BaseModel)


@dataclass(frozen=True)
class Signed:
    """What was signed of a version, and by whose key."""

    manifest: Manifest
    files: dict[str, str]  # sha256 by name, the manifest left out
    by: Key


def verify(folder: Path, keys: Sequence[Key]) -> Identity:
    """Return the identity of a folder that holds a signed version, no file of it changed and none beside.

    Networks that only another device runs may be absent. Raise MissingInput or ModelError that names the first thing
    that is not as one of these keys signed it.
    """
    if (folder / identity.NAME).is_file():
        bounded(folder / identity.NAME)
    told = Identity.read(folder / identity.NAME)
    found = opened(bounded(folder / MANIFEST), bounded(folder / SIGNATURE), keys, told.name, told.version)
    beside = {"alias": told.alias, "registered": told.registered, "promoted": told.promoted}
    if told != Identity.of(found.manifest, found.files, **beside):  # type: ignore[arg-type]
        raise ModelError(f"{folder / identity.NAME}: says other things than were signed; export the version anew")
    holds_only(folder, {*found.files, MANIFEST, SIGNATURE, identity.NAME})
    return identity.verify(folder)


def opened(manifest: bytes, signature: bytes, keys: Sequence[Key], name: str, version: int) -> Signed:
    """Return what one of these keys has signed of this very version; raise ModelError when none has."""
    where = f"{name} version {version}"
    bundled = _parsed(signature, _Bundle, f"{where}: {SIGNATURE}")
    payload, proof = (_decoded(text) for text in (bundled.envelope.payload, bundled.envelope.signatures[0].sig))
    by = next((key for key in keys if key.fingerprint == bundled.material.public_key.hint), None)
    if by is None or not _made_by(by, bundled.envelope.payload_type, payload, proof):
        raise ModelError(f"{where}: is signed by none of the {len(keys)} trusted keys, or was changed; {_ADVICE}")
    statement = _parsed(payload, _Statement, f"{where}: {SIGNATURE}")
    files = {resource.name: resource.digest for resource in statement.predicate.resources}
    whole = hashlib.sha256(b"".join(bytes.fromhex(each.digest) for each in statement.predicate.resources)).hexdigest()
    if len(files) != len(statement.predicate.resources) or whole != statement.subject[0].digest.sha256:
        raise ModelError(f"{where}: {SIGNATURE}: contradicts itself; {_ADVICE}")
    if files.pop(MANIFEST, None) != hashlib.sha256(manifest).hexdigest():
        raise ModelError(f"{where}: {MANIFEST}: is not the one that was signed; {_ADVICE}")
    told = _parsed(manifest, Manifest, f"{where}: {MANIFEST}")
    if (told.name, told.version) != (name, version):
        raise ModelError(f"{where}: what was signed is {told.name} version {told.version}; {_ADVICE}")
    if told.digest != digest_of(files):
        raise ModelError(f"{where}: {MANIFEST}: its digest is not that of the signed files; {_ADVICE}")
    return Signed(told, files, by)


def holds(folder: Path, files: dict[str, str], where: str) -> None:
    """Raise ModelError that names the first file of a folder that is absent, is not the one that was signed, or is beside."""
    holds_only(folder, files)
    for name, wanted in sorted(files.items()):
        if not (folder / name).is_file():
            raise ModelError(f"{where}: {name}: was signed and is not there; {_ADVICE}")
        if bundle.file_digest(folder / name) != wanted:
            raise ModelError(f"{where}: {name}: is not the file that was signed; {_ADVICE}")


def holds_only(folder: Path, names: Collection[str]) -> None:
    """Raise ModelError that names the first thing in a folder that is not one of these files: another file, or a link."""
    for place, folders, files in os.walk(folder):
        for path in (Path(place, name) for name in (*folders, *files)):
            mode, name = path.lstat().st_mode, path.relative_to(folder).as_posix()
            if not stat.S_ISDIR(mode) and not (stat.S_ISREG(mode) and name in names):
                raise ModelError(f"{folder}: {name[:80]!r} was not signed; remove it, or export the version anew")


def bounded(file: Path) -> bytes:
    """Return the bytes of a small file, which must be one and no link."""
    if file.is_symlink() or not file.is_file():
        raise MissingInput(f"{file}: not found; only signed versions are served: {_ADVICE}")
    with file.open("rb") as opened_file:
        data = opened_file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ModelError(f"{file}: is longer than {LARGEST >> 20} MiB; {_ADVICE}")
    return data


def _made_by(key: Key, kind: str, payload: bytes, proof: bytes) -> bool:
    """Return whether a key made a signature."""
    covered = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    try:
        key.public.verify(proof, covered, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _decoded(text: str) -> bytes:
    """Return the bytes of a text in base64, none when it is not the one text of those bytes."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return data if base64.b64encode(data).decode() == text else b""


def _parsed(data: bytes, kind: type[Read], where: str) -> Read:
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))[:80] or "document"
        raise ModelError(f"{where}: {place}: {first['msg'][:200]}; {_ADVICE}") from error
