"""What providers have answered is not asked again: to search deeper, in a later run, after a limit."""

import os
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from irisline.collection.snapshot import snapshot
from irisline.collection.snapshot.searching import Searching
from irisline.collection.sources.answer_cache import LIFE
from irisline.core import paths
from irisline.core.errors import SearchFailed
from irisline.core.params import Params
from tests.collection.snapshot.made import contents, recorded, settings
from tests.fakes.reply import Reply, as_json
from tests.fakes.web import Web

WORDS = {"blue": ["blue everything", "blue few"], "brown": ["brown everything"]}


def wanting(count: int, *sources: str) -> Params:
    return settings(
        snapshot__sources=list(sources or ["openverse"]), snapshot__queries=WORDS, snapshot__per_class=count,
        snapshot__contact="me@example.org",
    )  # fmt: skip


def asked(web: Web, source: str = "openverse") -> list[tuple[tuple[str, str], ...]]:
    """Return what a provider was asked, each question once; tokens are no questions."""
    searches = [one for one in web.asked(source) if "client_id" not in one.form]
    found = [(*sorted(one.query.items()), *sorted(one.form.items())) for one in searches]
    assert len(found) == len(set(found))
    return found


def searched(params: Params, told: list[str], depth: int = 1, keep: bool = True) -> dict[str, set[str]]:
    """Return the ids that are found for each class, so many times deeper."""
    searching = Searching(params, told.append, keep)
    found: dict[str, set[str]] = {label: set() for label in WORDS}
    for _ in range(depth):
        for label, answers in searching.deeper(WORDS).items():
            found[label] |= {
                candidate.provider_id for queries in answers or [] for query in queries for candidate in query
            }
    return found


@pytest.fixture
def keyed(connected: Web, monkeypatch: pytest.MonkeyPatch) -> Web:
    for name, value in connected.keys.items():
        monkeypatch.setenv(name, value)
    return connected


@pytest.mark.parametrize("source", ["openverse", "commons", "flickr"])
def test_who_searches_deeper_or_again_asks_for_nothing_twice(source: str, keyed: Web) -> None:
    params, told = wanting(30, source), list[str]()
    shallow = searched(params, told)
    deep = searched(params, told, depth=4)
    assert asked(keyed, source)
    assert all(shallow[label] < deep[label] for label in WORDS)
    keyed.seen.clear()
    assert searched(params, told, depth=4) == deep
    assert keyed.seen == []
    assert told == []


def test_more_wanted_later_goes_on_where_the_last_run_ended(connected: Web) -> None:
    for count in (2, 25):
        assert snapshot.run(wanting(count), print, lambda: None).short == {}
    assert len(asked(connected)) > 3


def test_a_limit_in_the_middle_keeps_what_was_answered_and_says_so_in_one_line(connected: Web) -> None:
    connected.limits["openverse"] = (3, 3600.0)
    told: list[str] = []
    first = snapshot.run(wanting(15), told.append, lambda: None)
    expected = (
        "snapshot: openverse: it answered 429, and the next is welcome in 1 hour; what it has answered is kept, to go on from "
        "there (3 pages); run the same command then, or get a free key, which allows 10,000 a day"
    )
    assert told == [expected]
    assert first.unanswered == ("openverse",)
    taken = {urlsplit(url).path for url, line in recorded().items() if line["status"] == "fetched"}
    assert 0 < len(taken) < 30
    connected.limits.clear()
    connected.seen = [one for one in connected.seen[:3] if one.service == "openverse"]
    last = snapshot.run(wanting(15), told.append, lambda: None)
    assert (last.short, last.unanswered) == ({}, ())
    assert not taken & {one.path for one in connected.asked("pictures")}
    assert len(asked(connected)) > 3


def test_after_a_limit_every_class_still_gets_what_was_answered_before(connected: Web) -> None:
    told: list[str] = []
    before = searched(wanting(30), told)
    connected.limits["openverse"] = (1, 3600.0)
    connected.answer_next("openverse", Reply(429, headers={"Retry-After": "3600"}))
    after = searched(wanting(30), told, depth=2)
    assert all(before[label] <= after[label] for label in WORDS)
    (line,) = told
    assert f" is kept, to go on from there ({len(list(paths.ANSWERS.rglob('*.json')))} pages)" in line


@pytest.mark.parametrize(
    ("source", "failure"),
    [
        ("commons", as_json({"error": {"code": "maxlag", "info": "Waiting for a database."}})),
        ("flickr", as_json({"stat": "fail", "code": 105, "message": "Service currently unavailable"})),
        ("openverse", as_json({"detail": "odd"})),
        ("brave", Reply(422, b"{}")),
    ],
)
def test_a_failure_is_not_kept(source: str, failure: Reply, keyed: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    for name in ("OPENVERSE_CLIENT_ID", "OPENVERSE_CLIENT_SECRET"):  # a token would be asked for first
        monkeypatch.delenv(name)
    keyed.answer_next(source, failure)
    with pytest.raises(SearchFailed, match=r"^no source answers, so nothing was changed; see the lines above$"):
        searched(wanting(30, source), told)
    assert len(keyed.seen) == 1
    assert all(searched(wanting(30, source), told).values())
    assert len(told) == 1


def test_an_answer_is_asked_for_again_after_a_week(connected: Web) -> None:
    searched(wanting(1), [])
    old, *others = kept = sorted(paths.ANSWERS.rglob("*.json"))
    os.utime(old, (0, time.time() - LIFE - 1))
    connected.seen.clear()
    searched(wanting(1), [], keep=False)
    assert len(asked(connected)) == 1
    connected.seen.clear()
    searched(wanting(1), [])
    assert len(asked(connected)) == 1
    assert sorted(paths.ANSWERS.rglob("*.json")) == kept
    assert others


def test_answers_of_a_source_that_is_no_longer_listed_go_when_they_are_old(connected: Web) -> None:
    old, young = paths.ANSWERS / "commons" / "1.json", paths.ANSWERS / "commons" / "2.json"
    for file in (old, young):
        paths.write_whole(file, "{}")
    os.utime(old, (0, time.time() - LIFE - 1))
    Searching(wanting(1), print, keep=False)
    assert old.exists()
    Searching(wanting(1), print)
    assert not old.exists()
    assert young.exists()


def test_no_answer_of_brave_is_written_down(keyed: Web) -> None:
    earlier = paths.ANSWERS / "brave" / "1.json"
    paths.write_whole(earlier, "of a version that wrote them down")
    assert all(searched(wanting(30, "brave"), [], depth=3).values())
    assert len(asked(keyed, "brave")) == 3
    assert list(paths.ANSWERS.rglob("*.json")) == []


def test_a_search_that_is_not_to_keep_anything_writes_nothing(connected: Web, project: Path) -> None:
    searched(wanting(1), [], keep=False)
    assert list(project.iterdir()) == []


def test_nor_does_it_ask_for_anything_twice_when_it_searches_deeper(connected: Web, project: Path) -> None:
    searched(wanting(1), [], depth=2, keep=False)
    assert len(asked(connected)) > 3
    assert list(project.iterdir()) == []


def test_no_secret_is_kept(keyed: Web) -> None:
    searched(wanting(1, "openverse", "flickr", "brave"), [])
    kept = b"".join(contents("artifacts").values())
    assert b"Bold" in kept
    assert not [secret for secret in [*keyed.keys.values(), "token-"] if secret.encode() in kept]
