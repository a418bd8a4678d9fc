"""The words for a picture as a whole."""

from irisline.core.domain import Wording

WORDING = Wording(
    region="picture",
    target="anything",
    nothing_found="nothing found",
    regions_disagree="one part looks {}, another {}",
    subjects_disagree="{} subjects with different answers",
)
