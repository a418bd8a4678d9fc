"""The documents that the API gives, as types: what OpenAPI tells, and what the tests hold every answer to."""

import base64
from dataclasses import asdict
from typing import Any

from pydantic import Field

from irisline.core.params import Preprocess
from irisline.inference.identity import Identity
from irisline.inference.reasons import ReasonCode
from service.deprecated import DeprecatedFields, old_fields
from service.problems import Code
from service.subjects import Document, Subject


class ModelName(Document):
    """The version that gave an answer."""

    name: str
    version: int
    digest: str = Field(description="sha256 over the files of the version")


class Neighbour(Document):
    """A training picture like the one asked about."""

    id: str = Field(description="its file in the pool")
    label: str
    distance: float = Field(description="cosine, between what the network reads of the two")
    credit: str = Field(description="its author, licence and page, as far as they are known")
    thumbnail: str = Field(description="a small JPEG of what the network saw of it, as a data URI")


class Answer(DeprecatedFields):
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
    distance: float | None = Field(
        description="cosine, to the nearest training pictures; null where there is nothing to compare"
    )
    model: ModelName
    ms: float = Field(description="milliseconds from the request's arrival to its answer")
    saliency: list[list[float]] | None = Field(
        default=None, description="fall of the log odds when each part of the picture is covered; with explain=true"
    )
    nearest: list[Neighbour] | None = Field(default=None, description="training pictures; with explain=true")


class ProblemDetails(Document):
    """Why a request was not served (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: Code = Field(description="what is wrong, for programs")


class NamedAnswer(Answer):
    """The answer about one file of many."""

    file: str


class NamedProblem(Document):
    """The failure of one file of many."""

    file: str
    error: ProblemDetails


class Answers(Document):
    """One answer or failure per file, in the order of the files."""

    answers: list[NamedAnswer | NamedProblem]


class Refused(Document):
    """The last version that was not let in, and why."""

    version: int | None
    reason: str
    at: str


class Following(Document):
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
    kind = answer.live.classifier.reader.words.region
    subjects = [asdict(subject) for subject in prediction.subjects]
    shown: dict[str, Any] = {
        **vars(prediction),
        "subjects": [_subject(subject, kind) for subject in subjects],
        "people": old_fields(subjects),
        "model": model,
    }
    if answer.saliency is None:
        return shown
    return {**shown, "saliency": answer.saliency, "nearest": [_neighbour(each) for each in answer.nearest]}


def _subject(subject: dict[str, Any], kind: str) -> dict[str, Any]:
    return {**subject, "regions": [{"kind": kind, **region} for region in subject["regions"]]}


def _neighbour(neighbour: Any) -> dict[str, Any]:
    jpeg = base64.b64encode(neighbour.thumbnail).decode()
    return {**vars(neighbour), "thumbnail": f"data:image/jpeg;base64,{jpeg}"}
