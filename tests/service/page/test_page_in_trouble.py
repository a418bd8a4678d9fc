"""The page when something is missing: a picture, a camera, a key, the service."""

import re

import pytest
from playwright.sync_api import Browser, Playwright, Route, expect

from tests import planted
from tests.service.page.browser import CAMERA, Open, answered, drop, jpeg, keep, launched, visit
from tests.service.page.conftest import LIMIT

pytestmark = pytest.mark.slow


def test_what_is_no_picture_is_told_in_a_sentence(opened: Open) -> None:
    with opened() as page:
        drop(page, ("notes.txt", "text/plain", b"not a picture"))
        expect(page.get_by_role("heading", name="This picture cannot be read")).to_be_visible()
        expect(page.locator(".sure")).to_contain_text("not a JPEG, PNG or WebP picture")
        expect(page.locator("#live")).to_contain_text("notes.txt: This picture cannot be read.")
        expect(page.get_by_role("button", name="Try again")).to_have_count(0)
        keep(page, "no_picture")


def test_pasted_words_are_no_picture(opened: Open) -> None:
    with opened() as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.evaluate("navigator.clipboard.writeText('blue')")
        page.keyboard.press("Control+V")
        expect(page.locator("#notice")).to_contain_text("There was no picture in that.")


@pytest.mark.parametrize(
    ("words", "said"),
    [((), "This device has no camera. "), (CAMERA[:1], "The camera may not be used here. ")],
    ids=["none", "refused"],
)
def test_no_camera(playwright: Playwright, service: str, words: tuple[str, ...], said: str) -> None:
    browser = launched(playwright, *words)
    with visit(browser, service) as page:
        page.get_by_role("button", name="Use the camera").click()
        expect(page.get_by_role("alert")).to_contain_text(said)
        expect(page.get_by_role("alert")).to_contain_text(re.compile(r"choose a picture instead\.$", re.I))
        expect(page.get_by_role("button", name="Take the picture")).to_be_hidden()
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Use the camera")).to_be_focused()
    browser.close()


def test_a_key_is_asked_for_and_stays_in_the_tab(browser: Browser, guarded: str, blue: bytes) -> None:
    with visit(browser, guarded) as page:
        drop(page, jpeg("sky.jpg", blue))
        field = page.get_by_label("This service wants a key")
        expect(page.get_by_role("heading", name="The service wants a key")).to_be_visible()
        keep(page, "key")
        for key, then in (("wrong", "does not know that key"), ("sesame", "")):
            field.fill(key)
            field.press("Enter")
            if then:
                expect(page.locator("#key-help")).to_contain_text(then)
        answered(page, "sky.jpg")
        expect(field).to_be_hidden()
        assert page.evaluate("[document.cookie, localStorage.length, location.href]") == ["", 0, f"{guarded}/"]
        assert page.evaluate("Object.values(sessionStorage)") == ["sesame"]


def test_what_is_too_large_is_asked_about_as_a_smaller_copy(browser: Browser, guarded: str) -> None:
    large = planted.saved(planted.picture("blue", size=(4000, 3000)), quality=100)
    assert len(large) > LIMIT
    with visit(browser, guarded) as page:
        page.get_by_label("This service wants a key").fill("sesame")
        page.keyboard.press("Enter")
        expect(page.locator("#model")).to_be_visible()
        drop(page, jpeg("sky.jpg", large))
        answered(page, "sky.jpg")
        expect(page.locator("#said h2")).to_have_text("blue")
        expect(page.locator("#said")).to_contain_text("Asked about a smaller copy")
        drop(page, jpeg("zeros.jpg", bytes(LIMIT)))
        expect(page.get_by_role("heading", name="This picture is too large")).to_be_visible()
        expect(page.locator(".sure")).to_contain_text(f"the limit is {LIMIT}; send a smaller picture.")


def test_without_a_connection_it_waits_and_asks_again(opened: Open, blue: bytes) -> None:
    with opened() as page:
        expect(page.locator("#model")).to_be_visible()
        page.context.set_offline(True)
        drop(page, jpeg("sky.jpg", blue))
        expect(page.get_by_role("heading", name="No connection")).to_be_visible()
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("heading", name="No connection")).to_be_visible()
        keep(page, "no_connection")
        page.context.set_offline(False)
        answered(page, "sky.jpg")


def test_where_a_proxy_in_front_sends_it_away_it_comes_back_in_time(opened: Open, blue: bytes) -> None:
    sent_away: list[str] = []

    def proxy(route: Route) -> None:
        sent_away.append(route.request.url)
        if len(sent_away) == 1:
            route.fulfill(status=503, headers={"Retry-After": "1"}, body="")
        else:
            route.continue_()

    with opened() as page:
        page.route("**/predict", proxy)
        drop(page, jpeg("sky.jpg", blue))
        expect(page.locator("#said")).to_contain_text(re.compile(r"The service is busy\. Asking again in \d s"))
        keep(page, "busy")
        answered(page, "sky.jpg")
        assert len(sent_away) == 2


def test_a_name_is_never_markup(opened: Open, blue: bytes) -> None:
    name = "<img src=x onerror=alert(1)>.jpg"
    with opened() as page:
        drop(page, jpeg(name, blue))
        answered(page, name)
        assert page.locator("img[src=x]").count() == 0
