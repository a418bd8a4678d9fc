"""Eyes: found where they were drawn, at any framing and tilt, of each person, and nowhere else; the square shows the iris.

Run: pytest tests/eyes/test_finder.py
"""

import csv
import io
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from irisline.core.linear_light import to_display, to_linear
from irisline.eyes.finder import Eye, balanced, crop, find, visibility
from irisline.eyes.finder.white_balance import white
from irisline.eyes.rendering import Scene, TrueIris, encode, render, sample, true_irises
from irisline.eyes.rendering.without_eyes import KINDS, draw_without_eye
from irisline.eyes.wording import WORDING

ROOT = Path(__file__).parents[2]
REAL = next((folder for above in ROOT.parents if (folder := above / "shared" / "real_eyes").is_dir()), None)
HANGING = ("long", "fringe")
"""Hair that may hang over an eye."""


def photograph(scene: Scene) -> Image.Image:
    return Image.open(io.BytesIO(encode(render(scene), scene.camera.quality))).convert("RGB")


def scenes(kind: str, count: int) -> Iterator[Scene]:
    """Scenes of one framing in which nothing hides an eye: no shadow, no spectacles, no hair."""
    drawn = (sample(f"find/{kind}/{i}", ("blue", "brown")[i % 2]) for i in itertools.count())
    fitting = (scene for scene in drawn if scene.framing.kind == kind and scene.person.hair_style not in HANGING)
    for scene in itertools.islice(fitting, count):
        light, things = replace(scene.light, shadow=0.0), replace(scene.things, glasses="none")
        yield replace(scene, light=light, things=things)


def nearest(iris: TrueIris, eyes: list[Eye]) -> tuple[float, float]:
    """Distance of the nearest found eye in iris radii, and by what share its radius is wrong."""
    errors = ((np.hypot(eye.x - iris.x, eye.y - iris.y), eye.radius) for eye in eyes)
    away, radius = min(errors, default=(np.inf, np.inf))
    return float(away) / iris.radius, abs(radius / iris.radius - 1)


def found_eyes(picture: Image.Image) -> list[Eye]:
    return [eye for face in find(picture).faces for eye in face.eyes]


@pytest.mark.parametrize("kind", ["eye", "eyes", "face"])
def test_irises_are_found_where_they_were_drawn(kind: str) -> None:
    errors = []
    for scene in scenes(kind, 20):
        eyes = found_eyes(photograph(scene))
        errors += [nearest(iris, eyes) for iris in true_irises(scene) if iris.visible]
    away, radius = np.array(errors).T
    assert np.mean(away < 0.25) >= 0.9
    assert np.median(away) < 0.1
    assert np.mean(radius < 0.15) >= 0.9


def test_hardly_anything_else_is_taken_for_an_eye() -> None:
    extra = 0
    for kind in ("eye", "eyes", "face"):
        for scene in scenes(kind, 12):
            known = true_irises(scene)
            eyes = found_eyes(photograph(scene))
            extra += sum(
                min(np.hypot(eye.x - iris.x, eye.y - iris.y) / iris.radius for iris in known) > 0.6 for eye in eyes
            )
    assert extra <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_without_an_eye_has_none(kind: str) -> None:
    found = [find(Image.fromarray(draw_without_eye(kind, f"none/{i}"))) for i in range(20)]
    assert sum(bool(one.faces) for one in found) <= (4 if kind == "discs" else 2)  # of 120 discs, 11 are taken for eyes
    assert {one.reason for one in found if not one.faces} == {WORDING.nothing_found}


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (24, 24), (320, 240)])
def test_a_plain_picture_of_any_size_has_no_eye(size: tuple[int, int]) -> None:
    assert find(Image.new("RGB", size, (200, 170, 150))).reason == WORDING.nothing_found


def test_the_same_picture_gives_the_same_eyes_in_any_thread() -> None:
    pictures = [photograph(scene) for scene in scenes("face", 4)]
    alone = [find(picture) for picture in pictures]
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(find, pictures * 2))
    assert together == alone * 2
    assert len({str(one) for one in alone}) == 4


@pytest.mark.parametrize("degrees", [-20, -10, 10, 20])
def test_a_tilted_head_is_found_and_its_tilt_told(degrees: int) -> None:
    told = []
    for scene in scenes("face", 8):
        level = replace(scene, framing=replace(scene.framing, tilt=0.0))
        picture = photograph(level).rotate(-degrees, resample=Image.Resampling.BICUBIC, fillcolor=(128, 128, 128))
        told += [np.degrees(face.tilt) for face in find(picture).faces if len(face.eyes) == 2]
    assert len(told) >= 7
    assert abs(float(np.median(told)) - degrees) < 4


def test_two_people_are_two_faces_with_two_eyes_each() -> None:
    found = []
    for scene in scenes("face", 8):
        one = photograph(replace(scene, framing=replace(scene.framing, width=280, height=300, scale=11.0, tilt=0.0)))
        both = Image.new("RGB", (2 * one.width, one.height))
        both.paste(one, (0, 0))
        both.paste(one, (one.width, 0))
        found.append([len(face.eyes) for face in find(both).faces])
    assert found.count([2, 2]) >= 7


def test_a_close_up_of_one_eye_is_known_as_such() -> None:
    framings = [face.framing for scene in scenes("eye", 20) for face in find(photograph(scene)).faces]
    assert framings.count("eye") >= 18
    assert framings.count("eye") == len(framings)


def test_an_eye_that_closes_has_less_of_its_iris_open() -> None:
    scene = next(one for one in scenes("eye", 20) if one.eyes.upper > 0.9)
    (wide,) = found_eyes(photograph(scene))
    (narrow,) = found_eyes(photograph(replace(scene, eyes=replace(scene.eyes, upper=0.45))))
    assert narrow.openness < wide.openness - 0.05


def test_the_square_has_the_iris_in_its_middle_at_its_size_and_the_eyes_level() -> None:
    picture = Image.new("RGB", (400, 300), "white")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((160, 110, 240, 190), fill="black")  # radius 40 at (200, 150)
    draw.line((200, 150, 400, 350), fill="red", width=9)  # 45 degrees down to the right
    square = np.asarray(crop(picture, Eye(200, 150, 40, 1, 1), np.pi / 4, 96)).astype(int)
    dark = (square.max(axis=2) < 100) & (square[..., 0] < 100)
    rows, columns = np.nonzero(dark)
    assert square.shape == (96, 96, 3)
    assert abs(rows.mean() - 47.5) < 2.5
    assert abs((columns.max() - columns.min() + 1) / 96 - 2 / 4.8) < 0.04
    assert abs(np.nonzero(square[:, 90, 1] < 100)[0].mean() - 47.5) < 2


def test_a_large_eye_is_averaged_into_its_square_and_the_edge_repeated() -> None:
    checks = np.indices((600, 600)).sum(axis=0) % 2 * 255
    picture = Image.fromarray(np.repeat(checks[..., None], 3, axis=2).astype(np.uint8))
    square = np.asarray(crop(picture, Eye(300, 300, 120, 1, 1), 0.0, 96)).astype(int)
    assert square.std() < 20
    red = Image.new("RGB", (50, 50), "red")
    assert np.unique(np.asarray(crop(red, Eye(0, 0, 40, 1, 1), 0.3, 32)).reshape(-1, 3), axis=0).tolist() == [
        [255, 0, 0]
    ]


def test_the_white_is_brighter_than_the_iris_and_the_pupil_darkest() -> None:
    seen = []
    for scene in scenes("eye", 12):
        picture = photograph(scene)
        seen += [visibility(crop(picture, face.eyes[0], face.tilt, 96)) for face in find(picture).faces]
    assert np.mean([one.contrast > 0.1 for one in seen]) >= 0.9
    assert np.mean([one.pupil <= one.iris for one in seen]) >= 0.9


@pytest.mark.parametrize("gains", [(1.25, 1.0, 0.7), (0.8, 1.0, 1.2), (0.6, 0.6, 0.6)], ids=["warm", "cold", "dim"])
def test_a_balanced_square_hardly_shows_the_light(gains: tuple[float, float, float]) -> None:
    before, after = [], []
    for scene in scenes("eye", 6):
        iris = next(iris for iris in true_irises(scene) if iris.visible)
        square = crop(photograph(scene), Eye(iris.x, iris.y, iris.radius, 1, 1), 0.0, 64)
        dim = to_linear(np.asarray(square)) * np.float32(0.75)
        plain, lit = (Image.fromarray(to_display(light)) for light in (dim, dim * np.array(gains, np.float32)))
        before.append(np.abs(np.asarray(plain, dtype=int) - np.asarray(lit, dtype=int)).mean())
        after.append(np.abs(np.asarray(balanced(plain), dtype=int) - np.asarray(balanced(lit), dtype=int)).mean())
        level = white(to_linear(np.asarray(balanced(lit))))
        assert level.max() / level.min() < 1.1
    assert np.mean(after) < 0.25 * np.mean(before)


@pytest.mark.skipif(REAL is None, reason="the photographs for measuring are not beside the project")
def test_eyes_of_real_faces_are_found_to_a_fiftieth_of_their_distance() -> None:
    assert REAL is not None
    with (REAL / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    errors = []
    for row in rows:
        eyes = found_eyes(Image.open(REAL / row["file"]).convert("RGB"))
        pupils = np.array([[float(row[f"{side}_eye_{axis}"]) for axis in "xy"] for side in ("left", "right")])
        between = np.hypot(*(pupils[1] - pupils[0]))
        errors += [min((np.hypot(eye.x - x, eye.y - y) for eye in eyes), default=np.inf) / between for x, y in pupils]
    assert np.mean(np.array(errors) < 0.05) >= 0.95
    assert np.median(errors) < 0.02
