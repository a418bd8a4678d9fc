"""Connections to places of the web: each to an address that was checked, kept open while its host has more to give.

aiohttp and not httpx: its parser is C, and a request costs it a tenth of a millisecond of a core where httpx takes one to two.
It connects to what its resolver gives, so the name is never asked for again, and TLS keeps the name, for SNI and certificate.

Nothing of the environment is heeded (trust_env=False): a proxy would resolve names by itself, past every check, and a .netrc
would send a person's password to whoever asks. SSL_CERT_FILE is: it only says whom a person trusts. No cookie is kept.
"""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from irisline.collection.downloads import addresses
from irisline.collection.downloads.addresses import Target
from irisline.collection.downloads.download import UNREACHABLE, Refused, short

CONNECT = 10.0  # seconds
READ = 20.0  # seconds without a byte
KEPT = 15.0  # seconds that a connection is kept without use
_HEADER = 2**16  # bytes of one header

Answer = aiohttp.ClientResponse


class Connections:
    """All connections of a run; how many there may be is not decided here."""

    def __init__(self, agent: str, allowed: frozenset[str]) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                resolver=_Checked(allowed),
                use_dns_cache=False,
                ssl=httpx.create_ssl_context(),
                keepalive_timeout=KEPT,
            ),
            headers={"User-Agent": agent, "Accept": "image/jpeg, image/png, image/webp", "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=READ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            max_line_size=_HEADER,
            max_field_size=_HEADER,
        )

    @asynccontextmanager
    async def get(self, place: Target, keep: bool) -> AsyncIterator[Answer]:
        """Yield the place's answer, whose body is not read yet; its connection is kept if asked, once the body is read.

        Raise Refused when the place may not or cannot be reached; OSError or aiohttp's errors when it breaks off.
        """
        answer = await self._ask(place, {} if keep else {"Connection": "close"})
        try:
            yield answer
        finally:
            answer.close()  # of a body that was read to its end, the connection has gone back already

    async def _ask(self, place: Target, headers: dict[str, str]) -> Answer:
        try:
            return await self._session.get(_url(place), headers=headers, allow_redirects=False)
        except aiohttp.ClientConnectorCertificateError as error:
            raise Refused(UNREACHABLE, f"{place.host}: {short(error.certificate_error)}") from error
        except aiohttp.ConnectionTimeoutError as error:
            raise Refused(UNREACHABLE, f"{place.host}: did not answer within {CONNECT:g} s") from error
        except aiohttp.ClientConnectorError as error:
            raise Refused(UNREACHABLE, f"{place.host}: {short(error.os_error)}") from error

    async def close(self) -> None:
        """Close all of them."""
        await self._session.close()


class _Checked(AbstractResolver):
    """The names of the web, each address that they stand for checked."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name as aiohttp wants them; raise Refused when there are none, or one is not public."""
        found = await addresses.resolve(host, port, f"{host}:{port}" in self._allowed)
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=flags)
            for family, address in found
        ]

    async def close(self) -> None:
        """Do nothing: nothing is kept."""


def _url(place: Target) -> URL:
    """Return the address as aiohttp wants it, made of the parts that were checked: a second parser could read another host."""
    path, _, query = place.path.decode("ascii").partition("?")
    return URL.build(scheme=place.scheme, host=place.host, port=place.port, path=path, query_string=query, encoded=True)
