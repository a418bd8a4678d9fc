"""Connections go to the very address that was checked, keep the name for TLS, and are used again."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from irisline.collection.downloads.downloader import fetch_all
from tests.collection.downloads.web import certificate, fetched, limits
from tests.fakes import hostile
from tests.fakes.hostile import Server, raw, reset, whole
from tests.fakes.hostile_pictures import GOOD

NAME = "pictures.example"


@pytest.fixture
def rebinding(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let a name stand for another address each time it is asked for; give the names that were asked for."""
    asked: list[str] = []
    honest = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *others: Any, **more: Any) -> Any:
        if host != NAME:
            return honest(host, port, *others, **more)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{len(asked)}", port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.fixture
def server() -> Iterator[Server]:
    with hostile.running({"good": whole(GOOD), "last": raw(hostile.head(Connection="close") + GOOD)}) as running:
        yield running


def test_a_name_is_asked_for_once_for_each_connection(server: Server, rebinding: list[str], tmp_path: Path) -> None:
    within = limits(server, allowed=frozenset({f"{NAME}:{server.port}"}), per_host=1)
    ended = fetched([server.url("good", number, NAME) for number in range(5)], tmp_path, within)
    assert [download.status for download in ended] == ["fetched"] * 5
    assert (rebinding, server.seen.connections) == ([NAME], 1)
    assert {asked.host for asked in server.seen.requests} == {f"{NAME}:{server.port}"}


def test_a_name_that_turns_private_is_refused(
    server: Server, rebinding: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(server.answers, "away", whole(b"", "302 Found", Location=f"http://{NAME}/"))
    (ended,) = fetched([server.url("away")], tmp_path, limits(server))
    assert (ended.status, ended.detail) == ("not_public", f"{NAME} stands for 127.0.0.1, which is not public")


def test_a_proxy_of_the_environment_is_not_asked(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    (ended,) = fetched([server.url("good")], tmp_path, limits(server))
    assert ended.status == "fetched"
    assert "authorization" not in server.seen.requests[0].headers


def test_connections_are_used_again_until_a_server_ends_them(server: Server, tmp_path: Path) -> None:
    within = limits(server, per_host=2, concurrency=2)
    names = ["good"] * 10 + ["last"] * 3
    ended = fetched([server.url(name, number) for number, name in enumerate(names)], tmp_path, within)
    assert {download.status for download in ended} == {"fetched"}
    assert 2 <= server.seen.connections <= 2 + 3


def test_a_connection_that_was_closed_unseen_costs_no_picture(tmp_path: Path) -> None:
    rude = hostile.at_first(reset(b""), whole(GOOD))  # says nothing and hangs up, as when a server's patience ended
    with hostile.running({"good": whole(GOOD), "rude": rude}) as server:
        ended = fetched([server.url("good"), server.url("rude")], tmp_path, limits(server, concurrency=1))
    assert [download.status for download in ended] == ["fetched", "fetched"]
    assert len(server.seen.requests) == 3


def test_a_connection_is_closed_when_its_host_has_no_more_to_give(tmp_path: Path) -> None:
    with hostile.running({"good": whole(GOOD), "slow": hostile.after(0.5, whole(GOOD))}) as server:
        urls = [server.url("good", number) for number in range(3)] + [server.url("slow", 0, "127.0.0.2")]
        left: list[int] = []
        fetch_all(urls, tmp_path, limits(server, per_host=1), lambda ended: left.append(server.seen.open["127.0.0.1"]))
    assert left[-1] == 0
    assert server.seen.connections == 2


def test_tls_keeps_the_name(rebinding: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, trusted = certificate(tmp_path, NAME)
    names: list[str] = []
    context.sni_callback = lambda wire, name, context: names.append(name)
    with hostile.running({"good": whole(GOOD)}, context) as server:
        within = limits(server, allowed=frozenset({f"{NAME}:{server.port}", f"127.0.0.1:{server.port}"}))
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        named, bare = [server.url("good", 0, host, "https") for host in (NAME, "127.0.0.1")]
        ended = {download.url: download for download in fetched([named, bare], tmp_path / "pictures", within)}
    assert ended[named].status == "fetched"
    assert [name for name in names if name] == [NAME]
    assert ended[bare].status == "unreachable"
    assert "IP address mismatch, certificate is not valid for '127.0.0.1'" in ended[bare].detail


def test_a_certificate_that_nobody_vouches_for_is_refused(rebinding: list[str], tmp_path: Path) -> None:
    context, _ = certificate(tmp_path, NAME)
    with hostile.running({"good": whole(GOOD)}, context) as server:
        within = limits(server, allowed=frozenset({f"{NAME}:{server.port}"}))
        (ended,) = fetched([server.url("good", 0, NAME, "https")], tmp_path / "pictures", within)
    assert ended.status == "unreachable"
    assert "CERTIFICATE_VERIFY_FAILED" in ended.detail
    assert server.seen.requests == []
