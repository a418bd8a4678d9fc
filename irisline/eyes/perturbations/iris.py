"""Another colour for the irises of a picture; their texture, pupils, lids and catch-lights stay, and the light that is on them.

Colour is transferred as by Reinhard et al. 2001 (Color Transfer between Images), from what irises of a class have in common:
in logarithms of linear light against the white of the eye. Knows nothing of labels or files.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from irisline.core.linear_light import to_display, to_linear
from irisline.eyes import finder
from irisline.eyes.finder import Face
from irisline.eyes.finder.iris_crop import IRIS_RING, polar
from irisline.eyes.finder.white_balance import white
from irisline.eyes.perturbations.geometry import EyeCoordinates, Plane, inside, near

SQUARE = 96  # pixels of what an iris is measured in
DARKEST = 0.004  # added to linear light against the white, so that black has a logarithm
DIMMEST = 0.02  # linear level of a white: what is darker shows no light to measure against
OPEN_LIDS, SKIN = 0.7, (2.0, 1.0)
"""Greatest slope from the centre of what no lid covers; least distance in iris radii and slope of what is skin, below the eye:
above it there may be make-up."""

PUPIL, WIDEST_PUPIL, RIM = 0.33, 0.7, 0.98
"""Inner edge, what is dark and nearer is pupil too, and outer edge: in iris radii."""

PUPIL_DARKER = 1.5
"""By how much less than an iris, as a logarithm, a pupil reflects."""

GLEAM = 0.15
"""Logarithm against the white from which something is a catch-light."""

TEXTURE = (0.4, 1.6)
"""Least and greatest factor that texture is changed by to have the spread that is usual in the other colour."""

BRIGHTEST = 2.0
"""Spreads above the middle at which texture is cut off: the rim, half white, would shine."""

LID_MARGIN, LID_CURVE = 0.25, 0.2
"""How far in iris radii an upper lid may be above where it is thought, and how much lower it is one radius to the side."""

NEAR_LIDS = 0.55
"""How far above or below the centre, in iris radii, a pixel that looks like skin is taken for lid."""


@dataclass(frozen=True)
class Shade:
    """How an iris looks: its three bands, and the spread of its texture; logarithms of linear light against the white."""

    bands: Plane
    spread: float


@dataclass(frozen=True)
class _Seen:
    """An iris, the skin around it, and the light on it: linear, of the white."""

    iris: Shade
    skin: Plane
    light: Plane


def shade(picture: Image.Image, face: Face) -> Shade:
    """Return how the irises of a person look in an upright RGB picture."""
    return common(seen.iris for seen in _seen(picture, face))


def common(shades: Iterable[Shade]) -> Shade:
    """Return what irises have in common: the medians."""
    found = list(shades)
    return Shade(np.median([each.bands for each in found], axis=0), float(np.median([each.spread for each in found])))


def clear(shades: Sequence[Shade], others: Sequence[Shade]) -> Shade:
    """Return what the half of some shades that is least like others has in common: a colour that nobody takes for another."""
    own, other = common(shades).bands, common(others).bands
    apart = sorted(shades, key=lambda each: float((each.bands - other) @ (own - other)))
    return common(apart[len(apart) // 2 :])


def recolour(picture: Image.Image, faces: Sequence[Face], to: Shade) -> Image.Image:
    """Return the picture with all irises of the people in it in another shade."""
    pixels = np.array(picture, dtype=np.uint8)
    for face in faces:
        for eye, seen in zip(face.eyes, _seen(picture, face), strict=True):
            at = near(picture.size, eye, face.tilt, RIM + 0.2)
            linear = to_linear(pixels[at.rows, at.columns])
            logarithms = _logarithms(linear, seen.light)
            cover = _cover(at, logarithms, seen, eye.openness)[..., None]
            painted = linear + cover * (_painted(logarithms, seen, to) - linear)
            pixels[at.rows, at.columns] = to_display(painted)
    return Image.fromarray(pixels)


def _seen(picture: Image.Image, face: Face) -> list[_Seen]:
    """Return what is seen of each eye of a person, in the light that is on both."""
    squares = [to_linear(np.asarray(finder.crop(picture, eye, face.tilt, SQUARE), dtype=np.uint8)) for eye in face.eyes]
    lights = [np.log(np.maximum(white(square), DIMMEST)) for square in squares]
    light = np.exp(np.mean(lights, axis=0))
    return [_measured(square, light) for square in squares]


def _measured(linear: Plane, light: Plane) -> _Seen:
    logarithms = _logarithms(linear, light)
    (radius, slope), below = polar(SQUARE), np.arange(SQUARE)[:, None] > SQUARE / 2
    iris = logarithms[(radius > IRIS_RING[0]) & (radius < IRIS_RING[1]) & (np.abs(slope) < OPEN_LIDS)]
    skin = logarithms[(radius > SKIN[0]) & (np.abs(slope) > SKIN[1]) & below]
    low, high = np.percentile(iris.mean(axis=1), (16, 84))
    return _Seen(Shade(np.median(iris, axis=0), float(high - low) / 2), np.median(skin, axis=0), light)


def _logarithms(linear: Plane, light: Plane) -> Plane:
    return np.asarray(np.log(linear / light + np.float32(DARKEST)))


def _painted(logarithms: Plane, seen: _Seen, to: Shade) -> Plane:
    """Return linear light of the other shade, with the texture that is there."""
    texture = (logarithms - seen.iris.bands).mean(axis=2, keepdims=True)
    texture *= np.clip(to.spread / max(seen.iris.spread, 1e-3), *TEXTURE)
    return np.asarray((np.exp(to.bands + np.minimum(texture, BRIGHTEST * to.spread)) - DARKEST) * seen.light)


def _cover(at: EyeCoordinates, logarithms: Plane, seen: _Seen, openness: float) -> Plane:
    """Return how much of each pixel is iris: not pupil, gleam or lid."""
    distance, brightness = np.hypot(at.across, at.down), logarithms.mean(axis=2)
    ring = inside(distance - RIM, 0.2) * inside(PUPIL - distance, 0.15)
    dark = inside(brightness - (seen.iris.bands.mean() - PUPIL_DARKER), 0.6) * inside(distance - WIDEST_PUPIL, 0.1)
    to_iris, to_skin = (np.linalg.norm(logarithms - bands, axis=2) for bands in (seen.iris.bands, seen.skin))
    like_skin = inside(to_skin - to_iris, 0.4) * inside(NEAR_LIDS - np.abs(at.down), 0.3)
    upper_lid = inside(LID_CURVE * at.across**2 - _height(openness) - LID_MARGIN - at.down, 0.2)
    return np.asarray(ring * (1 - dark) * (1 - like_skin) * inside(brightness - GLEAM, 0.4) * upper_lid)


def _height(openness: float) -> float:
    """Return how far above the centre, in iris radii, an upper lid is that leaves this share of the disc open."""
    heights = np.linspace(-1, 1, 101)
    shares = (np.arccos(-heights) + heights * np.sqrt(1 - heights**2)) / np.pi
    return float(np.interp((1 + openness) / 2, shares, heights))
