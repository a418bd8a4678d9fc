"""The words for eyes and the people they belong to, in answers, reports and messages."""

from irisline.core.domain import Wording

WORDING = Wording(
    region="eye",
    target="an eye",
    nothing_found="no eye found",
    regions_disagree="one eye looks {}, the other {}",
    subjects_disagree="{} people with different answers",
    least_colour=6,  # grey pictures stored as JPEG have 0 to 2
)
