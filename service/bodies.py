"""Pictures out of request bodies: bounded in bytes, in number and in time, believed in nothing, kept in memory only."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from service.problems import RETRY, Problem
from service.settings import Settings

IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp")
FORM_TYPE = "multipart/form-data"
HANG_UP = {"Connection": "close"}  # what is left of the body is not worth reading
MAX_LENGTH = 19  # digits of a Content-Length: more than any file has
NO_LENGTH = f"Content-Length must be a number of at most {MAX_LENGTH} digits"
MAX_TYPE = 1000  # characters of a content type
MAX_NAME = 200  # characters of a file's name that an answer repeats
BRISK = 1.0  # seconds: where there is no room, a body that takes longer to arrive gives way to others of its origin
LARGE = 16 * 2**20  # bytes of bodies, after which what they took is given back to the kernel once there are none
_OTHER_FIELDS = 16


class Held:
    """The bytes of a request's body."""

    def __init__(self, budget: "Budget", origin: str) -> None:
        self.budget, self.origin = budget, origin
        self.task, self.since = asyncio.current_task(), time.monotonic()
        self.own, self.arrives, self.gives_way = 0, True, False

    def take(self, count: int) -> None:
        """Hold so many bytes more; raise Problem when there are none left, nor a slow body that can give way."""
        self.budget.make_room(count, self)
        self.budget.taken += count
        self.budget.of_origin[self.origin] += count
        self.own += count

    def give_back(self) -> None:
        """Hold none any more."""
        self.budget.taken -= self.own
        self.budget.of_origin -= Counter({self.origin: self.own})  # an origin without any is forgotten
        self.own = 0


class Budget:
    """How many bytes of bodies may be held at once, by all requests together."""

    def __init__(self, most: int, on_empty: Callable[[], object] = lambda: None) -> None:
        self.most, self.taken, self._peak = most, 0, 0
        self.of_origin = Counter[str]()
        self._on_empty = on_empty
        self._held: dict[Held, None] = {}

    @contextmanager
    def held(self, origin: str = "") -> Iterator[Held]:
        """Yield what holds the body of an origin's request; its bytes are given back at the end."""
        one = Held(self, origin)
        self._held[one] = None
        try:
            yield one
        except asyncio.CancelledError:
            if not one.gives_way or one.task is None:
                raise
            one.task.uncancel()
            raise _busy() from None
        finally:
            self._peak = max(self._peak, self.taken)
            del self._held[one]
            one.give_back()
            if not self.taken and self._peak >= LARGE:
                self._peak = 0
                self._on_empty()

    def make_room(self, count: int, newcomer: Held) -> None:
        """End bodies until there is room for so many bytes more; raise Problem, and end none, when that would not do.

        The newest bodies of whoever holds most, if that is more than the newcomer's origin would; and of its own origin those
        that take long to arrive.
        """
        room = self.most - self.taken - count
        if room >= 0:
            return
        shares, ended, held = self.of_origin.copy(), list[Held](), defaultdict[str, list[Held]](list)
        for one in self._held:  # in the order in which they came
            if one.own and one is not newcomer:
                held[one.origin].append(one)
        own = shares.pop(newcomer.origin, 0) + count
        while room < 0 and shares:
            longest = max(shares, key=shares.__getitem__)
            if shares[longest] <= own:
                break
            newest = held[longest].pop()
            ended.append(newest)
            shares[longest] -= newest.own
            room += newest.own
        until = time.monotonic() - BRISK
        for one in held[newcomer.origin]:
            if room < 0 and one.arrives and one.since < until:
                ended.append(one)
                room += one.own
        if room < 0:
            raise _busy()
        for one in ended:
            one.arrives, one.gives_way = False, True
            one.give_back()
            if one.task:
                one.task.cancel()


async def picture(request: Request, settings: Settings, held: Held) -> bytes:
    """Return the one picture of a request: its body, or the field "image" of a form; raise Problem."""
    kind = media_type(request)
    if kind in IMAGE_TYPES:
        return await _whole(request, settings, held)
    if kind != FORM_TYPE:
        accepted = ", ".join(IMAGE_TYPES)
        raise Problem(
            415, f"{kind[:80] or 'no content type'}: send {accepted}, or a form with the field image", HANG_UP
        )
    files = await _files(request, settings, held, "image", 1)
    return files[0][1]


async def pictures(request: Request, settings: Settings, held: Held) -> list[tuple[str, bytes]]:
    """Return the name and bytes of each field "images" of a form; raise Problem."""
    kind = media_type(request)
    if kind != FORM_TYPE:
        raise Problem(415, f"{kind[:80] or 'no content type'}: send {FORM_TYPE} with many fields images", HANG_UP)
    return await _files(request, settings, held, "images", settings.max_images)


def media_type(request: Request) -> str:
    """Return the content type of a request without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _whole(request: Request, settings: Settings, held: Held) -> bytes:
    data = bytearray()  # one block that grows: pieces of many bodies side by side would leave a heap of holes
    async with _patience(settings):
        async for chunk in _bounded(request, settings.max_bytes, held):
            data += chunk
    if not data:
        raise Problem(400, "the body is empty; send the bytes of a picture", code="picture_unreadable")
    return bytes(data)


async def _files(request: Request, settings: Settings, held: Held, field: str, most: int) -> list[tuple[str, bytes]]:
    kind = request.headers.get("content-type", "")
    if len(kind) > MAX_TYPE:
        raise Problem(400, f"the content type has {len(kind)} characters, the limit is {MAX_TYPE}", HANG_UP)
    _, parameters = parse_options_header(kind)
    if parameters.get(b"charset", b"utf-8").lower() not in (b"utf-8", b"utf8"):  # some take minutes to be decoded
        raise Problem(400, "the form names a charset other than UTF-8; send it without one", HANG_UP, "form_unreadable")
    boundary = parameters.get(b"boundary", b"")
    if not boundary:
        raise Problem(400, "the form cannot be read: Missing boundary", HANG_UP, "form_unreadable")
    body = _parts(_bounded(request, settings.max_bytes, held), b"\r\n--" + boundary, most + _OTHER_FIELDS + 1)
    parser = MultiPartParser(request.headers, body, max_files=most, max_fields=_OTHER_FIELDS)
    parser.spool_max_size = settings.max_bytes  # never to the disk: the whole body is bounded
    try:
        async with _patience(settings):
            form = await parser.parse()
    except (MultiPartException, UnicodeError) as error:  # the second: what is no UTF-8
        raise Problem(400, f"the form cannot be read: {str(error)[:200]}", HANG_UP, "form_unreadable") from error
    sent = [item for item in form.getlist(field) if isinstance(item, UploadFile)]
    found = [((item.filename or "")[:MAX_NAME], await item.read()) for item in sent]
    await form.close()
    if not found:
        raise Problem(400, f"the form has no file in the field {field}", code="form_unreadable")
    return found


async def _parts(body: AsyncGenerator[bytes, Any], delimiter: bytes, most: int) -> AsyncGenerator[bytes, None]:
    """Yield a form's body, which begins no more parts than it may and has its last boundary.

    What only looks like a boundary takes long to be read; a form without its last one was cut short.
    """
    seen, ended, last = 0, False, b"\r\n"  # as if a line ended before the first
    async for chunk in body:
        joined = last + chunk
        seen += joined.count(delimiter) - last.count(delimiter)
        if delimiter + b" " in joined or delimiter + b"\t" in joined:  # each blank takes as long as a part's head
            raise Problem(400, "the form has blanks after its boundary", HANG_UP, "form_unreadable")
        if seen > most:
            raise Problem(
                400, f"the form has more than {most} parts, or its boundary within one", HANG_UP, "form_unreadable"
            )
        ended = ended or delimiter + b"--" in joined
        last = joined[-len(delimiter) - 1 :]
        yield chunk
    if not ended:
        raise Problem(400, "the form ends before its last boundary; send it whole", HANG_UP, "form_unreadable")


@asynccontextmanager
async def _patience(settings: Settings) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(settings.timeout):
            yield
    except TimeoutError as error:
        raise Problem(408, f"the body did not arrive within {settings.timeout:g} seconds", HANG_UP) from error


async def _bounded(request: Request, most: int, held: Held) -> AsyncGenerator[bytes, Any]:
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or len(declared) > MAX_LENGTH:
        raise Problem(400, NO_LENGTH, HANG_UP)
    if int(declared) > most:
        raise _too_large(int(declared), most)
    seen = 0
    while held.arrives:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, "the connection ended before the body did", HANG_UP)
        chunk, held.arrives = message.get("body", b""), message.get("more_body", False)
        seen += len(chunk)
        if seen > most:
            raise _too_large(seen, most)
        held.take(len(chunk))
        yield chunk
        if held.arrives:
            await request.app.state.pace.turn(held.origin)


def _busy() -> Problem:
    return Problem(503, "busy: too many bodies at once; try again in a second", {**RETRY, **HANG_UP})


def _too_large(seen: int, most: int) -> Problem:
    return Problem(413, f"the body has {seen} bytes or more, the limit is {most}; send a smaller picture", HANG_UP)
