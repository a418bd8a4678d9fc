"""What an answer tells of each subject of a picture, as types."""

from pydantic import BaseModel, ConfigDict, Field

from irisline.inference.reasons import ReasonCode


class Document(BaseModel):
    """A document of the API: these fields, and no others."""

    model_config = ConfigDict(extra="forbid")


class Place(Document):
    """Where a region is in the picture: the circle around it."""

    x: float = Field(description="of its centre, as a share of the picture's width")
    y: float = Field(description="of its centre, as a share of the picture's height")
    radius: float = Field(description="as a share of the picture's width")


class Region(Document):
    """A part of the picture that was looked at, and what it alone would say."""

    kind: str = Field(description="what the domain of the model calls it")
    place: Place
    probabilities: dict[str, float]


class OfSubject(Document):
    """What is said of one subject."""

    label: str
    probabilities: dict[str, float]
    confidence: float
    unsure: bool
    reason: str | None
    reason_code: ReasonCode | None
    value: float | None
    limit: float | None
    distance: float | None


class Subject(OfSubject):
    """The answer about one of the subjects of the picture."""

    regions: list[Region]
