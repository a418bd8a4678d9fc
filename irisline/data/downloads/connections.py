"""Connections to places of the web: each to an address that was checked, kept open for the next request of its place.

httpcore's HTTP/1.1, the library under httpx, without its pool: the pool connects to names and this must connect to checked
addresses, and it costs four times as much for each request. TLS keeps the name, for SNI and the certificate.

No proxy, .netrc or cookie is looked at (httpx: trust_env=False): a proxy would resolve names by itself, past every check,
and a .netrc would send a person's password to whoever asks. SSL_CERT_FILE is: it can only say whom a person trusts.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpcore
import httpx

from irisline.data.downloads import addresses, streams
from irisline.data.downloads.addresses import PORTS, Target

CONNECT = 10.0  # seconds for one address
READ = 20.0  # seconds without a byte
KEPT = 15.0  # seconds that a connection is kept without use; many servers close theirs sooner
_STALE = (
    httpcore.NetworkError,
    httpcore.RemoteProtocolError,
)  # what a connection says that was closed while it was kept

Connection = httpcore.AsyncHTTP11Connection


class Connections:
    """All connections of a run. At most `most` of those that nobody uses are kept."""

    def __init__(self, agent: str, most: int) -> None:
        self._agent, self._most = agent.encode("ascii", "replace"), most
        self._tls = httpx.create_ssl_context()
        self._tls.set_alpn_protocols(["http/1.1"])
        self._kept: dict[tuple[str, str, int], list[Connection]] = {}
        self._number = 0  # of those kept

    @asynccontextmanager
    async def get(self, place: Target, timeout: float) -> AsyncIterator[httpcore.Response]:
        """Give the place's answer, whose body is not read yet. After the block its connection is kept, or closed.

        Raise Refused when the place may not be reached; OSError or httpcore's errors when it cannot, or breaks off.
        """
        connection, answer = await self._ask(place, timeout)
        try:
            yield answer
        finally:
            try:
                await answer.aclose()
            finally:
                await self._keep(place, connection)

    async def close(self) -> None:
        """Close those that are kept."""
        for connection in [kept for line in self._kept.values() for kept in line]:
            await _close(connection)
        self._kept.clear()

    async def _ask(self, place: Target, timeout: float) -> tuple[Connection, httpcore.Response]:
        request = self._request(place, timeout)
        while kept := await self._take(place):
            with suppress(*_STALE):
                return kept, await _answer(kept, request)
        connection = await self._open(place, timeout)
        return connection, await _answer(connection, request)

    def _request(self, place: Target, timeout: float) -> httpcore.Request:
        usual = place.port == PORTS[place.scheme]
        host = f"[{place.host}]" if ":" in place.host else place.host
        return httpcore.Request(
            "GET",
            httpcore.URL(scheme=place.scheme, host=place.host, port=place.port, target=place.path),
            headers=[
                (b"Host", (host if usual else f"{host}:{place.port}").encode()),
                (b"User-Agent", self._agent),
                (b"Accept", b"image/jpeg, image/png, image/webp"),
                (b"Accept-Encoding", b"identity"),
            ],
            extensions={"timeout": {"read": min(READ, timeout), "write": min(READ, timeout)}},
        )

    async def _open(self, place: Target, timeout: float) -> Connection:
        """Connect to the first of the checked addresses that answers."""
        tls = self._tls if place.scheme == "https" else None
        origin = httpcore.Origin(place.scheme.encode(), place.host.encode(), place.port)
        last: OSError = OSError("no address")
        for address in await addresses.resolve(place):
            try:
                async with asyncio.timeout(min(CONNECT, timeout)):
                    stream = await streams.connect(address, place.port, tls, place.host)
            except OSError as error:
                last = error
            else:
                return Connection(origin, stream, keepalive_expiry=KEPT)
        raise last

    async def _take(self, place: Target) -> Connection | None:
        while line := self._kept.get(place.origin):
            connection = self._drop(place.origin, line)
            if not connection.has_expired():
                return connection
            await _close(connection)
        return None

    async def _keep(self, place: Target, connection: Connection) -> None:
        if not connection.is_available():
            await _close(connection)
            return
        line = self._kept.pop(place.origin, [])
        self._kept[place.origin] = [*line, connection]  # last: the order is that of their last use
        self._number += 1
        if self._number > self._most:
            origin, oldest = next(iter(self._kept.items()))
            await _close(self._drop(origin, oldest))

    def _drop(self, origin: tuple[str, str, int], line: list[Connection]) -> Connection:
        connection = line.pop()
        self._number -= 1
        if not line:
            del self._kept[origin]
        return connection


async def _answer(connection: Connection, request: httpcore.Request) -> httpcore.Response:
    try:
        return await connection.handle_async_request(request)
    except BaseException:  # httpcore closes it, too, but not in every moment in which a task may be cancelled
        await _close(connection)
        raise


async def _close(connection: Connection) -> None:
    with suppress(httpcore.NetworkError, OSError):
        await connection.aclose()
