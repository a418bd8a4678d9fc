"""What the head of a request may be, before anything is done for it. Knows no connection."""

from collections import Counter
from collections.abc import Sequence

from service.bodies import MAX_LENGTH, NO_LENGTH
from service.problems import Problem

MAX_HEAD = 32 * 2**10  # bytes; also of what is neither head nor body: sizes of chunks, lines after the last one
MAX_HEADERS = 100
MAX_PATH = 2048  # bytes, with what follows a question mark
_WITH_BODY = (b"content-length", b"transfer-encoding")


def fault(headers: Sequence[tuple[bytes, bytes]], path: int, version: str, upgrade: bool) -> Problem | None:
    """Return why a head is refused; None when it is not. Path is its length, with what follows a question mark."""
    names = Counter(name for name, _ in headers)
    if len(headers) > MAX_HEADERS or sum(len(name) + len(value) for name, value in headers) > MAX_HEAD:
        return too_long()
    if path > MAX_PATH:
        return Problem(400, f"the path has more than {MAX_PATH} bytes")
    if names[b"host"] > 1 or (not names[b"host"] and version != "1.0"):
        return Problem(400, f"a request has one Host header, this one has {names[b'host']}")
    if any(name == b"content-length" and not _is_length(value) for name, value in headers):
        return Problem(400, NO_LENGTH)
    if upgrade and any(name in _WITH_BODY for name in names):
        return Problem(400, "Upgrade is not served, and takes the body away; send the request without it")
    return None


def too_long() -> Problem:
    """Return the problem of a head without an end."""
    return Problem(431, f"the head has more than {MAX_HEADERS} headers or {MAX_HEAD} bytes; send less")


def _is_length(value: bytes) -> bool:
    return value.isdigit() and len(value) <= MAX_LENGTH
