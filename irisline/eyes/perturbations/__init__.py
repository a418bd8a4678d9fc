"""A picture changed in what must not matter to a classifier of eyes, and in what must: the colour of the iris.

Each change takes an upright RGB picture, the people whose eyes were found in it, and a keyed generator. Knows nothing of
classifiers, labels or files.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from PIL import Image

from irisline.eyes.finder import Face
from irisline.eyes.perturbations import paint, photographs
from irisline.eyes.perturbations.iris import Shade, clear, recolour, shade

__all__ = ["AROUND_EYES", "HARMLESS", "RECOLOUR", "SURROUNDINGS", "Shade", "clear", "recolour", "shade"]

Change = Callable[[Image.Image, Sequence[Face], np.random.Generator], Image.Image]

RECOLOUR = "recolour"

_PAINT = (paint.blue_surroundings, paint.orange_surroundings, paint.makeup, paint.glasses)
_PHOTOGRAPHS = (
    photographs.mirror, photographs.jpeg, photographs.scale, photographs.warm_light, photographs.cold_light,
)  # fmt: skip

HARMLESS: Mapping[str, Change] = MappingProxyType({change.__name__: change for change in (*_PHOTOGRAPHS, *_PAINT)})
"""What must not matter, by name."""

SURROUNDINGS = frozenset({paint.blue_surroundings.__name__, paint.orange_surroundings.__name__})
"""The shirt and the wall: who looks there must be caught even if nothing else misleads."""

AROUND_EYES = frozenset(change.__name__ for change in _PAINT)
"""Those that need eyes to be found."""
