"""The page as a person uses it, in a real browser against the whole service."""

import re
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests import planted
from tests.service.page.browser import PHONE, Open, answered, copy, drop, jpeg, keep, style

pytestmark = pytest.mark.slow


def test_a_dropped_picture_gets_the_answer_of_the_api(opened: Open, service: str, blue: bytes) -> None:
    told = httpx.post(f"{service}/predict", content=blue, headers={"content-type": "image/jpeg"}).json()
    share = round(told["probabilities"]["blue"] * 100)
    with opened() as page:
        drop(page, jpeg("sky.jpg", blue))
        answered(page, "sky.jpg")
        expect(page.get_by_role("heading", name="blue", exact=True)).to_be_visible()
        expect(page.locator(".sure")).to_have_text(f"Sure: {share} chances in 100 that this is blue.")
        expect(page.locator("#live")).to_have_text(f"sky.jpg: blue. Sure: {share} chances in 100 that this is blue.")
        expect(page.locator(".bars .share")).to_have_text([f"{share}%", f"{100 - share}%"])
        widths = page.locator(".fill").evaluate_all("bars => bars.map(bar => parseFloat(bar.style.width))")
        assert widths == pytest.approx([told["probabilities"][name] * 100 for name in ("blue", "brown")])
        expect(page.locator(".by")).to_contain_text(f"eye-colour version 1, {told['model']['digest'][:8]}")
        keep(page, "dropped")


def test_a_file_of_any_name_is_named_as_it_is(opened: Open, blue: bytes) -> None:
    with opened() as page:
        page.evaluate("() => { window.alert = () => { throw Error('a name became markup') } }")
        for name in (
            "<img src=x onerror=alert(1)>.jpg",
            "Ba$$in & {{7*7}} #%41.jpg",
            "\u202egpj.evil",
            "眼👩\u200d👧.jpg",
            "é" * 125,
        ):
            drop(page, jpeg(name, blue))
            page.wait_for_function("name => document.querySelector('#said .eyebrow')?.textContent === name", arg=name)
            expect(page.locator("#said h2")).to_have_text("blue")
        assert page.locator("#said img[src=x], #strip img[src=x]").count() == 0


def test_a_pasted_picture(opened: Open) -> None:
    with opened() as page:
        copy(page, planted.saved(planted.picture("brown"), "PNG"))
        page.keyboard.press("Control+V")
        answered(page, "image.png")
        expect(page.locator("#said h2")).to_have_text("brown")


def test_a_chosen_file(opened: Open, tmp_path: Path, brown: bytes) -> None:
    (tmp_path / "earth.jpg").write_bytes(brown)
    with opened() as page:
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Choose pictures").click()
        chooser.value.set_files(tmp_path / "earth.jpg")
        answered(page, "earth.jpg")
        expect(page.locator("#said h2")).to_have_text("brown")


def test_the_camera(opened: Open) -> None:
    with opened(permissions=["camera"]) as page:
        page.get_by_role("button", name="Use the camera").click()
        shoot = page.get_by_role("button", name="Take the picture")
        expect(shoot).to_be_focused()
        keep(page, "camera")
        shoot.click()
        answered(page, "camera.jpg")
        expect(page.get_by_role("dialog")).to_be_hidden()
        assert page.locator("#video").evaluate("video => video.srcObject") is None


def test_a_phone_uses_its_own_camera(opened: Open, blue: bytes) -> None:
    with opened(**PHONE) as page:
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Use the camera").click()
        assert chooser.value.element.get_attribute("capture") == "environment"
        chooser.value.set_files({"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": blue})
        answered(page, "photo.jpg")


def test_an_unsure_answer_says_why(opened: Open, torn: bytes) -> None:
    with opened() as page:
        drop(page, jpeg("torn.jpg", torn))
        answered(page, "torn.jpg")
        expect(page.locator(".sure")).to_have_text(
            re.compile(
                r"^Unsure: maybe \w+, because its 5\d chances in 100 are fewer than the 60 it takes to be sure\.$"
            )
        )
        expect(page.locator(".mark")).to_have_text("sure from 60%")
        keep(page, "unsure")


def test_many_at_once_each_get_their_own(opened: Open, blue: bytes, brown: bytes, torn: bytes) -> None:
    with opened() as page:
        drop(page, jpeg("one.jpg", blue), jpeg("two.jpg", b"broken"), jpeg("three.jpg", brown), jpeg("four.jpg", torn))
        strip = page.locator("#strip button")
        expect(strip).to_have_text(["blue", "No answer", "brown", re.compile("^(blue|brown), unsure$")])
        answered(page, "one.jpg")
        expect(page.locator("#tally")).to_contain_text("4 pictures:")
        expect(page.locator("#live")).to_contain_text("1 without an answer")
        strip.nth(1).click()
        expect(page.get_by_role("heading", name="This picture cannot be read")).to_be_visible()
        strip.nth(2).click()
        answered(page, "three.jpg")
        assert strip.evaluate_all("all => all.map(one => one.ariaPressed)") == ["false", "false", "true", "false"]
        keep(page, "many")
        page.get_by_role("button", name="Forget them").click()
        expect(strip).to_have_count(0)
        expect(page.locator("#result")).to_be_hidden()
        expect(page.get_by_role("button", name="Choose pictures")).to_be_focused()


def test_it_shows_where_the_model_looked(opened: Open) -> None:
    lake = Image.new("RGB", (240, 160), (120, 60, 120))
    lake.paste((20, 60, 250), (0, 110, 75, 160))
    with opened() as page:
        drop(page, jpeg("lake.jpg", planted.saved(lake)))
        answered(page, "lake.jpg")
        expect(page.locator("#caption")).to_contain_text("most of all the lower left.")
        assert style(page, "#picture", "objectFit") == "fill"
        dark = page.locator("#heat").evaluate(
            "heat => [[32, 224], [224, 32]].map(([x, y]) => heat.getContext('2d').getImageData(x, y, 1, 1).data[3])"
        )
        assert dark[0] < 60 < 180 < dark[1]
        keep(page, "looked")
        page.get_by_role("switch").uncheck()
        expect(page.locator("#heat")).to_be_hidden()
        assert style(page, "#picture", "objectFit") == "contain"


def test_the_model_says_where_it_comes_from(opened: Open, service: str) -> None:
    told = httpx.get(f"{service}/model").json()
    with opened() as page:
        page.get_by_role("link", name="Version 1").click()
        about = page.locator("#about")
        expect(about).to_contain_text("wrong about 10 times in 100 (95% interval: 0 to 20).")
        for fact in (told["digest"], "own 24", *told["files"].values(), "32 × 32 pixels, squashed"):
            expect(about).to_contain_text(fact)
        expect(about.get_by_role("row").last).to_have_text("Wrong answers10.0%0.0% to 20.0%")


def test_a_picture_of_another_type_is_asked_about_as_a_copy(opened: Open) -> None:
    with opened() as page:
        drop(page, ("earth.bmp", "image/bmp", planted.saved(planted.picture("brown"), "BMP")))
        answered(page, "earth.bmp")
        expect(page.locator("#said h2")).to_have_text("brown")
        expect(page.locator("#said")).to_contain_text("Asked about a JPEG copy")


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("percent(0.934)", "93%"),
        ("percent(0.9996)", "> 99%"),
        ("percent(0.0001)", "< 1%"),
        ("chances(0.01)", "1 chance in 100"),
        ("chances(0.999)", "more than 99 chances in 100"),
        ("choice(['blue', 'brown', 'green'])", "blue, brown or green"),
        ("title('eye-colour')", "Eye colour"),
        ("moment('2026-11-01T10:20:30+00:00')", "2026-11-01 10:20 UTC"),
        ("moment('never')", "never"),
        ("named('light-blue_2')", "light-blue_2"),
        ("named('Unsure')", "“Unsure”"),
        (
            "sureness({label: 'unsure', confidence: 0.93, unsure: false}).rest",
            "93 chances in 100 that this is “unsure”.",
        ),
        ("place([[0, 0], [0, 0]])", "No single part of the picture decided: covering any of them changes little."),
        (
            "sureness({label: 'a', confidence: 0.5, unsure: true, reason: 'it is dark'}).rest",
            "maybe a, because it is dark.",
        ),
        (
            "sureness({label: 'a', confidence: 0.5, unsure: true, reason_code: 'low_confidence', limit: 0.8}).rest",
            "maybe a, because its 50 chances in 100 are fewer than the 80 it takes to be sure.",
        ),
        ("threshold({reason: 'confidence 0.50 is below 0.80'})", None),
    ],
)
def test_words(opened: Open, call: str, text: str | None) -> None:
    with opened() as page:
        assert page.evaluate(f"import('/page/words.js').then(({{ {call.split('(')[0]} }}) => {call})") == text
