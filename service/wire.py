"""The bytes of one connection: how many the kernel keeps, how often they are read, and that they are gone when it closes.

What the kernel keeps counts as memory of the service's container, also after a socket was closed. Knows no HTTP.
"""

import array
import asyncio
import fcntl
import socket
import struct
import termios
from typing import Any

SEND, RECEIVE = 32 * 2**10, 128 * 2**10  # bytes that the kernel keeps; it takes as much again for itself
SMALL = 1024  # bytes: a segment that is full has more, on any network
OFTEN, REST = 32, 0.01  # after so many small pieces of a request, seconds between two looks for more
LOOK = 0.1  # seconds between two looks whether all was taken


class Wire:
    """A transport that ends when its client has taken all, and reads small pieces together; it is told what has come."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._socket = transport.get_extra_info("socket")
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE)
        self._leaves = self._rests = False
        self._wanted = self._reads = True
        self._small = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def begin(self) -> None:
        """Note that a request begins."""
        self._small = 0

    def came(self, count: int) -> None:
        """Note that so many bytes have come: each look at a connection takes as long as some kilobytes."""
        self._small += count < SMALL
        if self._leaves:
            self.pause_reading()  # what comes now is not wanted
        elif count < SMALL and self._small > OFTEN and not self._rests:
            self._rests = True
            self._loop.call_later(REST, self._go_on)
            self._read()

    def pause_reading(self) -> None:
        """Take nothing."""
        self._wanted = False
        self._read()

    def resume_reading(self) -> None:
        """Take what comes."""
        self._wanted = True
        self._read()

    def write(self, data: bytes) -> None:
        """Send something, unless all has been said."""
        if not self._leaves:
            self._transport.write(data)

    def is_closing(self) -> bool:
        """Return whether nothing more is said."""
        return self._leaves or self._transport.is_closing()

    def close(self) -> None:
        """Say no more, and end once the client has taken all: what it has not would stay in the kernel for minutes."""
        if self.is_closing():
            return
        self._leaves = True
        if self._untaken():
            self._transport.write_eof()
            self.resume_reading()  # its own end is seen then
        self._end_once_taken()

    def close_now(self) -> None:
        """Say no more, and end once the kernel has taken all."""
        self._leaves = True
        self._transport.close()

    def drop(self) -> None:
        """End at once, and let the kernel throw away what the client has not taken."""
        if not self._transport.is_closing() and self._untaken():
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _go_on(self) -> None:
        self._rests = False
        self._read()

    def _read(self) -> None:
        reads = self._wanted and not self._rests
        if reads is not self._reads and not self._transport.is_closing():
            self._reads = reads
            (self._transport.resume_reading if reads else self._transport.pause_reading)()

    def _end_once_taken(self) -> None:
        if self._transport.is_closing():
            return
        if self._untaken():
            self._loop.call_later(LOOK, self._end_once_taken)
        else:
            self._transport.close()

    def _untaken(self) -> bool:
        """Return whether the client's side has not yet acknowledged all that was sent."""
        count = array.array("i", [0])
        fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, count)
        return count[0] > 0 or self._transport.get_write_buffer_size() > 0
