"""Scenes drawn from a key: how likely each choice is.

Knows nothing of pixels. Only the irises depend on the colour asked for; all else comes from streams that never see it.
"""

import numpy as np

from irisline.core.seeding import generator, pick
from irisline.eyes.rendering import colour as palette
from irisline.eyes.rendering.colour import IRIS_RANGES, Rgb
from irisline.eyes.rendering.scene import Camera, Eyes, Framing, Iris, Light, Makeup, Person, Scene, Things

COLOURS = tuple(IRIS_RANGES)


def sample(key: str, colour: str, second: str | None = None) -> Scene:
    """The scene of `key` with irises of `colour`; `second` gives the iris at the right another colour.

    The same key with another colour is the same scene but for the irises.
    Raises KeyError for a colour that is not in `COLOURS`.
    """
    person = _person(key)
    eyes = _eyes(key)
    return Scene(
        key,
        (_iris(key, colour), _iris(key, second or colour)),
        _framing(key, person),
        _light(key),
        _camera(key),
        eyes,
        _makeup(key),
        person,
        _things(key),
    )


def _iris(key: str, colour: str) -> Iris:
    random = generator(key, f"iris/{colour}")
    return Iris(colour, **{name: random.uniform(*limits) for name, limits in IRIS_RANGES[colour].items()})


def _framing(key: str, person: Person) -> Framing:
    random = generator(key, "framing")
    kind = pick(random, ("eye", "eye", "eyes", "face"))
    width, height = _size(random, kind)
    tilt = float(random.normal(0.0, 0.16 if kind == "eye" else 0.09))
    if kind == "eye":
        scale = width * random.uniform(0.20, 0.45) / 2.0
        side = pick(random, (-1.0, 1.0))
        reach = (0.32 * width / scale, 0.28 * height / scale)
        away = (random.uniform(-1, 1) * max(reach[0] - 1.0, 0.2), random.uniform(-1, 1) * max(reach[1] - 1.0, 0.2))
        return Framing(kind, width, height, scale, tilt, (side * person.pupil_distance / 2 + away[0], away[1] - 0.3))
    span = person.pupil_distance + random.uniform(4.8, 8.0) if kind == "eyes" else random.uniform(21.0, 29.0)
    scale = max(width / span, 7.2)
    loose = max(width / scale - person.pupil_distance - 4.8, 0.0) / 2
    drop = random.uniform(-2.0, 2.0) if kind == "eyes" else random.uniform(-1.0, 0.30 * height / scale)
    return Framing(kind, width, height, scale, tilt, (random.uniform(-0.6, 0.6) * loose, drop))


def _size(random: np.random.Generator, kind: str) -> tuple[int, int]:
    """Width and height in pixels: any shape for one eye, wide for a band, mostly upright for a face."""
    long_side = int(random.integers(272, 321)) if kind == "face" else int(random.integers(224, 321))
    shapes = {"eye": (0.62, 0.75, 0.8, 1.0, 1.34), "eyes": (0.38, 0.45, 0.56, 0.7), "face": (0.75, 1.0, 1.0, 1.25)}
    ratio = pick(random, shapes[kind]) * random.uniform(0.94, 1.06)
    return (long_side, round(long_side * ratio)) if ratio <= 1 else (round(long_side / ratio), long_side)


def _light(key: str) -> Light:
    random = generator(key, "light")
    azimuth, height = float(random.normal(0.0, 0.65)), random.uniform(-0.1, 1.0)
    across, up = float(np.sin(np.clip(azimuth, -1.35, 1.35)) * np.cos(height)), float(-np.sin(height))
    return Light(
        kelvin=_kelvin(random),
        second_kelvin=_kelvin(random),
        mix=pick(random, (0.0, 0.0, 0.0, random.uniform(0.2, 0.7))),
        mix_angle=random.uniform(0.0, 2 * np.pi),
        direction=(across, up, float(np.sqrt(max(1 - across**2 - up**2, 0.04)))),
        ambient=random.uniform(0.25, 0.75),
        shadow=pick(random, (0.0, 0.0, random.uniform(0.3, 0.75))),
        catchlight=pick(random, ("disc", "disc", "window", "softbox", "ring")),
        catchlight_size=float(np.exp(random.uniform(np.log(0.05), np.log(0.22)))),
        catchlight_gain=random.uniform(0.5, 2.0),
    )


def _kelvin(random: np.random.Generator) -> float:
    """Colour temperature from 2500 to 9000 K, uniform in mireds."""
    return 1e6 / random.uniform(1e6 / 9000.0, 1e6 / 2500.0)


def _camera(key: str) -> Camera:
    random = generator(key, "camera")
    return Camera(
        balance=float(np.clip(random.normal(0.84, 0.16), 0.4, 1.05)),
        tint=float(random.normal(0.0, 0.035)),
        exposure=float(np.exp(random.normal(np.log(0.28), 0.40))),
        contrast=random.uniform(0.0, 0.55),
        saturation=random.uniform(0.8, 1.3),
        defocus=float(np.exp(random.normal(-0.6, 0.4))),
        motion=pick(random, (0.0, 0.0, 0.0, random.uniform(1.0, 3.0))),
        motion_angle=random.uniform(0.0, np.pi),
        noise=float(np.exp(random.uniform(np.log(0.002), np.log(0.02)))),
        grain=random.uniform(0.0, 0.8),
        vignette=random.uniform(0.0, 0.35),
        quality=int(random.integers(74, 94)),
    )


def _eyes(key: str) -> Eyes:
    random = generator(key, "eyes")
    open_share = pick(random, (1.0, 1.0, 1.0, 1.0, 1.0, random.uniform(0.5, 0.85)))
    return Eyes(
        half_width=random.uniform(1.95, 2.35),
        upper=random.uniform(0.78, 1.12) * open_share,
        lower=random.uniform(0.70, 0.98),
        skew=random.uniform(-0.22, 0.12),
        slant=float(random.normal(-0.06, 0.07)),
        crease=random.uniform(0.12, 0.75),
        crease_depth=random.uniform(0.1, 0.6),
        pupil=random.uniform(0.24, 0.58),
        gaze=(float(np.clip(random.normal(0, 0.28), -0.8, 0.8)), float(np.clip(random.normal(0, 0.1), -0.25, 0.25))),
        socket=random.uniform(0.0, 1.0),
        limbus=random.uniform(0.15, 0.8),
        fibre=random.uniform(0.25, 1.0),
        collarette=random.uniform(0.10, 0.26),
        redness=float(random.beta(1.3, 4.0)),
        yellowness=float(random.beta(1.3, 4.0)),
        veil=random.uniform(0.003, 0.018),
        lash_length=random.uniform(0.3, 1.0),
        lash_count=int(random.integers(30, 90)),
        lower_lash_length=random.uniform(0.12, 0.5),
        lash_tone=random.uniform(0.35, 1.0),
    )


def _any_colour(random: np.random.Generator) -> Rgb:
    return palette.dye(random.uniform(0, 1), float(random.beta(1.2, 1.4)), random.uniform(0.08, 1.0))


def _makeup(key: str) -> Makeup:
    random = generator(key, "makeup")
    return Makeup(
        shadow=_any_colour(random),
        shadow_strength=pick(random, (0.0, 0.0, 0.0, random.uniform(0.15, 0.8))),
        liner=pick(random, ((0.01, 0.01, 0.01), (0.03, 0.015, 0.01), _any_colour(random))),
        liner_strength=pick(random, (0.0, 0.0, random.uniform(0.3, 0.95))),
        liner_width=random.uniform(0.06, 0.2),
        lips=_any_colour(random),
        lips_strength=pick(random, (0.0, 0.0, random.uniform(0.3, 0.9))),
        blush=pick(random, (0.0, 0.0, random.uniform(0.1, 0.8))),
    )


def _person(key: str) -> Person:
    random = generator(key, "person")
    natural = palette.hair(float(random.beta(1.6, 0.8)), pick(random, (0.0, 0.0, random.uniform(0.2, 1.0))))
    return Person(
        melanin=2.9 * random.uniform(0.0, 1.0) ** 1.3,
        blood=random.uniform(0.05, 0.75),
        age=float(random.beta(1.2, 1.8)),
        freckles=pick(random, (0.0, 0.0, 0.0, random.uniform(0.3, 1.0))),
        pupil_distance=random.uniform(8.5, 10.4),
        face_width=random.uniform(10.3, 12.2),
        face_height=random.uniform(15.0, 17.0),
        jaw=random.uniform(0.05, 0.35),
        nose_length=random.uniform(6.6, 8.4),
        nose_width=random.uniform(1.5, 2.4),
        mouth=random.uniform(2.8, 4.2),
        smile=random.uniform(-0.1, 0.7),
        brow_height=random.uniform(2.3, 4.0),
        brow_width=random.uniform(0.35, 0.95),
        brow_arch=random.uniform(0.1, 0.8),
        brow_density=random.uniform(0.25, 1.0),
        brow=natural,
        hair=pick(random, (natural,) * 6 + (_any_colour(random),)),
        hair_style=pick(random, ("short", "short", "long", "long", "fringe", "bald", "scarf")),
        hairline=random.uniform(-11.0, -7.5),
        parting=random.uniform(-6.0, 6.0),
        beard=pick(random, (0.0, 0.0, 0.0, random.uniform(0.2, 0.9))),
    )


def _things(key: str) -> Things:
    random = generator(key, "things")
    return Things(
        cloth=_any_colour(random),
        cloth_second=_any_colour(random),
        cloth_pattern=pick(random, ("plain", "plain", "stripes", "check")),
        neckline=random.uniform(0.0, 1.0),
        background=pick(random, ("studio", "blurred", "blurred", "lights", "shelves", "foliage")),
        background_colours=(_any_colour(random), _any_colour(random), _any_colour(random)),
        glasses=pick(random, ("none",) * 9 + ("round", "square")),
        glasses_colour=pick(random, ((0.01, 0.01, 0.01), (0.35, 0.3, 0.2), _any_colour(random))),
        glasses_width=random.uniform(0.16, 0.5),
        glasses_size=(random.uniform(3.3, 4.1), random.uniform(2.3, 3.3)),
        reflection=random.uniform(0.0, 0.25),
    )
