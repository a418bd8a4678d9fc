"""What a network sees where eyes are sought: an upright square around each iris, of the nearest people first."""

from PIL import Image

from irisline.core.domain import Region, Regions
from irisline.eyes import finder

MAX_PEOPLE = 6  # of one picture: a crowd must not cost more than its answer is worth


def find(picture: Image.Image, size: int) -> list[Region]:
    """Return the eyes in an upright RGB picture, as squares of size pixels; the circles are those of their irises."""
    people = finder.find(picture).faces[:MAX_PEOPLE]
    return [
        Region(finder.crop(picture, eye, person.tilt, size), number, eye.x, eye.y, eye.radius)
        for number, person in enumerate(people)
        for eye in person.eyes
    ]


REGIONS = Regions(find=find, max_per_picture=2 * MAX_PEOPLE)
