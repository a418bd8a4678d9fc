"""Changed pictures: what must not matter leaves the irises alone, another iris changes them and nothing else."""

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from irisline.core import seeding
from irisline.eyes import finder
from irisline.eyes.finder import Eye, Face
from irisline.eyes.perturbations import AROUND_EYES, PERTURBATIONS, iris
from irisline.eyes.perturbations.geometry import near
from tests import drawn

LABELS = ("blue", "brown")


def changed(name: str, picture: Image.Image, key: object = 0) -> Image.Image:
    made = PERTURBATIONS.apply(name, picture, PERTURBATIONS.detect(picture), seeding.generator("test", name, key))
    assert made
    return made


def distances(picture: Image.Image, face: Face) -> NDArray[np.floating]:
    """Return how far each pixel is from the nearer eye of a person, in iris radii."""
    away = [near(picture.size, eye, face.tilt, 1e3) for eye in face.eyes]
    return np.minimum(*(np.hypot(each.across, each.down) for each in away))


def differs(one: Image.Image, other: Image.Image) -> NDArray[np.bool_]:
    return np.asarray(np.abs(np.asarray(one, int) - np.asarray(other, int)).max(axis=2) > 2)


@pytest.mark.parametrize("name", PERTURBATIONS.invariant)
def test_a_change_shows_and_is_the_same_for_the_same_key(name: str) -> None:
    picture = drawn.faces("blue", 1)[0]
    before = picture.tobytes()
    found = changed(name, picture)
    assert (found.mode, picture.tobytes()) == ("RGB", before)
    assert found.tobytes() == changed(name, picture).tobytes() != before


@pytest.mark.parametrize("name", sorted(set(PERTURBATIONS.invariant) - set(AROUND_EYES)))
def test_a_photograph_of_anything_may_be_another_photograph(name: str) -> None:
    grey = Image.new("RGB", (60, 40), (90, 100, 110))
    assert changed(name, grey).size == (60, 40) or name == "scale"


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("name", sorted(AROUND_EYES))
def test_paint_leaves_the_eye_between_its_lids_alone(name: str, label: str) -> None:
    picture = drawn.faces(label, 1)[0]
    (face,) = finder.find(picture).faces
    touched = differs(picture, changed(name, picture))
    assert touched.any()
    assert not touched[distances(picture, face) < 1.0].any()


@pytest.mark.parametrize("name", sorted(PERTURBATIONS.invariant))
def test_eyes_may_lie_outside_of_the_picture(name: str) -> None:
    picture = Image.new("RGB", (191, 200), (120, 90, 80))
    beside = Face((Eye(49.0, -5.0, 24.0, 1.0, 1.0),), "eye"), Face((Eye(-30.0, 90.0, 9.0, 1.0, 1.0),), "face")
    changed = PERTURBATIONS.apply(name, picture, beside, seeding.generator(name))
    assert changed.mode == "RGB"
    assert changed.size == picture.size or name == "scale"


@pytest.mark.parametrize(("name", "hue"), [("blue_surroundings", 159), ("orange_surroundings", 18)])
def test_the_surroundings_are_of_one_hue_and_the_face_is_as_it_was(name: str, hue: int) -> None:
    face = drawn.faces("brown", 1)[0]
    picture = Image.new("RGB", (face.width + 400, face.height), (128, 128, 128))
    picture.paste(face, (200, 0))
    found = changed(name, picture)
    beside = np.asarray(found.convert("HSV"))[:, :60]
    assert np.abs(beside[..., 0].astype(int) - hue).max() <= 2
    assert beside[..., 1].min() > 200
    (person,) = finder.find(picture).faces
    assert not differs(picture, found)[distances(picture, person) < 4.5].any()


def test_mirrored_twice_is_as_before() -> None:
    picture = drawn.faces("blue", 1)[0]
    assert changed("mirror", changed("mirror", picture)).tobytes() == picture.tobytes()


def test_the_size_changes_within_its_bounds() -> None:
    picture = Image.new("RGB", (100, 50))
    sizes = [changed("scale", picture, key).size for key in range(20)]
    assert len(set(sizes)) > 10
    assert all(60 <= width <= 140 and abs(width - 2 * height) <= 1 for width, height in sizes)


def test_light_is_warm_or_cold() -> None:
    grey = Image.new("RGB", (4, 4), (120, 120, 120))
    (warm, cold) = (np.asarray(changed(name, grey))[0, 0] for name in ("warm_light", "cold_light"))
    assert warm[0] > warm[1] > warm[2]
    assert cold[0] < cold[1] < cold[2]


@cache
def shades(label: str) -> tuple[iris.Shade, ...]:
    return tuple(iris.shade(each, face) for each in drawn.faces(label, 4) for face in finder.find(each).faces)


def recoloured(label: str, number: int) -> tuple[Image.Image, Image.Image, iris.Shade]:
    """Return a drawn face, the same with its irises in a clear shade of the other class, and that shade."""
    (other,) = set(LABELS) - {label}
    picture, to = drawn.faces(label, 4)[number], iris.clear(shades(other), shades(label))
    return picture, iris.recolour(picture, finder.find(picture).faces, to), to


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("label", LABELS)
def test_a_recoloured_iris_has_the_other_shade_and_nothing_else_has_changed(label: str, number: int) -> None:
    picture, found, to = recoloured(label, number)
    (face,) = finder.find(picture).faces
    touched, away = differs(picture, found), distances(picture, face)
    assert touched[(away > 0.6) & (away < 0.8)].mean() > 0.5
    assert not touched[(away > 1.15) | (away < 0.2)].any()
    before, after = (iris.shade(each, face).bands for each in (picture, found))
    assert np.abs(after - to.bands).max() < 0.35 < np.abs(before - to.bands).max()


def test_a_gleam_stays() -> None:
    picture, found, _ = recoloured("brown", 0)
    (face,) = finder.find(picture).faces
    bright = (distances(picture, face) < 0.9) & (np.asarray(picture).min(axis=2) > 235)
    assert not differs(picture, found)[bright].any()


def test_a_clear_shade_is_of_the_half_that_is_farthest_from_others() -> None:
    dark, darker, light = (
        iris.Shade(np.full(3, level), 0.1 * number) for number, level in enumerate((-2.0, -4.0, -1.0))
    )
    found = iris.clear([dark, darker], [light])
    assert (found.bands.tolist(), found.spread) == (darker.bands.tolist(), darker.spread)
