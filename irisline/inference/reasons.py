"""Why an answer is unsure. Knows nothing of how that is found out, and loads nothing."""

from dataclasses import dataclass
from enum import StrEnum


class ReasonCode(StrEnum):
    """Why an answer is unsure, for programs. The sentences are for people."""

    LOW_CONFIDENCE = "low_confidence"
    OUT_OF_DISTRIBUTION = "out_of_distribution"
    NOTHING_FOUND = "nothing_found"
    NO_COLOUR = "no_colour"
    REGIONS_DISAGREE = "regions_disagree"
    SUBJECTS_DISAGREE = "subjects_disagree"


@dataclass(frozen=True)
class Reason:
    """Why an answer is unsure: a code, a sentence, and where a number was compared with a limit, both."""

    code: ReasonCode
    sentence: str
    value: float | None = None
    limit: float | None = None
