"""What a version says of itself: manifest.json, which is signed, and identity.json, which a service reads.

Knows nothing of registries or signatures.

Part of the serving image, so that it imports nothing which that must not carry.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from irisline.core.errors import MissingInput, ModelError
from irisline.networks import bundle, version_limits

NAME = "identity.json"

# A folder carries the networks its device runs; everything else of a version is always there.
MAY_BE_ABSENT = ("model.onnx", "model.int8.onnx", "model.safetensors")

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^\w[\w.-]*(/\w[\w.-]*)*$")]


class Document(BaseModel):
    """A strict document of JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Source(Document):
    """The commit and the digests that rebuild a version; "none" or "-" where nothing was recorded."""

    git_commit: str
    git_dirty: str
    dvc_lock_sha256: str
    data_md5: str


class Metric(Document):
    """A number of the test split with its 95 % interval, where it has one."""

    value: float
    low: float | None
    high: float | None


class Check(Document):
    """A check of the gate, as gate.json holds it; None where the number was none."""

    name: str
    value: float | None
    limit: float | None
    passed: bool
    line: str


class Verdict(Document):
    """The gate's verdict on the absolute limits."""

    passed: bool
    checks: list[Check] = Field(min_length=1)


class Manifest(Document):
    """What decisions about a version are made from, signed together with its files."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    version: int = Field(gt=0)
    digest: Sha256
    classes: list[str] = Field(min_length=2)
    precision: Literal["float32", "int8"]
    precision_reason: str
    source: Source
    run_id: str
    metrics: dict[str, float]
    gate: Verdict
    licences: dict[str, int]
    providers: dict[str, int]
    pictures: dict[str, Any]  # which run keeps the table of them, its digest, how many of each split

    def as_json(self) -> str:
        """Return the text of the file: the same bytes for the same facts."""
        return json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


class Identity(Document):
    """Which version this is, where it comes from and what it can do."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    version: int = Field(gt=0)
    alias: str | None  # what named the version when the folder was made
    digest: Sha256
    files: dict[FileName, Sha256]
    classes: list[str] = Field(min_length=2)
    precision: Literal["float32", "int8"]
    precision_reason: str
    source: Source
    run_id: str
    metrics: dict[str, Metric]
    licences: dict[str, int]
    providers: dict[str, int] = Field(default_factory=dict)  # a folder made before they were told has none
    registered: str
    promoted: str | None

    @classmethod
    def of(
        cls, signed: Manifest, files: dict[str, str], *, alias: str | None, registered: str, promoted: str | None
    ) -> Self:
        """Return the identity of a version from its signed manifest and files, and what the registry tells beside."""
        facts = dict(signed)
        for name in ("gate", "pictures"):
            del facts[name]
        told = {"files": files, "alias": alias, "registered": registered, "promoted": promoted}
        return cls(**facts | told | {"metrics": _with_intervals(signed.metrics)})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the identity a file holds; raise MissingInput when there is none, ModelError when it is not one."""
        if not path.is_file():
            raise MissingInput(f"{path}: not found; export the version anew: irisline serve or irisline bento")
        try:
            return cls.model_validate_json(version_limits.read(path))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))[:80] or "document"
            raise ModelError(f"{path}: {place}: {first['msg'][:200]}; export the version anew") from error

    def as_json(self) -> str:
        """Return the text of the file: the same bytes for the same facts."""
        return json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def verify(folder: Path) -> Identity:
    """Return the identity of a folder whose files are those of its version; raise ModelError that names the first to differ."""
    version_limits.check(folder)
    identity = Identity.read(folder / NAME)
    made_up = digest_of(identity.files)
    if made_up != identity.digest:
        raise ModelError(
            f"{folder / NAME}: its files make up digest {made_up[:12]}, must be {identity.digest[:12]}; "
            "export the version anew"
        )
    for name, wanted in sorted(identity.files.items()):
        if (folder / name).is_file():
            _compare(folder / name, wanted)
        elif name not in MAY_BE_ABSENT:
            raise ModelError(f"{folder / name}: not there, and version {identity.version} has it; export it anew")
    return identity


def digest_of(files: dict[str, str]) -> str:
    """Return the digest of a version from the sha256 of each of its files, as bundle.digest gives it from the files."""
    lines = (f"{name} {sha256}\n" for name, sha256 in sorted(files.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _with_intervals(numbers: Mapping[str, float]) -> dict[str, Metric]:
    finite = {name: value for name, value in numbers.items() if math.isfinite(value)}
    plain = (name for name in finite if not name.endswith(("_low", "_high")))
    return {
        name: Metric(value=finite[name], low=finite.get(f"{name}_low"), high=finite.get(f"{name}_high"))
        for name in plain
    }


def _compare(file: Path, wanted: str) -> None:
    found = bundle.file_digest(file)
    if found != wanted:
        raise ModelError(f"{file}: sha256 {found[:12]}, must be {wanted[:12]}; export the version anew")
