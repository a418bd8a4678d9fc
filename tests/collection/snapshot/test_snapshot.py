"""A snapshot against the fake web: what is filed, what is refused, and that nothing is asked for twice."""

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from irisline.collection.snapshot import replay, snapshot
from irisline.collection.snapshot.snapshot import Outcome
from irisline.collection.sources import providers
from irisline.collection.sources.candidate import Candidate, Query
from irisline.core.errors import IrislineError
from irisline.core.params import Params
from irisline.dataset import pool, sources_table
from tests.collection.snapshot.made import contents, listed, recorded, settings, status, works
from tests.fakes.catalogue import ODD, Work, work_of
from tests.fakes.reply import Reply
from tests.fakes.web import Web
from tests.planted import CLASSES, picture, saved

GOOD = (0, 1, 3, 4, 6, 7, 9, 10, 12, 13)  # numbers of works about which nothing is odd


def number_of(odd: str) -> int:
    return 3 * ODD.index(odd) + 2


def take(settings: Params, **more: Any) -> Outcome:
    return snapshot.run(settings, tell=lambda line: None, pin=lambda: None, **more)


def pictures(web: Web) -> list[str]:
    return [asked.path for asked in web.asked("pictures")]


def test_pictures_are_filed_with_all_that_is_known_of_them(connected: Web) -> None:
    asked = {label: [f"{label} everything", f"{label} few"] for label in CLASSES}
    outcome = take(settings(snapshot__queries=asked, snapshot__per_class=5, snapshot__max_bytes=300_000))
    assert outcome.short == {}
    fetched = [line for line in recorded().values() if line["status"] == "fetched"]
    assert len(fetched) == 10
    for line in fetched:
        data = Path("data", line["id"]).read_bytes()
        work = next(work for work in works(line["id"].split("/")[0], *range(300)) if work.path in line["image_url"])
        assert line["id"].split(".")[0] == f"{work.label}/openverse-{work.uuid}"
        assert line["licence"].lower().startswith(("cc", "pdm"))
        assert line["query"] in asked[work.label]
        assert (line["sha256"], line["bytes"]) == (hashlib.sha256(data).hexdigest(), str(len(data)))
        assert line["fetched_at"] == "2026-01-01T00:00:00Z"
    assert len(pool.items(Path("data"), list(CLASSES), settings().collect)) == 10
    for label in CLASSES:
        assert 20 < outcome.tally[label, "openverse"]["found"] <= 40  # twenty for each query, some for both
        assert outcome.tally[label, "openverse"]["fetched"] == 5
        assert Path(f"reports/snapshot/{label}.png").is_file()
    assert {asked.agent.split("/")[0] for asked in connected.seen} == {"Irisline"}
    assert not Path("artifacts/scratch/snapshot").exists()


def test_run_twice_it_changes_nothing_and_asks_no_host_of_pictures(connected: Web) -> None:
    chosen = [work for label in CLASSES for work in works(label, 0, 1, number_of("dead"), number_of("copy"))]
    wanting = listed(connected, chosen, snapshot__per_class=3)
    assert take(wanting).changed
    before = contents()
    connected.forget()
    again = take(wanting)
    assert not again.changed
    assert again.short == {"blue": 1, "brown": 1}
    assert contents() == before
    assert pictures(connected) == []


def test_each_picture_has_a_line_with_the_right_status(connected: Web) -> None:
    expected = {
        "dead": "dead", "gone": "dead", "denied": "denied", "slow": "timeout", "page": "not_a_picture", "huge": "too_large",
        "private": "not_public", "metadata": "not_public", "scheme": "not_public", "noai": "opted_out",
        "truncated": "damaged", "noncommercial": "licence_refused", "unlicensed": "licence_refused", "moved": "fetched",
        "busy": "fetched", "webp": "fetched", "cmyk": "fetched", "rotated": "fetched", "animated": "fetched",
        "png": "fetched",
    }  # fmt: skip
    odd = {name: works("blue", number_of(name))[0] for name in expected}
    limits = {"snapshot__timeout": 1.0, "snapshot__max_bytes": 200_000}
    take(listed(connected, [*odd.values(), *works("brown", 0)], snapshot__per_class=50, **limits))
    assert {name: status(connected, work) for name, work in odd.items()} == expected
    assert {Path(line["id"]).suffix for line in recorded().values()} == {"", ".jpg", ".png", ".webp"}


def test_a_licence_that_is_not_accepted_is_refused_before_a_byte_is_fetched(connected: Web) -> None:
    asked = {label: [f"{label} everything"] for label in CLASSES}
    wanting = settings(
        snapshot__sources=["commons"],
        snapshot__queries=asked,
        snapshot__per_class=12,
        snapshot__contact="a@example.org",
    )
    take(wanting)
    statuses = [line["status"] for line in recorded().values()]
    assert statuses.count("licence_refused") >= 2
    assert statuses.count("restricted") >= 1
    refused = {line["image_url"] for line in recorded().values() if line["status"] in ("licence_refused", "restricted")}
    asked_for = {connected.url + path for path in pictures(connected)}
    assert not refused & asked_for
    odd = [
        found.odd
        for path in pictures(connected)
        if (found := work_of(path.replace("/thumb", "").replace("960px-", "")))
    ]
    assert not {"noncommercial", "unlicensed", "restricted"} & set(odd)


def test_the_same_picture_under_two_labels_is_kept_under_neither(connected: Web) -> None:
    number = number_of("both")
    chosen = [*works("blue", number, 0), *works("brown", number, 0)]
    take(listed(connected, chosen, snapshot__per_class=2))
    assert [status(connected, work) for work in chosen] == ["conflict", "fetched", "conflict", "fetched"]
    assert len([name for name in contents() if name.endswith(".jpg")]) == 2


def test_a_picture_of_the_pool_leaves_when_it_is_found_under_another_label(connected: Web) -> None:
    number = number_of("both")
    (blue,), (brown,) = works("blue", number), works("brown", number)
    take(listed(connected, [blue, *works("brown", 0)], snapshot__per_class=1))
    assert status(connected, blue) == "fetched"
    take(listed(connected, [blue, *works("blue", 0), brown], snapshot__per_class=2))
    assert status(connected, blue) == status(connected, brown) == "conflict"
    assert [name for name in contents() if name.endswith(".jpg")] == [
        f"data/{recorded()[connected.url + work.path]['id']}" for work in [*works("blue", 0), *works("brown", 0)]
    ]


def test_a_picture_that_a_person_deleted_does_not_return_from_another_address(connected: Web) -> None:
    chosen = works("blue", number_of("copy") - 1, number_of("near") - 1)
    take(listed(connected, [*chosen, *works("brown", 0)], snapshot__per_class=2))
    for work in chosen:
        Path("data", recorded()[connected.url + work.path]["id"]).unlink()
    copies = works("blue", number_of("copy"), number_of("near"))
    again = listed(connected, [*chosen, *copies, *works("brown", 0)], snapshot__per_class=2)
    for retry in (False, True):
        assert take(again, retry=retry).short == {"blue": 2, "brown": 1}
        assert [status(connected, work) for work in copies] == ["duplicate", "duplicate"]
    assert [one.pool for one in replay.run(again)].count("fetched") == 2  # a replay puts back what is recorded


def test_a_picture_dropped_in_by_hand_is_compared_and_stays(connected: Web) -> None:
    work = works("blue", 0)[0]
    take(listed(connected, [work], snapshot__per_class=1))
    taken = Path("data", recorded()[connected.url + work.path]["id"]).read_bytes()
    for own in ("data/brown/mine.jpg", "data/blue/other.jpg"):
        Path(own).parent.mkdir(exist_ok=True)
        Path(own).write_bytes(saved(picture()))
    Path("data/sources.csv").unlink()
    for file in Path("data/blue").glob("urls-*"):
        file.unlink()
    Path("data/brown/mine.jpg").write_bytes(taken)
    outcome = take(listed(connected, [work], snapshot__per_class=1))
    assert status(connected, work) == "conflict"
    assert outcome.reports[0].startswith("brown/mine.jpg: shows the same as blue/urls-")
    assert Path("data/brown/mine.jpg").read_bytes() == taken


def test_a_provider_that_fails_is_told_and_the_others_go_on(connected: Web) -> None:
    told: list[str] = []
    wanting = listed(connected, works("blue", 0) + works("brown", 0), snapshot__per_class=1)
    both = wanting.snapshot.model_copy(update={"sources": ["flickr", "pexels", "urls"]})
    outcome = snapshot.run(wanting.model_copy(update={"snapshot": both}), told.append, lambda: None)
    assert outcome.short == {}
    assert [line.split(":")[:2] for line in told] == [["snapshot", " flickr"], ["snapshot", " pexels"]]


def test_when_every_provider_fails_nothing_is_changed(connected: Web) -> None:
    take(listed(connected, works("blue", 0) + works("brown", 0), snapshot__per_class=1))
    before = contents()
    with pytest.raises(IrislineError, match=r"no source answers, so nothing was changed; see the lines above$"):
        take(settings(snapshot__sources=["flickr", "pexels"], snapshot__per_class=9))
    assert contents() == before


def test_a_plan_fetches_and_writes_nothing(connected: Web) -> None:
    chosen = [*works("blue", *GOOD[:5], number_of("noncommercial")), *works("brown", 0)]
    planned, outcome = snapshot.plan(listed(connected, chosen, snapshot__per_class=3), print)
    assert [candidate.image_url.split("/")[-1] for candidate in planned] == [
        "blue-000.jpg", "blue-001.jpg", "blue-003.jpg", "brown-000.jpg",
    ]  # fmt: skip
    assert outcome.tally["blue", "urls"]["found"] == 6
    assert pictures(connected) == []
    assert [file.name for file in Path().iterdir()] == ["urls.csv"]


def test_what_failed_is_tried_again_when_asked(connected: Web) -> None:
    chosen = [*works("blue", 0), *works("brown", 0)]
    wanting = listed(connected, chosen, snapshot__per_class=1)
    connected.answer_next("pictures", Reply(404), Reply(404))
    assert take(wanting).short == {"blue": 1, "brown": 1}
    assert take(wanting).short == {"blue": 1, "brown": 1}
    assert take(wanting, retry=True).short == {}
    assert [line["status"] for line in sources_table.read(Path("data/sources.csv"))] == ["fetched", "fetched"]


def test_a_network_that_is_down_changes_nothing_and_blames_no_picture(
    connected: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = Web()
    nobody.close()
    monkeypatch.setenv("IRISLINE_ALLOW_HOSTS", f"{nobody.host},{connected.host}")
    chosen: list[Work] = works("blue", *GOOD[:6])
    with pytest.raises(IrislineError, match=r"^none of 6 pictures could be reached \(.*type the same command again$"):
        take(listed(nobody, chosen, snapshot__per_class=6))
    assert not Path("data").exists()
    assert take(listed(connected, chosen, snapshot__per_class=6)).short == {"brown": 6}


def test_hosts_that_are_allowed_may_be_listed_with_spaces(connected: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IRISLINE_ALLOW_HOSTS", f"localhost:1, {connected.host}")
    assert take(listed(connected, works("blue", 0), snapshot__per_class=1)).tally["blue", "urls"]["fetched"] == 1


def test_one_host_that_is_down_is_not_the_network(connected: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = Web()
    nobody.close()
    monkeypatch.setenv("IRISLINE_ALLOW_HOSTS", f"{nobody.host},{connected.host}")
    wanting = listed(connected, works("brown", *GOOD[:2]), snapshot__per_class=7)
    first = [
        f"{connected.url}/{number}.jpg" for number in range(5)
    ]  # dead, so that the next round has the others alone
    lines = [f"brown,{url},CC0-1.0,\n" for url in [*first, *(f"{nobody.url}/{number}.jpg" for number in range(6))]]
    Path("urls.csv").write_text(Path("urls.csv").read_text(encoding="utf-8") + "".join(lines), encoding="utf-8")
    take(wanting)
    assert Counter(line["status"] for line in recorded().values()) == {"fetched": 2, "dead": 5, "unreachable": 6}


def test_a_class_that_is_added_later_is_drawn_beside_the_others(project: Path) -> None:
    for classes, wanted in ((["blue", "brown"], 2), (["blue", "brown", "green"], 3)):
        take(
            settings(
                snapshot__sources=["drawn"], base__classes=classes, snapshot__queries={}, snapshot__per_class=wanted
            )
        )
    assert Counter(line["status"] for line in sources_table.read(Path("data/sources.csv"))) == {"fetched": 9}
    assert len([name for name in contents() if name.endswith(".jpg")]) == 9


def test_what_was_drawn_under_the_ids_of_before_stays_and_is_not_drawn_again(project: Path) -> None:
    wanting = settings(snapshot__sources=["drawn"], snapshot__queries={}, snapshot__per_class=3)
    table = Path("data/sources.csv")
    for index, label in enumerate(["blue", "brown"] * 2):
        recorded = Candidate("drawn", f"59-{index}", Query(label, ""), 1, f"drawn:59/{index}", licence="CC0-1.0")
        file = Path("data", label, f"drawn-59-{index}.jpg")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(providers.local_bytes(recorded, wanting) or b"")
        line = {"id": f"{label}/{file.name}", "provider": "drawn", "licence": "CC0-1.0", "status": "fetched"}
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        sources_table.write(
            table, [*sources_table.read(table), line | {"image_url": recorded.image_url, "sha256": digest}]
        )
    take(wanting)
    assert Counter(line["status"] for line in sources_table.read(table)) == {"fetched": 6}
    assert {(one.web, one.pool) for one in replay.run(wanting)} == {("same", "in the pool")}
