"""A picture changed in what must not matter to a classifier of eyes, and in what must: the colour of the iris.

Changes are made around the eyes of the people that are found. Knows nothing of classifiers, labels or files.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from PIL import Image

from irisline.core.domain import Perturbations
from irisline.eyes import finder
from irisline.eyes.finder import Face
from irisline.eyes.perturbations import iris, paint
from irisline.eyes.perturbations.iris import Shade
from irisline.whole_picture import perturbations as whole_picture

RECOLOUR = "recolour"

AROUND_EYES: Mapping[str, Callable[[Image.Image, Sequence[Face], np.random.Generator], Image.Image]] = MappingProxyType(
    {each.__name__: each for each in (paint.blue_surroundings, paint.orange_surroundings, paint.makeup, paint.glasses)}
)
"""Changes that need eyes to be found, by name."""

BACKGROUND = frozenset({paint.blue_surroundings.__name__, paint.orange_surroundings.__name__})
"""The shirt and the wall: who looks there must be caught even if nothing else misleads."""


def detect(picture: Image.Image) -> Sequence[Face]:
    """Return what changes are made around: the people whose eyes are found."""
    return finder.find(picture).faces


def scale(picture: Image.Image) -> float:
    """Return the largest radius of an iris as a share of the picture's longer side; 1 without an eye."""
    return max((face.eyes[0].radius / max(picture.size) for face in detect(picture)), default=1.0)


def apply(name: str, picture: Image.Image, faces: Sequence[Face], random: np.random.Generator) -> Image.Image | None:
    """Return the picture under a change that must not matter; None where it needs eyes and there are none."""
    if name in whole_picture.CHANGES:
        return whole_picture.apply(name, picture, (), random)
    return AROUND_EYES[name](picture, faces, random) if faces else None


def class_feature(picture: Image.Image) -> Shade | None:
    """Return the shade of the nearest person's irises; None where no eye is found."""
    faces = detect(picture)
    return iris.shade(picture, faces[0]) if faces else None


def apply_towards(name: str, picture: Image.Image, faces: Sequence[Face], shown: Shade) -> Image.Image | None:
    """Return the picture with all irises of another shade; None where no eye is found."""
    return iris.recolour(picture, faces, shown) if faces else None


PERTURBATIONS = Perturbations(
    invariant=(*whole_picture.CHANGES, *AROUND_EYES),
    apply=apply,
    taught_by=whole_picture.TAUGHT_BY,
    background=BACKGROUND,
    detect=detect,
    scale=scale,
    directional=(RECOLOUR,),
    class_feature=class_feature,
    class_prototype=iris.clear,
    apply_towards=apply_towards,
)
