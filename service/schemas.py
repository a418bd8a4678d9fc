"""The documents that the API gives, as types: what OpenAPI tells, and what the tests hold every answer to."""

import base64
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from irisline.core.params import Preprocess
from irisline.inference.identity import Identity
from irisline.inference.reasons import ReasonCode
from service.problems import Code


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ModelName(_Document):
    """The version that gave an answer."""

    name: str
    version: int
    digest: str = Field(description="sha256 over the files of the version")


class Place(_Document):
    """Where an iris is in the picture."""

    x: float = Field(description="of its centre, as a share of the picture's width")
    y: float = Field(description="of its centre, as a share of the picture's height")
    radius: float = Field(description="as a share of the picture's width")


class Eye(_Document):
    """One eye, and what it alone would say."""

    place: Place
    probabilities: dict[str, float]


class Region(_Document):
    """A part of the picture that was looked at, and what it alone would say."""

    kind: str = Field(description="what the domain calls it: eye")
    place: Place
    probabilities: dict[str, float]


class _OfOne(_Document):
    label: str
    probabilities: dict[str, float]
    confidence: float
    unsure: bool
    reason: str | None
    reason_code: ReasonCode | None
    value: float | None
    limit: float | None
    distance: float | None


class Subject(_OfOne):
    """The answer about one of those who are in the picture: a person, where the domain is eyes."""

    regions: list[Region]


class Person(_OfOne):
    """Deprecated: the same as Subject, with the words of eyes."""

    eyes: list[Eye]


class Neighbour(_Document):
    """A training picture like the one asked about."""

    id: str = Field(description="its file in the pool")
    label: str
    distance: float = Field(description="cosine, between what the network reads of the two")
    credit: str = Field(description="its author, licence and page, as far as they are known")
    thumbnail: str = Field(description="a small JPEG of what the network saw of it, as a data URI")


class Answer(_Document):
    """What is on one picture."""

    label: str = Field(description="the likeliest class, also when unsure")
    probabilities: dict[str, float] = Field(description="of each class, adding up to 1")
    confidence: float = Field(description="probability of the label")
    unsure: bool = Field(description="whether the answer is better not relied upon")
    reason: str | None = Field(description="why it is unsure, for people")
    reason_code: ReasonCode | None = Field(description="why it is unsure, for programs")
    value: float | None = Field(description="the number that was compared with a limit, where one was")
    limit: float | None = Field(description="that limit")
    subjects: list[Subject] = Field(
        description="the answer about each of those who were found, the nearest first; none for a whole picture"
    )
    people: list[Person] = Field(
        deprecated=True, description="the same in the words of eyes; goes with the next minor version: read subjects"
    )
    distance: float | None = Field(
        description="cosine, to the nearest training pictures; null without an eye, or for a version that has none of them"
    )
    model: ModelName
    ms: float = Field(description="milliseconds from the request's arrival to its answer")
    saliency: list[list[float]] | None = Field(
        default=None, description="fall of the log odds when each part of the picture is covered; with explain=true"
    )
    nearest: list[Neighbour] | None = Field(default=None, description="training pictures; with explain=true")


class ProblemDetails(_Document):
    """Why a request was not served (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: Code = Field(description="what is wrong, for programs")


class NamedAnswer(Answer):
    """The answer about one file of many."""

    file: str


class NamedProblem(_Document):
    """The failure of one file of many."""

    file: str
    error: ProblemDetails


class Answers(_Document):
    """One answer or failure per file, in the order of the files."""

    answers: list[NamedAnswer | NamedProblem]


class Refused(_Document):
    """The last version that was not let in, and why."""

    version: int | None
    reason: str
    at: str


class Following(_Document):
    """How a service that follows an alias of the registry is doing."""

    alias: str
    state: str = Field(description="starting, following, or the reason why the store cannot be read")
    refused: Refused | None


class Model(Identity):
    """What is being served."""

    preprocess: Preprocess
    device: str
    loaded: str = Field(description="since when this process answers with it")
    following: Following | None


def answer_document(answer: Any) -> dict[str, Any]:
    """Return an answer as a document, without the time it took."""
    prediction, identity = answer.prediction, answer.live.identity
    model = {"name": identity.name, "version": identity.version, "digest": identity.digest}
    people = [asdict(person) for person in prediction.people]
    shown: dict[str, Any] = {
        **vars(prediction),
        "subjects": [_subject(person) for person in people],
        "people": people,
        "model": model,
    }
    if answer.saliency is None:
        return shown
    return {**shown, "saliency": answer.saliency, "nearest": [_neighbour(each) for each in answer.nearest]}


def _subject(person: dict[str, Any]) -> dict[str, Any]:
    regions = [{"kind": "eye", **eye} for eye in person["eyes"]]
    return {**{name: value for name, value in person.items() if name != "eyes"}, "regions": regions}


def _neighbour(neighbour: Any) -> dict[str, Any]:
    jpeg = base64.b64encode(neighbour.thumbnail).decode()
    return {**vars(neighbour), "thumbnail": f"data:image/jpeg;base64,{jpeg}"}
