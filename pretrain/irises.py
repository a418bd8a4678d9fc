"""What irises of each colour name may hold in pre-training, and the colour they have in white light.

Wider than in the pool: drawn eyes must surround real ones. Blue goes on to eyes with little scatter and a brown ring about the
pupil, brown to amber; the names still leave gaps in melanin and in lipochrome. Knows nothing of pictures.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType

from irisline.core.seeding import generator
from irisline.eyes.rendering import colour as palette
from irisline.eyes.rendering.colour import IRIS_RANGES, Range, Rgb
from irisline.eyes.rendering.iris import REFERENCE_NANOMETRES
from irisline.eyes.rendering.scene import Iris

RANGES: Mapping[str, Mapping[str, Range]] = MappingProxyType(
    {
        "blue": {
            **IRIS_RANGES["blue"],
            "melanin": (0.0, 0.14),
            "lipochrome": (0.0, 0.12),
            "scatter": (0.06, 0.40),
            "scatter_power": (0.6, 3.8),
            "collagen": (0.02, 0.22),
            "ring": (0.0, 0.6),
        },
        "brown": {**IRIS_RANGES["brown"], "melanin": (0.65, 1.9), "collagen": (0.2, 0.8)},
        "green": {
            **IRIS_RANGES["green"],
            "melanin": (0.04, 0.18),
            "lipochrome": (0.2, 0.55),
            "scatter": (0.10, 0.34),
            "scatter_power": (1.0, 2.6),
            "collagen": (0.03, 0.16),
        },
        "hazel": {**IRIS_RANGES["hazel"], "melanin": (0.26, 0.50), "scatter": (0.12, 0.30)},
        "grey": IRIS_RANGES["grey"],
    }
)

USUAL_TISSUE = 0.78
"""Share of the light that the tissue between the fibres sends back, in `paint_iris`."""


def draw(key: str, colour: str) -> Iris:
    """Return the iris of a key."""
    random = generator(key, f"wide iris/{colour}")
    return Iris(colour, **{name: random.uniform(*limits) for name, limits in RANGES[colour].items()})


def reflectance(iris: Iris) -> Rgb:
    """Return the logarithms of what the middle of an iris reflects in the camera's red, green and blue band."""
    red, green, blue = (math.log(_band(iris, band)) for band in range(3))
    return red, green, blue


def _band(iris: Iris, band: int) -> float:
    ratio = palette.BAND_NANOMETRES[band] / REFERENCE_NANOMETRES
    pigment: float = (
        palette.IRIS_MELANIN[band] ** iris.melanin_slope * iris.melanin + iris.lipochrome * palette.LIPOCHROME[band]
    )
    stroma: float = iris.scatter * ratio**-iris.scatter_power + iris.collagen
    return stroma * USUAL_TISSUE * math.exp(-2.0 * pigment) + 0.003
