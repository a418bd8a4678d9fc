"""One connection's worth of harm: what is sent, in which pieces, how the connection ends, and what came back.

Knows nothing of what is harmful, or of what a service should answer.
"""

import socket
import struct
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from enum import Enum, auto

import httptools

from bench import _load

PATIENCE = 20.0  # seconds to wait for an answer that must come
BRIEFLY = 0.2  # seconds to wait for one that need not
_PIECE = 2**16


class Ending(Enum):
    """What the client does once all is sent."""

    WAIT = auto()  # for the answer
    HALF = auto()  # says that nothing more comes, and waits
    LEAVE = auto()  # closes at once
    RESET = auto()  # breaks the connection


@dataclass(frozen=True)
class Attack:
    """What a client does to a server."""

    name: str
    pieces: tuple[bytes, ...]
    pause: float = 0.0  # seconds after each piece
    ending: Ending = Ending.WAIT
    rare: bool = False  # it costs a second of a core or more
    connections: int = 1  # that do the same, side by side; what comes back on the last one counts
    answered: bool = True  # False where a server may wait for more, or hang up, without a word


@dataclass
class Outcome:
    """What came back: the status of each answer on the connection, in order, and the last body."""

    statuses: list[int] = field(default_factory=list)
    body: bytes = b""
    seconds: float = 0.0


class _Answers:
    """Reads the answers of a connection; httptools calls its methods by their names."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._parser = httptools.HttpResponseParser(self)

    def on_message_begin(self) -> None:
        self._outcome.body = b""

    def on_headers_complete(self) -> None:
        self._outcome.statuses.append(self._parser.get_status_code())

    def on_body(self, piece: bytes) -> None:
        self._outcome.body += piece

    def on_message_complete(self) -> None:
        self.whole = True

    whole = False

    def feed(self, piece: bytes) -> None:
        self._parser.feed_data(piece)


def strike(port: int, attack: Attack, source: str = _load.HOST) -> Outcome:
    """Do it from an address; give what came back, which is nothing when the server hung up or kept silent."""
    outcome, started = Outcome(), time.perf_counter()
    with (
        suppress(OSError, httptools.HttpParserError, httptools.HttpParserUpgrade),
        ExitStack() as beside,
        socket.socket() as connection,
    ):
        for _ in range(attack.connections - 1):
            beside.enter_context(socket.create_connection((_load.HOST, port), PATIENCE)).sendall(
                b"".join(attack.pieces)
            )
        connection.settimeout(PATIENCE)
        connection.bind((source, 0))
        connection.connect((_load.HOST, port))
        with suppress(BrokenPipeError, ConnectionResetError):  # a server may answer and hang up before all is sent
            _send(connection, attack)
        _end(connection, attack, outcome)
    outcome.seconds = time.perf_counter() - started
    return outcome


def _send(connection: socket.socket, attack: Attack) -> None:
    for piece in attack.pieces:
        connection.sendall(piece)
        if attack.pause:
            time.sleep(attack.pause)


def _end(connection: socket.socket, attack: Attack, outcome: Outcome) -> None:
    if attack.ending is Ending.RESET:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if attack.ending in (Ending.RESET, Ending.LEAVE):
        return
    if attack.ending is Ending.HALF:
        connection.shutdown(socket.SHUT_WR)
    connection.settimeout(PATIENCE if attack.answered else BRIEFLY)
    answers = _Answers(outcome)
    while not answers.whole and (piece := connection.recv(_PIECE)):
        answers.feed(piece)
    connection.settimeout(BRIEFLY / 10)
    while piece := connection.recv(_PIECE):  # a second answer, if what was sent is taken for two requests
        answers.feed(piece)
