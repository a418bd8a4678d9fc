"""Many downloads at once: politely, in bounded time, and nothing left behind when they end early."""

import hashlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from irisline.collection.downloads import connections, host_queue
from irisline.collection.downloads.download import Download
from irisline.collection.downloads.downloader import fetch_all
from irisline.core.errors import IrislineError
from tests.collection.downloads.web import dropping, fetched, limits
from tests.core.test_paths import largest_file
from tests.fakes import hostile
from tests.fakes.hostile import Server, after, at_first, forever, head, whole
from tests.fakes.hostile_answers import AGENT
from tests.fakes.hostile_pictures import GOOD, OTHERS, picture
from tests.planted import ROOT

BUSY = "429 Too Many Requests"


@pytest.fixture
def server() -> Iterator[Server]:
    answers = {
        "good": after(0.02, whole(GOOD)),
        "png": whole(OTHERS["png"]),
        "webp": whole(OTHERS["webp"]),
        "busy-once": at_first(whole(b"", BUSY, Retry_After=1), whole(GOOD)),
        "busy": whole(b"", BUSY, Retry_After=0),
        "busy-for-an-hour": whole(b"", BUSY, Retry_After=3600),
        "slow": after(60, whole(GOOD)),
        "drips": forever(head(Content_Length=len(GOOD)) + GOOD[:100], b"", pause=1),
    }
    with hostile.running(answers) as running:
        yield running


def statuses(ended: list[Download]) -> list[str]:
    return [download.status for download in ended]


@pytest.mark.parametrize(("name", "data", "kind"), [("good", GOOD, "jpg"), *((n, d, n) for n, d in OTHERS.items())])
def test_a_picture_lies_under_its_hash(name: str, data: bytes, kind: str, server: Server, tmp_path: Path) -> None:
    (ended,) = fetched([server.url(name)], tmp_path / "new" / "folder", limits(server))
    digest = hashlib.sha256(data).hexdigest()
    file = tmp_path / "new" / "folder" / f"{digest}.{kind}"
    assert ended == Download(server.url(name), "fetched", "", file, digest, len(data), 120, 90, kind)
    assert file.read_bytes() == data


def test_nothing_to_fetch_is_fetched(server: Server, tmp_path: Path) -> None:
    assert fetched([], tmp_path, limits(server)) == []
    assert statuses(fetched(["no address"], tmp_path, limits(server))) == ["not_public"]


def test_a_picture_that_is_asked_for_twice_is_told_of_twice(server: Server, tmp_path: Path) -> None:
    assert statuses(fetched([server.url("good")] * 2, tmp_path, limits(server))) == ["fetched"] * 2
    assert len(list(tmp_path.iterdir())) == 1


def test_the_same_bytes_may_come_many_times_at_once(server: Server, tmp_path: Path) -> None:
    urls = [server.url("good", 0, f"127.0.0.{number % 8 + 1}") for number in range(400)]
    assert statuses(fetched(urls, tmp_path, limits(server))) == ["fetched"] * 400
    assert len(list(tmp_path.iterdir())) == 1


def test_no_host_is_asked_more_at_once_than_it_may_be(server: Server, tmp_path: Path) -> None:
    hosts = [f"127.0.0.{number + 1}" for number in range(8)]
    urls = [server.url("good", number, host) for host in hosts for number in range(12)]
    ended = fetched(urls, tmp_path, limits(server, concurrency=12, per_host=3))
    assert statuses(ended) == ["fetched"] * 96
    assert set(server.seen.at_once.values()) == {3}
    assert server.seen.all_at_once == 12


def test_a_long_list_of_one_host_does_not_keep_others_waiting(server: Server, tmp_path: Path) -> None:
    urls = [server.url("good", number) for number in range(60)] + [server.url("good", 0, "127.0.0.2")]
    ended = fetched(urls, tmp_path, limits(server, concurrency=8, per_host=4))
    assert [download.url for download in ended].index(urls[-1]) < 20


def test_it_says_who_it_is_and_asks_for_plain_bytes(server: Server, tmp_path: Path) -> None:
    fetched([server.url("good")], tmp_path, limits(server))
    headers = server.seen.requests[0].headers
    assert headers["user-agent"] == AGENT
    assert headers["accept-encoding"] == "identity"
    assert "cookie" not in headers


def test_no_cookie_is_kept(tmp_path: Path) -> None:
    with hostile.running({"good": whole(GOOD, Set_Cookie="who=you; Path=/")}) as server:
        fetched([server.url("good", number) for number in range(3)], tmp_path, limits(server, concurrency=1))
    assert not any("cookie" in asked.headers for asked in server.seen.requests)


def test_retry_after_holds_for_its_host_alone(server: Server, tmp_path: Path) -> None:
    urls = [server.url("busy-once"), *(server.url("good", number) for number in range(4))]
    urls += [server.url("good", number, "127.0.0.2") for number in range(4)]
    ended = fetched(urls, tmp_path, limits(server, per_host=1))
    assert statuses(ended) == ["fetched"] * 9
    asked = [one for one in server.seen.requests if one.host.startswith("127.0.0.1:")]
    assert asked[1].at - asked[0].at >= 1
    others = [one for one in server.seen.requests if one.host.startswith("127.0.0.2:")]
    assert max(one.at for one in others) < asked[1].at


def test_a_host_that_is_busy_is_asked_four_times(server: Server, tmp_path: Path) -> None:
    (ended,) = fetched([server.url("busy")], tmp_path, limits(server))
    assert (ended.status, ended.detail) == ("unwell", "answers 429 Too Many Requests, 4 times")
    waits = [
        later.at - sooner.at for sooner, later in zip(server.seen.requests, server.seen.requests[1:], strict=False)
    ]
    assert len(waits) == 3
    assert all(0.25 * 2**turn <= wait <= 1 + 0.75 * 2**turn for turn, wait in enumerate(waits))


def test_a_host_that_asks_for_an_hour_is_left_alone(server: Server, tmp_path: Path) -> None:
    urls = [server.url("busy-for-an-hour", number) for number in range(9)]
    ended = fetched(urls, tmp_path, limits(server, per_host=1))
    assert statuses(ended) == ["unwell"] * 9
    assert ended[-1].detail == "127.0.0.1 asks for more quiet than the 300 s that one host may have; left alone"
    assert len(server.seen.requests) == 1


def test_a_host_that_is_silent_is_left_alone(server: Server, tmp_path: Path) -> None:
    urls = [server.url("slow", number) for number in range(200)]
    started = time.monotonic()
    ended = fetched(urls, tmp_path, limits(server, timeout=0.3))
    assert time.monotonic() - started < 0.3 * host_queue.SILENCE
    assert set(statuses(ended)) == {"timeout", "unreachable"}
    assert "127.0.0.1 did not answer 20 times running; left alone" in {download.detail for download in ended}
    assert host_queue.SILENCE <= len(server.seen.requests) <= host_queue.SILENCE + 4


def test_a_host_that_refuses_connections_is_unreachable(server: Server, tmp_path: Path) -> None:
    with hostile.running({}) as closed:
        pass
    within = limits(server, allowed=closed.allowed())
    (ended,) = fetched([closed.url("good")], tmp_path, within)
    assert ended.status == "unreachable"
    assert ended.detail.startswith("127.0.0.1: [Errno 111] Connect call failed")


def test_a_host_that_drops_what_comes_is_unreachable(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CONNECT", 0.3)
    with dropping() as place:
        within = limits(server, allowed=frozenset({place}))
        (ended,) = fetched([f"http://{place}/1.jpg"], tmp_path, within)
    assert (ended.status, ended.detail) == ("unreachable", "127.0.0.1: did not answer within 0.3 s")


def test_a_host_that_falls_silent_is_told_from_one_that_is_slow(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "READ", 0.3)
    (silent,) = fetched([server.url("slow")], tmp_path, limits(server))
    assert (silent.status, silent.detail) == ("timeout", "127.0.0.1: silent for 0.3 s")
    monkeypatch.undo()
    (slow,) = fetched([server.url("slow")], tmp_path, limits(server, timeout=0.3))
    assert (slow.status, slow.detail) == ("timeout", "127.0.0.1: not whole within 0.3 s")


def test_a_name_that_is_none_is_asked_for_some_times_only(server: Server, tmp_path: Path) -> None:
    ended = fetched([f"http://nowhere.invalid/{number}" for number in range(60)], tmp_path, limits(server))
    assert set(statuses(ended)) == {"unreachable"}
    details = [download.detail for download in ended]
    assert sum(detail.startswith("nowhere.invalid: no such name: ") for detail in details) <= host_queue.SILENCE + 4
    assert "nowhere.invalid did not answer 20 times running; left alone" in details


def test_a_full_disk_ends_the_run(server: Server, tmp_path: Path) -> None:
    urls = [server.url("good", number) for number in range(50)]
    with (
        largest_file(len(GOOD) // 2),
        pytest.raises(IrislineError, match=r"\.jpg: File too large; a limit on the size"),
    ):
        fetched(urls, tmp_path, limits(server))
    assert list(tmp_path.iterdir()) == []


def test_what_the_caller_raises_ends_the_run(server: Server, tmp_path: Path) -> None:
    def done(download: Download) -> None:
        raise LookupError(download.url)

    with pytest.raises(LookupError, match="/good/"):
        fetch_all([server.url("good", number) for number in range(50)], tmp_path, limits(server), done)
    assert len(server.seen.requests) <= 20


def test_addresses_may_come_one_by_one(server: Server, tmp_path: Path) -> None:
    def urls() -> Iterator[str]:
        yield from (server.url("good", number) for number in range(20))
        raise LookupError("the list is at fault")

    with pytest.raises(LookupError, match="the list is at fault"):
        fetched(urls(), tmp_path, limits(server))


@pytest.mark.slow
def test_ctrl_c_ends_it_and_leaves_no_part_of_a_picture(server: Server, tmp_path: Path) -> None:
    names = ["good", "drips", "slow", "busy"]
    urls = [server.url(name, number, f"127.0.0.{number % 9 + 1}") for number, name in enumerate(names * 50)]
    code = (
        "import signal; from pathlib import Path\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell in the background lets its children ignore it
        "from irisline.collection.downloads.download import Limits\n"
        "from irisline.collection.downloads.downloader import fetch_all\n"
        f"limits = Limits(10**7, 640, 10**7, 150.0, 16, 4, 'Irisline/0', frozenset({sorted(server.allowed())}))\n"
        f"fetch_all({urls}, Path({str(tmp_path)!r}), limits, lambda ended: print(ended.status, flush=True))\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert run.stdout
    assert run.stdout.readline() == "fetched\n"
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=120)  # pictures that drip would take longer
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert said.count("Traceback") == 2  # the interrupt, and what was under way; no task, socket or thread is lost
    assert [file.suffix for file in tmp_path.iterdir()] == [".jpg"]


def test_every_picture_of_many_arrives(tmp_path: Path) -> None:
    pictures = {f"p{number}": picture(number) for number in range(40)}
    with hostile.running({name: whole(data) for name, data in pictures.items()}) as server:
        ended = fetched([server.url(name) for name in pictures], tmp_path, limits(server))
    assert statuses(ended) == ["fetched"] * 40
    assert {file.read_bytes() for file in tmp_path.iterdir()} == set(pictures.values())
