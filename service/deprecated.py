"""What an answer told before `subjects`: the same in older words, for one minor version more."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from service.subjects import Document, OfSubject, Place


class Eye(Document):
    """Deprecated: the same as Region."""

    place: Place
    probabilities: dict[str, float]


class Person(OfSubject):
    """Deprecated: the same as Subject, in older words."""

    eyes: list[Eye]


class DeprecatedFields(Document):
    """An answer that still tells people."""

    people: list[Person] = Field(
        deprecated=True,
        description="the same as subjects in older words; goes with the next minor version: read subjects",
    )


def old_fields(subjects: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the subjects of an answer as Person has them."""
    return [
        {**{name: value for name, value in subject.items() if name != "regions"}, "eyes": subject["regions"]}
        for subject in subjects
    ]
