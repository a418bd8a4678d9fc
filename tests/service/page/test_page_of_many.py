"""The page of a model of very many classes, with names of any kind: they are words, whole, and the likeliest come first."""

import json
import re
import urllib.request
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests import planted
from tests.hostile_names import CLASSES
from tests.service.conftest import running, version_folder
from tests.service.page.browser import PHONE, Open, answered, barriers, drop, jpeg, keep, visit

pytestmark = pytest.mark.slow

NAMES = (*CLASSES, *(f"class {number}" for number in range(102 - len(CLASSES))))
LIKELIEST = ["unsure", "<b>bold", "蓝", "dent_low", "$HOME ${x}", "x" * 255]


@pytest.fixture(scope="module")
def of_many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a service whose model knows 102 classes, and says of every picture that it is called unsure."""
    home = tmp_path_factory.mktemp("of_many")
    bias = np.zeros(len(NAMES), np.float32)
    bias[[NAMES.index(name) for name in LIKELIEST]] = np.linspace(8, 5, len(LIKELIEST)) * [1, 0.8, 0.8, 0.8, 0.8, 0.8]
    network = planted.linear(np.zeros((3, planted.SIZE, planted.SIZE, len(NAMES)), np.float32), bias)
    with running(version_folder(home / "model", network=network, classes=NAMES), home / "log") as (address, _):
        yield address


@pytest.fixture
def opened(browser: Browser, of_many: str) -> Open:
    return partial(visit, browser, of_many)


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desk", "phone"])
def test_names_are_words_and_the_likeliest_come_first(opened: Open, blue: bytes, options: dict[str, object]) -> None:
    with opened(**options) as page:
        expect(page.locator("#lead")).to_contain_text("One of 102 answers.")
        drop(page, jpeg("a.jpg", blue))
        answered(page, "a.jpg")
        expect(page.locator("#said h2")).to_have_text("“unsure”")
        expect(page.locator("#said .sure")).to_contain_text("Sure:")
        expect(page.locator("#strip .words")).to_have_text("“unsure”")
        expect(page.locator("#strip button")).to_have_attribute("data-state", "sure")
        bars = page.locator("#said > .answer > .bars .name")
        expect(bars).to_have_text(["“unsure”", *LIKELIEST[1:]])
        expect(page.locator("#said details summary")).to_have_text("96 more")
        keep(page, f"many {len(options)}")
        page.locator("#said details summary").click()
        shown = page.locator("#said .bars .name").all_text_contents()
        assert sorted(shown) == sorted("“unsure”" if name == "unsure" else name for name in NAMES)
        page.locator("#about > summary").click()
        expect(page.locator("#facts")).to_contain_text("no other answer than its 102 classes")
        expect(page.locator("#facts summary", has_text="102 of them")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert barriers(page) == []


def test_nothing_on_it_or_in_the_api_is_about_eyes(opened: Open, of_many: str, blue: bytes) -> None:
    with opened() as page:
        expect(page.locator("#lead")).to_contain_text("One of 102")
        drop(page, jpeg("a.jpg", blue))
        answered(page, "a.jpg")
        page.locator("#about > summary").click()
        expect(page.get_by_role("button", name="Try an example")).to_be_hidden()
        seen = page.evaluate("document.body.innerText")
    with urllib.request.urlopen(f"{of_many}/docs.json") as answer:
        told = json.load(answer)
    seen = re.sub("eye.colour", "", seen, flags=re.I)  # how tests name every model
    assert not re.search(r"\b(eyes?|iris(es)?|face)\b", seen, re.I)
    assert not re.search(r"\b(eyes?|iris(es)?|faces?|people|person)\b", " ".join(_sentences(told)), re.I)


def _sentences(document: object) -> Iterator[str]:
    """Yield what an OpenAPI document says to people."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name in ("description", "summary") and isinstance(value, str) and "for people" not in value:
                yield value
            yield from _sentences(value)
    elif isinstance(document, list):
        for value in document:
            yield from _sentences(value)
