"""Five hundred answers that mean harm, good ones between them: each ends with its status, and the run with all of them."""

import hashlib
import time
from collections import defaultdict
from pathlib import Path

import pytest

from irisline.collection.downloads.download import FETCHED, Download, Limits
from irisline.collection.downloads.downloader import fetch_all
from tests.fakes import hostile
from tests.fakes.hostile_answers import AGENT, MAX_BYTES, TIMEOUT, every

pytestmark = pytest.mark.slow

TURNS = 4  # of every kind
MAX_PIXELS = 50_000_000


def test_every_answer_ends_with_its_status(tmp_path: Path) -> None:
    ended: list[Download] = []
    with hostile.running({}) as canary, hostile.running({}) as server:
        kinds = every(canary.port)
        server.answers = {name: answer for name, (_, answer) in kinds.items()}
        names = list(kinds) * TURNS
        urls = [server.url(name, number, f"127.0.0.{number % 9 + 1}") for number, name in enumerate(names)]
        started = time.monotonic()
        limits = Limits(MAX_BYTES, 640, MAX_PIXELS, TIMEOUT, 32, 8, AGENT, server.allowed())
        fetch_all(urls, tmp_path / "pictures", limits, ended.append)
        seconds = time.monotonic() - started
    assert len(urls) >= 500
    assert sorted(download.url for download in ended) == sorted(urls)
    found = defaultdict(set)
    for download in ended:
        found[download.url.split("/")[3]].add(download.status)
    assert {name: {status} for name, (status, _) in kinds.items()} == found
    assert canary.seen.connections == 0
    assert seconds < 60
    _holds_what_was_fetched(tmp_path / "pictures", ended)


def _holds_what_was_fetched(folder: Path, ended: list[Download]) -> None:
    files = {download.file for download in ended if download.status == FETCHED}
    assert set(folder.iterdir()) == files
    assert all(hashlib.sha256(file.read_bytes()).hexdigest() == file.stem for file in files if file)
    for download in ended:
        assert (download.file is None) == (download.status != FETCHED) == bool(download.detail)
        assert "\n" not in download.detail
