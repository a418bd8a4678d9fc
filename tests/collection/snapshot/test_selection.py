"""Which candidates are fetched, in which order, and which are refused before a byte of them is."""

import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irisline.collection.snapshot.admission import Admission
from irisline.collection.snapshot.selection import Selection, interleaved
from irisline.collection.snapshot.source_lines import SourceLines, stem
from irisline.collection.sources.candidate import Candidate
from irisline.dataset.take_downs import Rule, TakeDowns
from tests.collection.snapshot.made import candidate, fingerprint, noted, settings
from tests.planted import CLASSES


def names(candidates: list[Candidate]) -> list[str]:
    return [candidate.provider_id for candidate in candidates]


def selection(ledger: SourceLines, rules: tuple[Rule, ...] = (), retry: bool = False, **changes: object) -> Selection:
    return Selection(settings(**changes), ledger, TakeDowns(rules), retry)


def line(name: str, status: str, **more: str) -> dict[str, str]:
    plain = {"provider": "openverse", "licence": "CC-BY-4.0", "image_url": f"https://images.example/{name}.jpg"}
    return {"id": name, "status": status, "sha256": "", **plain, **more}


def test_sources_come_in_order_and_within_one_its_queries_by_turns() -> None:
    first = [[candidate("blue", name) for name in query] for query in ("abc", "d", "ef")]
    second = [[candidate("blue", name) for name in query] for query in ("x", "yz")]
    assert "".join(names(interleaved([first, second]))) == "adebfcxyz"
    assert interleaved([[], [[]]]) == []


def test_a_batch_is_exactly_what_each_class_is_short_of() -> None:
    held = SourceLines([line("blue/openverse-a.jpg", "fetched")], ["blue/openverse-a.jpg", "blue/own.jpg"])
    choosing = selection(held)
    for label in CLASSES:
        choosing.offer(label, [candidate(label, f"{label}{number}") for number in range(5)])
    assert choosing.short() == {"blue": 1, "brown": 2}
    assert names(choosing.batch()) == ["blue0", "brown0", "brown1"]
    assert names(choosing.batch({"blue": 1, "brown": 1})) == ["brown2"]


def test_a_picture_counts_while_its_line_is_fetched_its_provider_asked_and_its_file_there() -> None:
    lines = [
        line("blue/openverse-a.jpg", "fetched"),
        line("blue/openverse-gone.jpg", "fetched"),
        line("blue/openverse-dead", "dead"),
        line("blue/flickr-b.jpg", "fetched", provider="flickr"),
    ]
    held = SourceLines(lines, ["blue/openverse-a.jpg", "blue/flickr-b.jpg", "blue/own.jpg", "brown/own.jpg"])
    assert selection(held).short() == {"blue": 1, "brown": 2}
    assert selection(held, snapshot__sources=["openverse", "flickr"]).short() == {"brown": 2}


@pytest.mark.parametrize(
    ("found", "rules", "status", "why"),
    [
        (candidate("blue", "a", "CC-BY-NC-4.0"), (), "licence_refused", "its licence, CC-BY-NC-4.0, is not one of"),
        (candidate("blue", "a", ""), (), "licence_refused", "its licence, unknown, is not one of snapshot.licences"),
        (candidate("blue", "a", restricted="personality rights"), (), "restricted", "personality rights"),
        (
            candidate("blue", "a", author="Ann Ü"),
            (Rule("2026-01-01T00:00:00Z", "author", author="ann ü", reason="she asked"),),
            "taken_down",
            "taken down 2026-01-01: she asked",
        ),
    ],
    ids=["licence", "unknown licence", "restricted", "taken down"],
)
def test_what_may_not_be_fetched_is_refused_before_it_is(
    found: Candidate, rules: tuple[Rule, ...], status: str, why: str
) -> None:
    ledger = SourceLines([], [])
    choosing = selection(ledger, rules)
    choosing.offer("blue", [found, candidate("blue", "b")])
    assert names(choosing.batch()) == ["b"]
    assert ledger.status("blue/openverse-a") == status
    assert ledger.details["blue/openverse-a"].startswith(why)
    assert [(line["id"], line["sha256"]) for line in ledger.lines] == [("blue/openverse-a", "")]


def test_what_is_known_is_not_tried_again_unless_asked_and_some_never() -> None:
    lines = [
        line(f"blue/openverse-{name}{ending}", status)
        for name, status, ending in [
            ("a", "fetched", ".jpg"),
            ("b", "fetched", ".png"),  # its file was removed by hand
            ("c", "dead", ""),
            ("d", "conflict", ""),
            ("e", "taken_down", ""),
            ("f", "licence_refused", ""),
        ]
    ]
    offered = [candidate("blue", name) for name in "abcdefgh"]
    for retry, expected in ((False, ["g", "h"]), (True, ["c", "f", "g"])):
        ledger = SourceLines([dict(line) for line in lines], ["blue/openverse-a.jpg"])
        choosing = selection(ledger, retry=retry, snapshot__per_class=len(expected) + 1)
        choosing.offer("blue", offered)
        assert names(choosing.batch()) == expected


def test_a_picture_in_the_pool_that_has_no_line_is_known_too() -> None:
    choosing = selection(SourceLines([], ["blue/openverse-a.jpg"]))
    choosing.offer("blue", [candidate("blue", "a"), candidate("blue", "b")])
    assert names(choosing.batch()) == ["b"]


def test_what_was_found_for_two_classes_is_fetched_for_neither() -> None:
    ledger = SourceLines([], [])
    choosing = selection(ledger)
    choosing.offer("blue", [candidate("blue", "both"), candidate("blue", "a")])
    choosing.offer("brown", [candidate("brown", "b"), candidate("brown", "both")])
    assert names(choosing.batch()) == ["a", "b"]
    assert {ledger.status(f"{label}/openverse-both") for label in CLASSES} == {"conflict"}


def test_what_is_found_for_a_second_class_later_leaves_the_first() -> None:
    ledger = SourceLines([line("blue/openverse-both.jpg", "fetched")], ["blue/openverse-both.jpg"])
    choosing = selection(ledger)
    choosing.offer("brown", [candidate("brown", "both"), candidate("brown", "b")])
    assert names(choosing.batch()) == ["b"]
    assert ledger.removed == ["blue/openverse-both.jpg"]
    assert {(line["id"], line["status"]) for line in ledger.lines} == {
        ("blue/openverse-both", "conflict"),
        ("brown/openverse-both", "conflict"),
    }


def test_ids_that_no_file_can_have_are_made_safe_and_stay_apart() -> None:
    assert stem("blue", "openverse", "4bc43a04-ef46") == "blue/openverse-4bc43a04-ef46"
    unsafe = ["../a b.jpg", "a-b-jpg", "..", "глаз", "око", "a" * 500, "a" * 501, ""]
    stems = [stem("blue", "folder", name) for name in unsafe]
    assert len(set(stems)) == len(unsafe)
    assert all(name.startswith("blue/folder-") and name.count("/") == 1 and len(name) < 200 for name in stems)
    assert not any(sign in name for name in stems for sign in " .")


STATUSES = st.sampled_from(["fetched", "fetched", "fetched", "dead"])
WEB = st.lists(st.tuples(st.sampled_from(CLASSES), st.integers(0, 12), STATUSES), max_size=40)  # class, picture, status


@given(WEB, st.integers(1, 6), st.integers(0, 99))
def test_whatever_the_web_gives_the_rules_hold_and_the_order_of_downloads_does_not_matter(
    web: list[tuple[str, int, str]], wanted: int, order: int
) -> None:
    ledger, fetched = collected(web, wanted, lambda batch: None)
    again, _ = collected(web, wanted, random.Random(order).shuffle)
    assert again.lines == ledger.lines
    assert again.added == ledger.added
    pictures = Counter(web[int(identity[:-4].split("-")[1])][1] for identity in ledger.added)
    assert not pictures or max(pictures.values()) == 1  # no two copies, under whichever label
    for label in CLASSES:
        accepted = [identity for identity in ledger.added if identity.startswith(label)]
        offered = {number for number, (of, _, _) in enumerate(web) if of == label}
        assert len(accepted) <= wanted
        if len(accepted) < wanted:  # then every one was tried
            assert offered == {number for number in fetched if web[number][0] == label}
    under_both = {
        picture for _, picture, _ in web if len({web[n][0] for n in fetched if web[n][1:] == (picture, "fetched")}) == 2
    }
    assert not under_both & set(pictures)


WANTING = {wanted: settings(snapshot__per_class=wanted) for wanted in range(1, 7)}


def collected(
    web: list[tuple[str, int, str]], wanted: int, shuffle: Callable[[list[Candidate]], object]
) -> tuple[SourceLines, list[int]]:
    """Collect from a made-up web, as a snapshot does; give the ledger and the numbers that were fetched."""
    ledger = SourceLines([], [])
    choosing = Selection(WANTING[wanted], ledger, TakeDowns([]))
    admitting = Admission(ledger, TakeDowns([]), distance=4)
    for number, (label, _, _) in enumerate(web):
        choosing.offer(label, [candidate(label, str(number))])
    fetched: list[int] = []
    while batch := choosing.batch():
        ended = list(batch)
        shuffle(ended)
        found = {one.image_url: noted(one, status=web[int(one.provider_id)][2]) for one in ended}
        for one in batch:
            number = int(one.provider_id)
            fetched.append(number)
            known = found[one.image_url]
            admitting.admit(one, known, fingerprint(web[number][1]) if known.download.file else None)
    return ledger, fetched
