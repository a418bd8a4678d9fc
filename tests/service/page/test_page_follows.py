"""The page while another version takes over."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from irisline.core.params import Params
from irisline.release.promotion import registry
from tests.release import conftest as releases
from tests.service.conftest import eventually
from tests.service.page.browser import answered, drop, jpeg, visit
from tests.service.test_following import follower, serves

pytestmark = pytest.mark.slow

empty_store, settings, person = releases.empty_store, releases.settings, releases.person
two_versions, published = releases.two_versions, releases.published


def test_the_page_follows_and_every_answer_keeps_its_version(
    browser: Browser, published: Params, tmp_path: Path
) -> None:
    registry.promote(published, 1)
    with follower(tmp_path) as address, visit(browser, address) as page:
        drop(page, jpeg("first.jpg", releases.BLUE))
        answered(page, "first.jpg")
        registry.promote(published, 2)
        assert eventually(lambda: serves(address, 2))
        drop(page, jpeg("second.jpg", releases.BLUE))
        answered(page, "second.jpg")
        expect(page.locator(".by")).to_contain_text("eye-colour version 2, ")
        expect(page.locator("#model")).to_contain_text("Version 2")
        page.get_by_title("first.jpg").click()
        answered(page, "first.jpg")
        expect(page.locator(".by")).to_contain_text("eye-colour version 1, ")
