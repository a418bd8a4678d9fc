"""The page for everyone: by keyboard, on a phone, in the dark, without motion, and for those who hear it."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.service.page.browser import PHONE, Open, answered, barriers, drop, jpeg, keep, style, visit

pytestmark = pytest.mark.slow

FOCUSABLE = "a[href], button, input:not([type=file]), summary, [tabindex='0']"


def test_all_of_it_by_keyboard_alone(opened: Open, tmp_path: Path, blue: bytes, brown: bytes) -> None:
    (tmp_path / "sky.jpg").write_bytes(blue)
    with opened() as page:
        _tab_to(page, "#choose")
        with page.expect_file_chooser() as chooser:
            page.keyboard.press("Enter")
        chooser.value.set_files(tmp_path / "sky.jpg")
        answered(page, "sky.jpg")
        _tab_to(page, "#show-heat")
        page.keyboard.press("Space")
        expect(page.locator("#heat")).to_be_hidden()
        page.keyboard.press("Space")
        _tab_to(page, "#strength")
        faded = page.locator("#heat").evaluate("heat => heat.style.opacity")
        page.keyboard.press("ArrowLeft")
        assert page.locator("#heat").evaluate("heat => heat.style.opacity") < faded
        drop(page, jpeg("earth.jpg", brown))
        answered(page, "earth.jpg")
        _tab_to(page, "#strip li:last-child button")
        page.keyboard.press("Enter")
        answered(page, "sky.jpg")
        _tab_to(page, "#about summary")
        page.keyboard.press("Enter")
        expect(page.locator("#facts")).to_be_visible()


def test_tab_comes_by_everything_and_shows_where_it_is(opened: Open, blue: bytes) -> None:
    with opened() as page:
        drop(page, jpeg("sky.jpg", blue))
        answered(page, "sky.jpg")
        usable = page.locator(FOCUSABLE).evaluate_all("all => all.filter(one => one.checkVisibility()).length")
        page.evaluate("document.activeElement.blur()")
        seen = set()
        for _ in range(usable):
            page.keyboard.press("Tab")
            focus = page.evaluate_handle("document.activeElement")
            assert focus.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
            seen.add(focus.evaluate("one => one.id || one.outerHTML"))
        assert len(seen) == usable > 8


def _tab_to(page: Page, selector: str) -> None:
    target = page.locator(selector)
    for _ in range(30):
        if target.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab never comes to {selector}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(opened: Open, blue: bytes, scheme: str) -> None:
    with opened(**PHONE, color_scheme=scheme) as page:
        _fits(page)
        keep(page, f"phone_{scheme}_empty")
        drop(page, jpeg(f"{'a_very_long_name' * 12}.jpg", blue), ("notes.txt", "text/plain", b"not a picture"))
        expect(page.locator("#heat")).to_be_visible()
        keep(page, f"phone_{scheme}")
        page.locator("#about summary").click()
        _fits(page)
        page.locator("#strip button").last.click()
        expect(page.get_by_role("heading", name="This picture cannot be read")).to_be_visible()
        _fits(page)


def _fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_it_is_dark_where_people_want_it_dark(opened: Open, blue: bytes) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        with opened(color_scheme=scheme) as page:
            drop(page, jpeg("sky.jpg", blue))
            answered(page, "sky.jpg")
            keep(page, scheme)
            found = [style(page, "body", name) for name in ("backgroundColor", "color")]
            colours[scheme] = [sum(map(int, re.findall(r"\d+", value))) for value in found]
    assert colours["light"][0] > 600 > 150 > colours["light"][1]
    assert colours["dark"][0] < 150 < 600 < colours["dark"][1]


def test_nothing_moves_for_those_who_want_it_still(opened: Open, blue: bytes) -> None:
    moving = "[...document.querySelectorAll('*')].filter(one => getComputedStyle(one).animationName !== 'none').length"
    counts = {}
    for motion in ("no-preference", "reduce"):
        with opened(reduced_motion=motion) as page:
            drop(page, jpeg("sky.jpg", blue))
            answered(page, "sky.jpg")
            counts[motion] = page.evaluate(moving)
    assert counts["no-preference"] > 0 == counts["reduce"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_axe_finds_no_barrier(opened: Open, blue: bytes, torn: bytes, scheme: str, device: dict[str, Any]) -> None:
    with opened(**device, color_scheme=scheme, reduced_motion="reduce") as page:
        expect(page.locator("#model")).to_be_visible()
        assert barriers(page) == []
        drop(page, jpeg("sky.jpg", blue), jpeg("torn.jpg", torn), jpeg("broken.jpg", b"broken"))
        for shown in ("sky.jpg", "torn.jpg", "broken.jpg"):
            page.get_by_title(shown).click()
            expect(page.locator("#said .eyebrow")).to_have_text(shown)
            expect(page.locator("#said h2")).to_be_visible()
            assert barriers(page) == [], shown
        page.locator("#about summary").click()
        assert barriers(page) == []


def test_axe_finds_no_barrier_in_the_dialogs(opened: Open, browser: Browser, guarded: str) -> None:
    with opened(permissions=["camera"]) as page:
        page.get_by_role("button", name="Use the camera").click()
        expect(page.get_by_role("button", name="Take the picture")).to_be_enabled()
        assert barriers(page) == []
    with visit(browser, guarded) as page:
        expect(page.get_by_label("This service wants a key")).to_be_focused()
        assert barriers(page) == []
