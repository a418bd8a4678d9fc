"""One question over HTTP, its answer whole within a time and a length, however slowly it comes. Knows nothing of what is asked.

For pictures, many at once from anywhere, there is collection/downloads.
"""

import asyncio

import httpx


class TooLong(Exception):
    """An answer has more bytes than it may."""


class Client:
    """Asks one question at a time, each on a connection of its own: minutes may pass between two."""

    def __init__(self, seconds: float, most: int, agent: str | None = None) -> None:
        """Set the seconds for a whole answer, the most bytes of its body, and the User-Agent, where not httpx's own.

        Raise ImportError, ValueError or httpx.InvalidURL for a proxy of the environment that cannot be used.
        """
        self._seconds, self._most = seconds, most
        # A part of the time to connect: httpx does not let go of a connection that is ended from outside before it is made.
        timeout, limits = httpx.Timeout(None, connect=seconds / 3), httpx.Limits(max_keepalive_connections=0)
        headers = {"User-Agent": agent} if agent else {}
        self._client = httpx.AsyncClient(headers=headers, timeout=timeout, limits=limits)
        self.request = self._client.build_request

    def ask(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        """Return an answer's head and its body.

        Raise TimeoutError when it is not whole in time, counted from looking up the name on; TooLong when its body has more
        bytes than it may; httpx.HTTPError or httpx.InvalidURL for anything else.
        """
        return asyncio.run(self._asked(request))

    async def _asked(self, request: httpx.Request) -> tuple[httpx.Response, bytes]:
        body = bytearray()
        async with asyncio.timeout(self._seconds):  # httpx's own begins anew with every byte
            response = await self._client.send(request, stream=True)
            try:
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > self._most:
                        raise TooLong
            finally:
                await response.aclose()
        return response, bytes(body)


def reason(error: Exception) -> str:
    """Return why asking failed: in the system's words where it has any, for the libraries between leave them out."""
    if isinstance(error, httpx.TimeoutException):
        return "no connection in time"
    found: BaseException | None = error
    while found and not (isinstance(found, OSError) and found.errno):
        found = found.__cause__ or found.__context__
    return str(found or error) or type(error).__name__
