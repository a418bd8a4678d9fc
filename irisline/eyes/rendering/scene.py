"""What a picture shows: framing, light, camera, person, eyes, irises, things around.

Knows nothing of pixels nor of how a scene is chosen. Lengths are in iris radii (about 5.9 mm); the origin lies midway
between the pupils, x to the right, y down. Strengths, densities and depths without a unit run from 0 to 1.
"""

from dataclasses import dataclass

from irisline.eyes.rendering.colour import Rgb


@dataclass(frozen=True)
class Framing:
    """How the camera looks at the person: one eye, both eyes in a band, or a face."""

    kind: str
    width: int
    height: int
    scale: float
    """Pixels per iris radius."""
    tilt: float
    centre: tuple[float, float]
    """The point at the middle of the picture."""


@dataclass(frozen=True)
class Light:
    """Where light comes from and how warm it is."""

    kelvin: float
    second_kelvin: float
    mix: float
    """Share of the second light at its side of the picture."""
    mix_angle: float
    direction: tuple[float, float, float]
    ambient: float
    shadow: float
    """Depth of a shadow edge that falls across the picture; 0 for none."""
    catchlight: str
    catchlight_size: float
    catchlight_gain: float


@dataclass(frozen=True)
class Camera:
    """What the camera makes of the light."""

    balance: float
    tint: float
    exposure: float
    """Linear level that the skin is brought to, roughly."""
    contrast: float
    saturation: float
    defocus: float
    """Standard deviation of the blur in pixels."""
    motion: float
    motion_angle: float
    noise: float
    grain: float
    vignette: float
    quality: int


@dataclass(frozen=True)
class Iris:
    """The one thing a label speaks of."""

    colour: str
    melanin: float
    melanin_slope: float
    lipochrome: float
    scatter: float
    scatter_power: float
    collagen: float
    ring: float
    """Extra melanin around the pupil."""


@dataclass(frozen=True)
class Eyes:
    """Shape of both eyes of a person."""

    half_width: float
    upper: float
    lower: float
    skew: float
    slant: float
    crease: float
    crease_depth: float
    pupil: float
    gaze: tuple[float, float]
    socket: float
    """How deep the eye sits, 0 to 1."""
    limbus: float
    fibre: float
    collarette: float
    redness: float
    yellowness: float
    veil: float
    lash_length: float
    lash_count: int
    lower_lash_length: float
    lash_tone: float


@dataclass(frozen=True)
class Makeup:
    """Any colour, at times none (strength 0)."""

    shadow: Rgb
    shadow_strength: float
    liner: Rgb
    liner_strength: float
    liner_width: float
    lips: Rgb
    lips_strength: float
    blush: float


@dataclass(frozen=True)
class Person:
    """Skin, hair and shape of the head."""

    melanin: float
    blood: float
    age: float
    freckles: float
    pupil_distance: float
    face_width: float
    face_height: float
    jaw: float
    nose_length: float
    nose_width: float
    mouth: float
    smile: float
    brow_height: float
    brow_width: float
    brow_arch: float
    brow_density: float
    brow: Rgb
    hair: Rgb
    hair_style: str
    hairline: float
    parting: float
    beard: float


@dataclass(frozen=True)
class Things:
    """Clothing, background and spectacles."""

    cloth: Rgb
    cloth_second: Rgb
    cloth_pattern: str
    neckline: float
    background: str
    background_colours: tuple[Rgb, Rgb, Rgb]
    glasses: str
    glasses_colour: Rgb
    glasses_width: float
    glasses_size: tuple[float, float]
    reflection: float


@dataclass(frozen=True)
class Scene:
    """Everything a picture is drawn from."""

    key: str
    irises: tuple[Iris, Iris]
    """Irises at the left and at the right of the picture."""
    framing: Framing
    light: Light
    camera: Camera
    eyes: Eyes
    makeup: Makeup
    person: Person
    things: Things
