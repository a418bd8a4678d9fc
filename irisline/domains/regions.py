"""Where each domain looks in a picture. The whole picture is no region: dataset.crops cuts it itself."""

from collections.abc import Mapping

from irisline.core.domain import Regions
from irisline.core.params import Crop
from irisline.eyes import regions as eyes

OF: Mapping[Crop, Regions] = {"eyes": eyes.REGIONS}


def max_per_picture(crop: Crop) -> int:
    """Return how many squares of one picture a network may be asked about."""
    return OF[crop].max_per_picture if crop in OF else 1
