"""Whoever breaks off is noticed, also with another request behind the one that is being answered."""

import re
import socket
import struct
import time
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests import planted
from tests.service.conftest import eventually, running

pytestmark = pytest.mark.slow

MANY = 40


def sent(address: str, *requests: bytes) -> socket.socket:
    """Return a connection on which requests were sent, and which breaks off when it is closed."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    connection.sendall(b"".join(requests))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return connection


@pytest.mark.parametrize("behind", [b"", b"GET /model HTTP/1.1\r\nHost: x\r\n\r\n"], ids=["alone", "another behind"])
def test_who_breaks_off_is_answered_no_more(served: Path, tmp_path: Path, behind: bytes) -> None:
    large = planted.saved(Image.effect_noise((1000, 1000), 90).convert("RGB"), "WEBP")  # some work
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/webp\r\nContent-Length: %d\r\n\r\n" % len(large)
    with running(served, tmp_path / "log", IRISLINE_THREADS="1") as (address, _):

        def told(status: int) -> int:
            line = rf'irisline_requests_total{{route="/predict",status="{status}"}} (\d+)'
            return sum(map(int, re.findall(line, httpx.get(f"{address}/metrics", timeout=20).text)))

        connections = [sent(address, head, large, behind) for _ in range(MANY)]
        time.sleep(0.5)  # all of it has arrived
        for connection in connections:
            connection.close()
        assert eventually(lambda: told(200) + told(400) == MANY, within=30)
        assert told(400) > MANY / 2  # but for those that were at work
