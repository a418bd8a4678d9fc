"""The colours of things and of light, as linear sRGB reflectances and lights.

Knows no geometry: what an iris, skin, a dye and a black body look like in three wave bands.
"""

import colorsys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Range: TypeAlias = tuple[float, float]
Rgb: TypeAlias = tuple[float, float, float]
Plane: TypeAlias = NDArray[np.floating[Any]]

BAND_NANOMETRES = (610.0, 545.0, 460.0)
"""Centre of the red, green and blue band of an sRGB camera."""

IRIS_MELANIN: Rgb = (0.78, 1.0, 1.16)
"""Absorption of iris melanin in the camera's bands, green as the unit; fitted to photographs of brown eyes."""

LIPOCHROME: Rgb = (0.0, 0.1, 1.0)
"""Absorption of the yellow pigment that makes a blue iris green."""

LUMINANCE: Rgb = (0.2126, 0.7152, 0.0722)
"""Weights of linear sRGB in luminance (IEC 61966-2-1)."""

XYZ_TO_SRGB = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
"""CIE XYZ to linear sRGB (IEC 61966-2-1)."""

# How much of each thing an iris of a named colour may hold.
IRIS_RANGES: Mapping[str, Mapping[str, Range]] = MappingProxyType(
    {
        "blue": {
            "melanin": (0.0, 0.10),
            "melanin_slope": (1.0, 1.7),
            "lipochrome": (0.0, 0.05),
            "scatter": (0.14, 0.40),
            "scatter_power": (0.9, 3.8),
            "collagen": (0.02, 0.13),
            "ring": (0.0, 0.28),
        },
        "brown": {
            "melanin": (0.80, 1.9),
            "melanin_slope": (1.0, 1.7),
            "lipochrome": (0.0, 0.10),
            "scatter": (0.04, 0.14),
            "scatter_power": (0.7, 2.5),
            "collagen": (0.25, 0.80),
            "ring": (0.0, 0.5),
        },
        "green": {
            "melanin": (0.06, 0.16),
            "melanin_slope": (1.0, 1.7),
            "lipochrome": (0.25, 0.55),
            "scatter": (0.18, 0.34),
            "scatter_power": (1.6, 2.6),
            "collagen": (0.03, 0.10),
            "ring": (0.1, 0.5),
        },
        "hazel": {
            "melanin": (0.28, 0.50),
            "melanin_slope": (1.0, 1.7),
            "lipochrome": (0.2, 0.5),
            "scatter": (0.18, 0.30),
            "scatter_power": (1.2, 2.2),
            "collagen": (0.10, 0.25),
            "ring": (0.3, 0.9),
        },
        "grey": {
            "melanin": (0.02, 0.10),
            "melanin_slope": (1.0, 1.7),
            "lipochrome": (0.0, 0.05),
            "scatter": (0.03, 0.09),
            "scatter_power": (0.6, 1.5),
            "collagen": (0.12, 0.30),
            "ring": (0.0, 0.15),
        },
    }
)


def luminance(colour: Rgb) -> float:
    """Relative luminance of a linear colour."""
    return sum(weight * band for weight, band in zip(LUMINANCE, colour, strict=True))


def black_body(kelvin: float) -> Rgb:
    """Light of a black body between 1667 and 25000 K: linear sRGB of luminance 1.

    Chromaticity by the cubic approximation of the Planckian locus of Kim et al. (US patent 7024034, 2002).
    """
    inverse = 1000.0 / kelvin
    warm = kelvin < 4000.0
    terms = (-0.2661239, -0.2343589, 0.8776956, 0.179910) if warm else (-3.0258469, 2.1070379, 0.2226347, 0.240390)
    x = float(np.polyval(terms, inverse))
    y = float(np.polyval(_locus(kelvin), x))
    rgb = XYZ_TO_SRGB @ np.array([x / y, 1.0, (1.0 - x - y) / y])
    red, green, blue = (max(float(band), 0.02) for band in rgb)
    return red, green, blue


def _locus(kelvin: float) -> tuple[float, float, float, float]:
    """Coefficients of y as a cubic of x on the Planckian locus."""
    if kelvin < 2222.0:
        return -1.1063814, -1.34811020, 2.18555832, -0.20219683
    if kelvin < 4000.0:
        return -0.9549476, -1.37418593, 2.09137015, -0.16748867
    return 3.0817580, -5.87338670, 3.75112997, -0.37001483


def white_balance(light: Rgb, strength: float, tint: float) -> Rgb:
    """Camera gains that undo `strength` (0 to 1) of a light's colour; `tint` is a green-magenta error."""
    red, green, blue = (band**-strength for band in light)
    return red / green, 1.0 + tint, blue / green


def skin(melanin: float, blood: float) -> Rgb:
    """Reflectance of skin: melanin 0 (very light) to 3 (very dark), blood about 0 (pale) to 1 (flushed)."""
    base, pigment, haemoglobin = (0.67, 0.51, 0.44), (0.62, 0.72, 0.83), (0.03, 0.32, 0.34)
    red, green, blue = (
        0.006 + base[band] * float(np.exp(-melanin * pigment[band] - blood * haemoglobin[band])) for band in range(3)
    )
    return red, green, blue


def hair(melanin: float, redness: float) -> Rgb:
    """Reflectance of natural hair: melanin 0 (white) to 1 (black); redness 0 to 1 for auburn and copper."""
    base, pigment, red_pigment = (0.62, 0.55, 0.45), (3.1, 3.8, 4.5), (0.0, 0.9, 1.9)
    red, green, blue = (
        0.008 + base[band] * float(np.exp(-melanin * pigment[band] - redness * red_pigment[band])) for band in range(3)
    )
    return red, green, blue


def dye(hue: float, saturation: float, value: float) -> Rgb:
    """Reflectance of cloth, paint or make-up of any hue: HSV display values made linear."""
    red, green, blue = (band**2.2 * 0.9 + 0.004 for band in colorsys.hsv_to_rgb(hue, saturation, value))
    return red, green, blue


def to_srgb(linear: Plane) -> Plane:
    """Linear light in 0..1 to sRGB display values in 0..1 (IEC 61966-2-1)."""
    curved: Plane = 1.055 * np.power(np.maximum(linear, 0.0031308), np.float32(1 / 2.4)) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, curved).astype(np.float32)
