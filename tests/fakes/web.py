"""The fake web: Openverse, Commons, Flickr, Brave and the pictures they name, as one real HTTP server on the loopback.

For tests it is the fixture `web`. For people: `python -m tests.fakes.web --port 8123`, then set what it prints and type
make snapshot in another shell.
"""

import argparse
import signal
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.fakes import brave, flickr, openverse, pictures
from tests.fakes.brave import Brave
from tests.fakes.catalogue import PER_CLASS
from tests.fakes.commons import Commons
from tests.fakes.flickr import Flickr
from tests.fakes.openverse import Openverse
from tests.fakes.reply import Asked, Reply

SERVICES = ("openverse", "commons", "flickr", "brave")


class Web:
    """A running fake web.

    `seen` holds every request, `peaks` the most that each service and each host had at once, `calls` how often each path
    was asked for. `limits` makes a service refuse more than so many requests in so many seconds, as it is done by all.
    """

    def __init__(self, port: int = 0, per_class: int = PER_CLASS) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.web = self
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.host}"
        self.openverse = Openverse(f"{self.url}/openverse", self.url, per_class)
        self._commons, self._flickr = Commons(self.url, per_class), Flickr(self.url, per_class)
        self._brave = Brave(self.url, per_class)
        self._lock = threading.Lock()
        self.forget()
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def forget(self) -> None:
        """Be as on the first day."""
        with self._lock:
            self.seen: list[Asked] = []
            self.calls: Counter[str] = Counter()
            self.peaks: Counter[str] = Counter()
            self.limits: dict[str, tuple[int, float]] = {}
            self._next: dict[str, deque[Reply]] = defaultdict(deque)
            self._now: Counter[str] = Counter()
            self._times: dict[str, deque[float]] = defaultdict(deque)
        self.openverse.token_life, self.openverse.refuses_keys = 36000.0, False
        self.openverse.forget_tokens()

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs in its environment to take this for the web; no keys."""
        homes = {f"IRISLINE_{name.upper()}_URL": f"{self.url}/{name}" for name in SERVICES}
        return homes | {"IRISLINE_ALLOW_HOSTS": self.host}

    @property
    def keys(self) -> dict[str, str]:
        """The keys that this web knows."""
        names = ("OPENVERSE_CLIENT_ID", "OPENVERSE_CLIENT_SECRET", "FLICKR_API_KEY", "BRAVE_API_KEY")
        return dict(zip(names, (*openverse.CLIENT, flickr.KEY, brave.TOKEN), strict=True))

    def asked(self, service: str) -> list[Asked]:
        """Return what a service was asked, in order."""
        return [one for one in self.seen if one.service == service]

    def answer_next(self, service: str, *replies: Reply) -> None:
        """Let a service answer its next requests with these, whatever they ask."""
        self._next[service].extend(replies)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def counted(self, asked: Asked) -> Iterator[int]:
        """Record a request, and give how many its service has at once while it is answered."""
        names = (asked.service, f"host {asked.host}")
        with self._lock:
            self.seen.append(asked)
            self.calls[asked.path] += 1
            now = self._now  # another one after forget: who is still here then counts no more
            now.update(names)
            self.peaks.update({name: max(0, now[name] - self.peaks[name]) for name in names})
            at_once = now[asked.service]
        try:
            yield at_once
        finally:
            with self._lock:
                now.subtract(names)

    def answer(self, asked: Asked, at_once: int) -> Reply:
        with self._lock:
            if self._next[asked.service]:
                return self._next[asked.service].popleft()
            if wait := self._too_many(asked.service):
                return Reply(
                    429, b'{"detail": "Request was throttled."}', "application/json", {"Retry-After": str(wait)}
                )
        match asked.service:
            case "openverse":
                return self.openverse.answer(asked)
            case "commons":
                return self._commons.answer(asked, at_once)
            case "flickr":
                return self._flickr.answer(asked)
            case "brave":
                return self._brave.answer(asked)
        return pictures.picture(asked.path, self.calls[asked.path])

    def _too_many(self, service: str) -> int:
        """Return the whole seconds until a request is welcome again; 0 when this one is."""
        count, seconds = self.limits.get(service, (0, 0.0))
        times, now = self._times[service], time.monotonic()
        while times and times[0] <= now - seconds:
            times.popleft()
        if count and len(times) >= count:
            return int(times[0] + seconds - now) + 1
        times.append(now)
        return 0


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512
    web: Web


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        """Answer; the last byte leaves when the request no longer counts: who has it may ask again at once."""
        asked = self._asked()
        with suppress(ConnectionError):
            with self.server.web.counted(asked) as at_once:
                reply = self.server.web.answer(asked, at_once)
                self._send_head(reply)
                if reply.body:
                    self.end_headers()
                    self._send_body(reply)
            if not reply.body:
                self.end_headers()
            self.wfile.write(reply.body[-1:])

    def _asked(self) -> Asked:
        parts = urlsplit(self.path)
        service = parts.path.split("/")[1]
        known = service in SERVICES
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Asked(
            service=service if known else "pictures", method=self.command, host=headers.get("host", ""),
            path=parts.path.removeprefix(f"/{service}") if known else parts.path, query=dict(parse_qsl(parts.query)),
            form=dict(parse_qsl(body)), agent=headers.get("user-agent", ""), headers=headers,
        )  # fmt: skip

    def _send_head(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.kind)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.endless:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(reply.body)))

    def _send_body(self, reply: Reply) -> None:
        """Send all but the last byte."""
        parts = [reply.body[:-1]] if not reply.drip else [bytes([one]) for one in reply.body[:-1]]
        for part in parts:
            self.wfile.write(part)
            time.sleep(reply.drip)
        while reply.endless:
            self.wfile.write(bytes(65536))

    def log_message(self, *_: Any) -> None:
        """What was asked is in `seen`."""


@pytest.fixture(scope="session")
def running_web() -> Iterator[Web]:
    with Web() as running:
        yield running


@pytest.fixture
def web(running_web: Web) -> Web:
    """Return the fake web as on its first day."""
    running_web.forget()
    return running_web


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--per-class", type=int, default=PER_CLASS, help="works of each class at each provider")
    chosen = parser.parse_args()
    for ending in (signal.SIGINT, signal.SIGTERM):  # a shell in the background lets its children ignore Ctrl-C
        signal.signal(ending, signal.default_int_handler)
    with Web(chosen.port, chosen.per_class) as running:
        for name, value in (running.environment | running.keys).items():
            print(f"export {name}={value}")
        print(f"# answering on {running.url}; Ctrl-C ends it", flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
