"""The iris: pupil, collarette, fibres, crypts, furrows and limbal ring, as a reflectance.

Knows nothing of lids or light. The pattern comes from the key alone; the iris of a label only tints it.
"""

import cv2
import numpy as np

from irisline.core.seeding import generator
from irisline.eyes.rendering.colour import BAND_NANOMETRES, IRIS_MELANIN, LIPOCHROME, Plane
from irisline.eyes.rendering.grid import inside, noise, ramp
from irisline.eyes.rendering.scene import Eyes, Iris

ANGLES, RADII = 320, 40
"""Size of the polar pattern."""

REFERENCE_NANOMETRES = 550.0


def paint_iris(x: Plane, y: Plane, pixel: float, iris: Iris, eyes: Eyes, key: str) -> Plane:
    """Reflectance (3, height, width) of iris and pupil; `x`, `y` from its centre in iris radii, `pixel` their step."""
    radius = np.sqrt(x * x + y * y)
    relief, pigment = _patterns(x, y, radius, eyes, key)
    melanin = iris.melanin * (0.75 + 0.35 * pigment) + iris.ring * _around_pupil(radius, eyes, relief)
    tissue = _tissue(radius, relief, eyes)
    soft = max(pixel, 0.05)
    pupil = inside(radius - eyes.pupil * (1.0 + 0.02 * relief), soft)
    out = np.empty((3, *x.shape), dtype=np.float32)
    for band, nanometres in enumerate(BAND_NANOMETRES):
        ratio = nanometres / REFERENCE_NANOMETRES
        stroma = iris.scatter * ratio**-iris.scatter_power + iris.collagen
        yellow = iris.lipochrome * LIPOCHROME[band]
        pigment_depth = np.float32(IRIS_MELANIN[band] ** iris.melanin_slope) * melanin + np.float32(yellow)
        absorbed = np.exp(-2.0 * pigment_depth)
        out[band] = (stroma * tissue * absorbed) * (1.0 - pupil) + 0.003
    return out


def _patterns(x: Plane, y: Plane, radius: Plane, eyes: Eyes, key: str) -> tuple[Plane, Plane]:
    """Fibre relief (about -1 to 1) and pigment density (0 to 1), sampled from polar patterns."""
    random = generator(key, "iris pattern")
    across = (np.arctan2(y, x) * (ANGLES / (2 * np.pi)) + ANGLES).astype(np.float32)
    down = np.clip((radius - eyes.pupil) / (1.0 - eyes.pupil), 0.0, 1.0) * np.float32(RADII - 1)
    across += 2.5 * np.sin(down * 0.22 + float(random.uniform(0, 6)))
    sampled = [
        cv2.remap(pattern, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        for pattern in (_fibres(random, eyes), _clouds(random))
    ]
    return np.asarray(sampled[0], dtype=np.float32), np.asarray(sampled[1], dtype=np.float32)


def _fibres(random: np.random.Generator, eyes: Eyes) -> Plane:
    """Radial fibres of several widths, crypts (dark lozenges) and contraction furrows (arcs)."""
    outwards = np.linspace(0.0, 1.0, RADII, dtype=np.float32)[:, None]
    fine, coarse = _around(random, (4, ANGLES // 3)), _around(random, (5, ANGLES // 8))
    crypts = np.minimum(_around(random, (7, 26)) + 0.9, 0.0) * (1.3 - 1.1 * outwards)
    furrows = -np.maximum(noise(random, (RADII, 1), (9, 2)), 0.0) * outwards / 2
    relief = eyes.fibre * (0.40 * fine + 0.45 * coarse + 0.9 * crypts + furrows)
    return np.asarray(np.clip(relief, -1.2, 1.2), dtype=np.float32)


def _clouds(random: np.random.Generator) -> Plane:
    density: Plane = np.clip(0.5 + 0.35 * _around(random, (3, 10)) + 0.2 * _around(random, (6, 40)), 0.0, 1.3)
    return density


def _around(random: np.random.Generator, cells: tuple[int, int]) -> Plane:
    """Polar noise that closes on itself in angle."""
    nodes = random.standard_normal(cells, dtype=np.float32)
    closed = np.concatenate([nodes[:, -2:], nodes, nodes[:, :2]], axis=1)
    step = ANGLES / cells[1]
    wide = cv2.resize(closed, (round(step * (cells[1] + 4)), RADII), interpolation=cv2.INTER_CUBIC)
    return np.asarray(wide[:, round(2 * step) :][:, :ANGLES], dtype=np.float32)


def _around_pupil(radius: Plane, eyes: Eyes, relief: Plane) -> Plane:
    edge = eyes.pupil + eyes.collarette
    return ramp(radius + 0.06 * relief, edge + 0.16, edge - 0.04)


def _tissue(radius: Plane, relief: Plane, eyes: Eyes) -> Plane:
    """Amount of scattering tissue: fibres, a raised collarette, a darker inner zone, the dark limbal ring."""
    collarette = np.exp(-(((radius - eyes.pupil - eyes.collarette + 0.05 * relief) / 0.055) ** 2))
    inner = 1.0 - 0.25 * ramp(radius, eyes.pupil + 0.14, eyes.pupil)
    limbus = 1.0 - eyes.limbus * ramp(radius + 0.03 * relief, 0.74, 1.0)
    tissue: Plane = np.maximum(0.78 + 0.55 * relief + 0.22 * collarette, 0.1) * inner * limbus
    return tissue
