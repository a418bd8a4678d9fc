"""The bytes of one connection as httpcore wants them, over asyncio's own streams: nothing of an address that was not checked.

asyncio opens it in one piece with TLS, so a download that is given up while it connects leaves no socket behind.
"""

import asyncio
import ssl
from typing import Any

import httpcore

_AHEAD = 2**18  # bytes read before someone wants them


class Stream(httpcore.AsyncNetworkStream):
    """A connection that is open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Give what has come, nothing at the end; raise httpcore's ReadTimeout or ReadError."""
        try:
            async with asyncio.timeout(timeout):
                return await self._reader.read(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes; raise httpcore's WriteTimeout or WriteError."""
        try:
            self._writer.write(buffer)
            async with asyncio.timeout(timeout):
                await self._writer.drain()
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        """Close it at once: there is nothing left to say."""
        self._writer.transport.abort()

    def get_extra_info(self, info: str) -> Any:
        """Give whether the other side has closed it, which httpcore asks before it is used again; nothing else is known."""
        return self._reader.at_eof() if info == "is_readable" else None


async def connect(address: str, port: int, tls: ssl.SSLContext | None, name: str) -> Stream:
    """Give a connection to an IP address, in TLS for a name if a context is given; raise OSError when there is none."""
    named = name if tls else None
    return Stream(*await asyncio.open_connection(address, port, ssl=tls, server_hostname=named, limit=_AHEAD))
