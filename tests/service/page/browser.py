"""Debian's chromium as a person drives it: opens the page, drops, pastes and chooses files; notes what it asks for."""

import base64
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.imports import ROOT

SCREENSHOTS = ROOT / "artifacts" / "screenshots"
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
PATIENCE = 15_000  # milliseconds

Open = Callable[..., AbstractContextManager[Page]]
Sent = tuple[str, str, bytes]  # a file's name, its media type and its bytes

HOLDING = """files => {
  const held = new DataTransfer();
  for (const { name, type, data } of files) {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    held.items.add(new File([bytes], name, { type }));
  }
  return held;
}"""
COPYING = """async ({ data }) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  await navigator.clipboard.write([new ClipboardItem({ "image/png": new Blob([bytes], { type: "image/png" }) })]);
}"""


def launched(playwright: Playwright, *words: str) -> Browser:
    """Return a browser with a fresh profile; skip, visibly, where there is none."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium: apt-get install chromium")
    return playwright.chromium.launch(executable_path=chromium, args=[*QUIET, *words])


@contextmanager
def visit(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    """Yield the page, opened; on leaving it, no request has left its origin and no script has failed."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    asked: list[str] = []
    faults: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if "Content Security" in message.text else None)
    page.on("filechooser", lambda chooser: None)  # from the start: turned on by the first to wait, it may be too late
    try:
        page.goto(address)
        yield page
    finally:
        context.close()
    assert asked
    assert [url for url in asked if not url.startswith((f"{address}/", f"blob:{address}/"))] == []
    assert faults == []


def jpeg(name: str, data: bytes) -> Sent:
    """Return a file that says it is a JPEG."""
    return (name, "image/jpeg", data)


def drop(page: Page, *files: Sent) -> None:
    """Drop files somewhere on the page."""
    held = page.evaluate_handle(HOLDING, [_sent(*file) for file in files])
    page.dispatch_event("footer", "dragover", {"dataTransfer": held})
    expect(page.get_by_text("Drop to ask")).to_be_visible()
    page.dispatch_event("footer", "drop", {"dataTransfer": held})
    expect(page.get_by_text("Drop to ask")).to_be_hidden()


def copy(page: Page, png: bytes) -> None:
    """Put a picture on the clipboard."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(COPYING, _sent("", "", png))


def answered(page: Page, name: str) -> None:
    """Wait until the answer about a file is shown, and what the model looked at."""
    expect(page.locator("#said .eyebrow")).to_have_text(name)
    expect(page.locator("#heat")).to_be_visible()


def keep(page: Page, name: str) -> None:
    """Keep what the page looks like now."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")


def style(page: Page, selector: str, name: str) -> str:
    """Return one property of how something is shown."""
    return str(page.locator(selector).evaluate(f"one => getComputedStyle(one).{name}"))


def barriers(page: Page) -> list[str]:
    """Return what axe-core finds that keeps people out."""
    page.mouse.move(0, 0)
    page.wait_for_timeout(250)  # colours that fade are judged when they have
    found = Axe().run(page).response["violations"]
    return [f"{violation['id']}: {node['html'][:120]}" for violation in found for node in violation["nodes"]]


def _sent(name: str, kind: str, data: bytes) -> dict[str, str]:
    return {"name": name, "type": kind, "data": base64.b64encode(data).decode()}
