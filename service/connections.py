"""One connection: how long it may keep the service waiting, and what of HTTP it may say. Knows nothing of what is asked."""

import logging
from http import HTTPStatus
from typing import Any, NoReturn

from starlette.datastructures import MutableHeaders
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service import heads, prometheus_metrics
from service.bodies import HANG_UP
from service.crowd import Crowd
from service.fair_queue import origin_of
from service.problems import RETRY, Problem
from service.wire import Wire

MAX_AHEAD = 16  # requests that a client may send before it is answered
MAX_AHEAD_BYTES = 64 * 2**10  # of the bodies of those that wait for the answers before them
MEAN_CHUNK = 128  # bytes of a body in chunks, at least, after the first ones: each takes as long as some kilobytes
FIRST_CHUNKS = 128
HALF_CLOSED = 1.0  # seconds after a whole request: who ends sending later than that has gone
log = logging.getLogger("uvicorn.error.connections")
log.setLevel(logging.ERROR)  # who sends what is no HTTP is counted: a line for each would fill the log
log.addFilter(
    lambda record: not (is_gone(record.exc_info and record.exc_info[1]) or "without completing" in record.msg)
)
logging.getLogger("python_multipart").setLevel(logging.ERROR)  # as well


class Connection(HttpToolsProtocol):
    """One connection, which ends when its client is late."""

    def __init__(self, crowd: Crowd, **given: Any) -> None:
        super().__init__(**given)
        self.logger = log
        self.ws_protocol_class = None  # no web sockets
        self.origin = ""
        self._crowd = crowd
        self._timer: Any = None
        self._rests = False  # all requests are answered, nothing of the next has come
        self._ends = False
        self._said_all = False  # the client sends no more, and waits for its answers
        self._beside = 0  # bytes that have come and were no body, since the last request began
        self._chunks, self._came = 0, 0  # of the body that comes in, and bytes of it
        self._headed = False  # the head of the request that comes in is whole
        self._whole: float | None = None  # when the last request had come in
        self._fault = Problem(400, "this is not HTTP/1.1 as it should be")
        self._unanswered: list[Any] = []  # requests, the one that is being answered first

    @property
    def owes(self) -> bool:
        """Whether the service waits for the client, not the client for the service."""
        request = self.cycle
        waits = request is None or request.response_complete or request.more_body or self.flow.write_paused
        return waits or self.transport.is_closing()

    def connection_made(self, transport: Any) -> None:
        """Begin, or say that there are too many."""
        self._wire = Wire(transport, self.loop)
        super().connection_made(self._wire)  # type: ignore[arg-type] # it is used as one
        self.origin = origin_of(self.client)
        self._within(self._crowd.head_timeout)
        if not self._crowd.enter(self):
            prometheus_metrics.CUT.labels("refused").inc()
            self._say(Problem(503, "busy: too many connections at once; try again in a second", RETRY))
            self._wire.close_now()  # it counts as none

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._crowd.leave(self)
        self._timer.cancel()
        self._forget()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override] # uvicorn lets go
        """Answer what has been asked just before, and is whole; later, or in the middle of a request, the client has gone."""
        self._said_all = True
        waits = self._unanswered and self._whole is not None and self.loop.time() < self._whole + HALF_CLOSED
        if not waits:
            self._leave()
        return True

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        self._wire.came(len(data))
        if self.transport.is_closing():
            return
        if self._rests:
            self._rests = False
            self._within(self._crowd.head_timeout)
        self._beside += len(data)
        super().data_received(data)
        if self._beside > heads.MAX_HEAD and not self.transport.is_closing():
            prometheus_metrics.CUT.labels("unreadable").inc()
            if self._headed and self.cycle.response_complete:  # a body that nobody waits for
                self._leave()
            else:
                self._hang_up(heads.too_long())

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._wire.begin()
        self._beside, self._headed, self._chunks, self._came, self._whole = 0, False, 0, 0, None

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; a line after the last chunk is none, whatever its name."""
        if not self._headed:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Let a request whose head is whole be answered; its fault is told by send_400_response."""
        upgrade, version = self.parser.should_upgrade(), self.parser.get_http_version()
        fault = heads.fault(self.headers, len(self.url), version, upgrade)
        if not fault and len(self.pipeline) >= MAX_AHEAD:
            fault = Problem(400, f"more than {MAX_AHEAD} requests before an answer")
        if fault:
            self._refuse(fault)
        super().on_headers_complete()
        self._headed = True
        self._unanswered.append(self.cycle)
        self._crowd.asked(self)
        if not self.pipeline:
            self._rests = False
            self._within(self._crowd.request_timeout)

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body; chunks may have an eighth of it beside them. Once it is answered, none is wanted."""
        if self.cycle.response_complete:
            return
        self._beside = max(0, self._beside - len(body) - len(body) // 8)
        self._came += len(body)
        if self.pipeline and sum(len(request.body) for request, _ in self.pipeline) + len(body) > MAX_AHEAD_BYTES:
            self._refuse(Problem(413, f"more than {MAX_AHEAD_BYTES} bytes before an answer to the request before"))
        super().on_body(body)

    def on_chunk_header(self) -> None:
        """Count a chunk of a body."""
        self._chunks += 1
        if self._chunks > FIRST_CHUNKS + self._came // MEAN_CHUNK:
            self._refuse(Problem(400, f"the body comes in chunks of less than {MEAN_CHUNK} bytes; send larger ones"))

    def on_message_complete(self) -> None:
        """Note that a request has come in."""
        self._whole = self.loop.time()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, or begin the one that has come already."""
        self._unanswered = [request for request in self._unanswered if not request.response_complete]
        if self._ends or self.transport.is_closing() or (self._said_all and not self.pipeline):
            self._leave()
        self._rests = not self.pipeline
        self._within(self._crowd.head_timeout if self._rests else self._crowd.request_timeout)
        super().on_response_complete()
        self._unset_keepalive_if_required()  # uvicorn's timer is put off by each byte, ours is not

    def shutdown(self) -> None:
        """End once the request that is under way is answered."""
        self._ends = True
        super().shutdown()

    def _refuse(self, fault: Problem) -> NoReturn:
        """Read no more of what has come, and let send_400_response say why."""
        self._fault = fault
        raise ValueError(fault.detail)

    def send_400_response(self, msg: str) -> None:
        """Say why what has come cannot be read. A request before it may still wait: it would take that for its own answer."""
        prometheus_metrics.CUT.labels("unreadable").inc()
        reading = self._headed and self.cycle.more_body and not self.cycle.response_started
        own = self.cycle if reading else None  # whose body it is
        if any(not request.response_complete for request in self._unanswered if request is not own):
            self._leave()
        else:
            self._hang_up(self._fault)

    def cut(self, reason: str) -> None:
        """End at once."""
        prometheus_metrics.CUT.labels(reason).inc()
        self._wire.drop()

    def _leave(self) -> None:
        """Read and answer no more; the client may take what was answered."""
        self._forget()
        self.transport.close()
        self._within(self._crowd.head_timeout)

    def _forget(self) -> None:
        """Tell all that work for this connection that nobody waits for them; uvicorn tells the newest alone."""
        for request in self._unanswered:
            request.disconnected = True
            request.body = b""  # connection and request hold each other until the garbage is collected
            request.message_event.set()
        self._unanswered.clear()
        self.pipeline.clear()

    def _hang_up(self, problem: Problem) -> None:
        self._say(problem)
        self._leave()

    def _say(self, problem: Problem) -> None:
        response = problem.response()
        MutableHeaders(raw=response.raw_headers).update(HANG_UP)
        lines = [b"HTTP/1.1 %d %s" % (problem.status, HTTPStatus(problem.status).phrase.encode())]
        lines += [name + b": " + value for name, value in response.raw_headers]
        self.transport.write(b"\r\n".join([*lines, b"", bytes(response.body)]))

    def _within(self, seconds: float) -> None:
        """Let the client have so long from now on."""
        self._deadline = self.loop.time() + seconds
        if self._timer is None or self._deadline < self._fires:
            self._set_timer()

    def _set_timer(self) -> None:
        """A timer that is early is set anew: each request then costs no timer."""
        if self._timer:
            self._timer.cancel()
        self._fires = self._deadline
        self._timer = self.loop.call_at(self._fires, self._look)

    def _look(self) -> None:
        if self.loop.time() < self._deadline:
            self._set_timer()
        else:
            self.cut("idle" if self._rests else "late")


def is_gone(error: BaseException | None) -> bool:
    """Return whether an error is that of writing to a connection that its client has broken off."""
    return isinstance(error, RuntimeError) and "closed=True" in str(error)
