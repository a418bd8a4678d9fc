"""What the tags of a version say, read in one place and typed: whoever writes to the store can write anything there.

Knows nothing of MLflow. A tag that cannot be read is told and left out; the others count.
"""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, Json, ValidationError
from typing_extensions import TypedDict

from irisline.networks.bundle import Precision

DIGEST = "irisline.digest"
GATE = "irisline.gate"
METRICS = "irisline.metrics"
LICENCES = "irisline.data_licences"
PROVIDERS = "irisline.data_providers"
PICTURES = "irisline.data_pictures"  # which run keeps the table of them, its digest, how many of each split
PRECISION = "irisline.precision"  # what the CPU serves; a stopwatch had a say, so that it is no part of the digest
PRECISION_REASON = "irisline.precision_reason"
RUN = "irisline.run_id"  # the run that holds the evidence now; the one at registration may be older

LONGEST = 100_000  # characters of a tag, which MLflow holds to as well

Hex64 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
RunId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Line = Annotated[str, Field(max_length=5000)]


class Check(TypedDict):
    """One condition of the gate, as gate.json holds it."""

    name: str
    value: float
    limit: float
    passed: bool
    line: Line


class Verdict(TypedDict):
    """The gate's verdict on the absolute limits, as gate.json holds it."""

    passed: bool
    checks: list[Check]


class Pictures(TypedDict):
    """Where the table of a version's pictures is, and how many of each split it names."""

    digest: Hex64
    run: RunId
    train: int
    valid: int
    test: int


class Facts(BaseModel):
    """What a version says of itself; empty where it says nothing."""

    model_config = ConfigDict(frozen=True, strict=True)

    digest: Annotated[Hex64, Field(alias=DIGEST)] = ""
    gate: Annotated[Json[Verdict] | None, Field(alias=GATE)] = None
    metrics: Annotated[Json[dict[str, float]], Field(alias=METRICS)] = {}
    licences: Annotated[Json[dict[str, int]], Field(alias=LICENCES)] = {}
    providers: Annotated[Json[dict[str, int]], Field(alias=PROVIDERS)] = {}
    pictures: Annotated[Json[Pictures] | None, Field(alias=PICTURES)] = None
    precision: Annotated[Precision, Field(alias=PRECISION)] = "float32"
    precision_reason: Annotated[Line, Field(alias=PRECISION_REASON)] = "not measured"
    run: Annotated[RunId | None, Field(alias=RUN)] = None

    @classmethod
    def read(cls, tags: dict[str, str]) -> tuple[Self, str]:
        """Return what tags say, and what is wrong with the first that cannot be read: "<tag>: <why>", or nothing."""
        own = {name: tags[name] for field in cls.model_fields.values() if (name := str(field.alias)) in tags}
        wrong = {name: f"is longer than {LONGEST} characters" for name, text in own.items() if len(text) > LONGEST}
        facts, unread = cls._of({name: text for name, text in own.items() if name not in wrong})
        wrong |= unread
        if not facts.digest:
            wrong.setdefault(DIGEST, "is not there")
        return facts, next((f"{name}: {why}" for name, why in wrong.items()), "")

    @classmethod
    def _of(cls, tags: dict[str, Any]) -> tuple[Self, dict[str, str]]:
        try:
            return cls.model_validate(tags), {}
        except ValidationError as error:
            wrong = {str(one["loc"][0]): _told(one["loc"][1:], one["msg"]) for one in reversed(error.errors())}
            return cls.model_validate({name: text for name, text in tags.items() if name not in wrong}), wrong


def _told(place: tuple[int | str, ...], message: str) -> str:
    where = ".".join(map(str, place))[:60]
    return " ".join(f"{where}: {message[:100]}".lstrip(": ").split())
