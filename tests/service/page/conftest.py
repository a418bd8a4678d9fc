"""A browser, and pages opened in it."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests import planted
from tests.service.conftest import running
from tests.service.page.browser import CAMERA, Open, launched, visit

LIMIT = 1_000_000  # bytes that the guarded service takes


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as found:  # for this folder only: while it lives, no other test can run an event loop
        yield found


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    found = launched(playwright, *CAMERA)
    yield found
    found.close()


@pytest.fixture
def opened(browser: Browser, service: str) -> Open:
    """Return a function that opens the page of the service."""
    return partial(visit, browser, service)


@pytest.fixture(scope="package")
def guarded(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a service that wants the key sesame and takes few bytes."""
    log = tmp_path_factory.mktemp("guarded") / "log"
    with running(served, log, IRISLINE_API_KEYS="sesame", IRISLINE_MAX_BYTES=str(LIMIT)) as (address, _):
        yield address


@pytest.fixture
def torn() -> bytes:
    """Return a picture that is as blue as it is brown."""
    return planted.saved(Image.new("RGB", (48, 40), (120, 60, 120)))
