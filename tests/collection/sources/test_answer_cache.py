"""A kept answer saves a question; one that cannot be read any more is no answer, and is replaced."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from irisline.collection.sources import answer_cache, ddgs
from irisline.collection.sources.answer_cache import Answers
from irisline.collection.sources.api import Api, Setup
from irisline.collection.sources.candidate import Query
from tests.collection.sources.conftest import Time
from tests.collection.sources.test_api import GOOD, Pictures, ask
from tests.fakes.web import Web
from tests.planted import settings


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:9])


def other(file: Path) -> None:
    file.write_text('{"count": "many"}')


def deep(file: Path) -> None:
    file.write_text("[" * 10_000)


def device(file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")


def dangling(file: Path) -> None:
    file.unlink()
    file.symlink_to("nowhere")


def pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def folder(file: Path) -> None:
    file.unlink()
    (file / "below").mkdir(parents=True)


SPOILT = pytest.mark.parametrize("spoil", [cut, other, deep, device, dangling, pipe, folder])


@SPOILT
def test_an_api_is_asked_again_for_an_answer_that_was_spoilt(
    spoil: Callable[[Path], None], web: Web, time: Time, tmp_path: Path
) -> None:
    web.answer_next("brave", GOOD, GOOD)

    def asked() -> Pictures:
        answer_cache.forget_old(tmp_path, ())
        own = Setup(settings=settings().snapshot, environment={}, clock=time.clock, answers=Answers(tmp_path / "stock"))
        return ask(Api("stock", own), web)

    first = asked()
    (kept,) = (tmp_path / "stock").iterdir()
    spoil(kept)
    assert [asked(), asked()] == [first, first]
    assert len(web.seen) == 2
    assert list((tmp_path / "stock").iterdir()) == [kept]


@SPOILT
def test_a_library_is_asked_again_for_an_answer_that_was_spoilt(
    spoil: Callable[[Path], None], time: Time, tmp_path: Path
) -> None:
    calls: list[int] = []

    def library(text: str, page: int) -> list[dict[str, object]]:
        calls.append(page)
        return [{"image": "https://images.example/1.jpg"}]

    def asked() -> list[str]:
        answer_cache.forget_old(tmp_path, ())
        searched = ddgs.Ddgs(library, time.clock, Answers(tmp_path / "ddgs")).search(Query("blue", "blue eye"), 1)
        return [found.image_url for found in searched]

    first = asked()
    (kept,) = (tmp_path / "ddgs").iterdir()
    spoil(kept)
    assert [asked(), asked()] == [first, first]
    assert calls == [1, 1]


def test_old_answers_and_those_not_to_be_kept_go(tmp_path: Path) -> None:
    for name in ("new", "old"):
        (tmp_path / "stock").mkdir(exist_ok=True)
        (tmp_path / "stock" / name).touch()
    os.utime(tmp_path / "stock" / "old", (0, 0))
    answer_cache.forget_old(tmp_path, ())
    assert [file.name for file in (tmp_path / "stock").iterdir()] == ["new"]
    answer_cache.forget_old(tmp_path, {"stock"})
    assert list((tmp_path / "stock").iterdir()) == []
