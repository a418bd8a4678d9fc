"""The page of a model that looks at eyes: what it looked at lies where the eye is, and no eye is no answer."""

import math
import re
from collections.abc import Iterator
from functools import partial

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from irisline.eyes.rendering.picture import render, true_irises
from irisline.eyes.rendering.sampling import sample
from tests import drawn, planted
from tests.service.conftest import gallery, running, version_folder
from tests.service.page.browser import Open, answered, barriers, drop, jpeg, keep, style, visit

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def of_eyes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a service whose model looks at eyes."""
    home = tmp_path_factory.mktemp("of_eyes")
    model = version_folder(home / "model", crop="eyes", gallery=gallery())
    with running(model, home / "log") as (address, _):
        yield address


@pytest.fixture
def opened(browser: Browser, of_eyes: str) -> Open:
    return partial(visit, browser, of_eyes)


def test_what_it_looked_at_lies_on_the_eye(opened: Open) -> None:
    scene = sample("two/3", "blue")
    picture = Image.fromarray(render(scene))
    with opened() as page:
        drop(page, jpeg("face.jpg", planted.saved(picture, quality=95)))
        answered(page, "face.jpg")
        stage, heat = (page.locator(name).bounding_box() for name in ("#stage", "#heat"))
        keep(page, "eyes")
    longest = max(picture.size)
    x, y = ((heat[axis] - stage[axis] + heat["width"] / 2) / stage["width"] - 0.5 for axis in ("x", "y"))
    near = [
        abs(x - (iris.x - picture.width / 2) / longest) + abs(y - (iris.y - picture.height / 2) / longest)
        for iris in true_irises(scene)
    ]
    assert min(near) < 0.5 * true_irises(scene)[0].radius / longest
    assert heat["width"] < 0.5 * stage["width"]


@pytest.mark.parametrize("degrees", [-15, 15])
def test_it_is_as_tilted_as_the_eyes_are(opened: Open, degrees: int) -> None:
    scene = sample("two/3", "blue")
    left, right = sorted(true_irises(scene), key=lambda iris: iris.x)
    already = math.degrees(math.atan2(right.y - left.y, right.x - left.x))
    tilted = Image.fromarray(render(scene)).rotate(-degrees, Image.Resampling.BICUBIC)  # Pillow's turn the other way
    with opened() as page:
        drop(page, jpeg("face.jpg", planted.saved(tilted, quality=95)))
        answered(page, "face.jpg")
        shown = style(page, "#heat", "rotate")
        keep(page, f"tilted {degrees}")
    assert float(shown.removesuffix("deg")) == pytest.approx(already + degrees, abs=4)


def test_the_example(opened: Open) -> None:
    with opened() as page:
        page.get_by_role("button", name="Try an example").click()
        answered(page, "example.jpg")
        expect(page.locator("#said h2")).to_have_text(re.compile("^(blue|brown)$"))
        keep(page, "example")


def test_the_nearest_training_pictures_are_shown_with_their_labels(opened: Open) -> None:
    face = planted.saved(Image.fromarray(render(sample("two/3", "blue"))), quality=95)
    with opened() as page:
        drop(page, jpeg("face.jpg", face))
        answered(page, "face.jpg")
        near = page.locator("#nearest li")
        expect(near).to_have_count(3)
        expect(page.locator("#nearest")).to_contain_text("Nearest training pictures")
        assert set(near.all_inner_texts()) <= {"blue", "brown"}
        assert near.locator("img").evaluate_all("all => all.every((one) => one.naturalWidth === 32)")
        assert barriers(page) == []
        drop(page, jpeg("wall.jpg", planted.saved(Image.new("RGB", (120, 90), "green"))))
        expect(page.locator("#said h2")).to_have_text("No eye found")
        expect(page.locator("#nearest")).to_be_hidden()


def test_several_people_are_numbered_and_told_one_by_one(opened: Open) -> None:
    with opened() as page:
        drop(page, jpeg("two.jpg", planted.saved(drawn.two_people(), quality=95)))
        answered(page, "two.jpg")
        told, numbers = page.locator("#said ol.subjects li"), page.locator("#subjects span")
        expect(told).to_have_count(2)
        expect(numbers).to_have_text(["1", "2"])
        expect(page.locator(".bars")).to_have_count(0)
        stage, *places = (found.bounding_box() for found in (page.locator("#stage"), *numbers.all()))
        sides = sorted((place["x"] + place["width"] / 2 - stage["x"]) / stage["width"] for place in places)
        assert sides[0] < 0.5 < sides[1]
        assert barriers(page) == []
        keep(page, "two people")
        drop(page, jpeg("face.jpg", planted.saved(Image.fromarray(render(sample("two/3", "blue"))), quality=95)))
        expect(page.locator(".bars")).to_have_count(1)
        expect(numbers).to_have_count(0)


def test_a_picture_without_an_eye_gets_no_colour(opened: Open) -> None:
    with opened() as page:
        drop(page, jpeg("wall.jpg", planted.saved(Image.new("RGB", (120, 90), "green"))))
        expect(page.locator("#said h2")).to_have_text("No eye found")
        expect(page.locator(".bars")).to_have_count(0)
        expect(page.locator("#heat")).to_be_hidden()
        expect(page.locator("#said")).not_to_contain_text("lue")
        expect(page.locator("#live")).to_have_text(
            "wall.jpg: No eye found. Unsure: there is nothing in this picture that it could tell."
        )
