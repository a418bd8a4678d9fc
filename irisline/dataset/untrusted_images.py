"""Pictures from people who are not trusted, decoded in a process that ends when one takes more than it may.

What comes back from there is checked for its shape and cannot do harm. For pictures that were decoded and stored before,
images.decode does the same without a process.
"""

import atexit
import io
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from irisline.core.bounded import plain_files
from irisline.core.errors import TooCostly, UnfitFile, UnreadableImage
from irisline.core.isolation import Ended, Worker
from irisline.dataset import images
from irisline.dataset.decoding import Cost, least_seconds
from irisline.dataset.images import GENEROUS

LARGEST_FILE = 2**28  # bytes: 200 million pixels of a camera have less than half of it
_BESIDE = 64 * 2**20  # bytes that a process may take beside what decoding takes


class NeedsMore(TooCostly):
    """It is too much for this process, and not for one that is allowed the ceiling.

    It takes at least so many seconds; likely is what it takes where that is not known yet.
    """

    def __init__(self, reason: str, seconds: float, likely: float = 0.0) -> None:
        super().__init__(reason)
        self.seconds, self.likely = seconds, max(seconds, likely)


Wanted = Mapping[str, Any]
Spend = Callable[[float], object]
Reply = tuple[dict[str, Any], bytes]


class DecodingProcess:
    """A process that is asked of pictures: each with what is wanted of it, as JSON, and told as JSON and bytes.

    The ceiling is what another process may spend on what is too much for this one; without one there is none.
    """

    def __init__(self, function: str, allowed: Cost, nice: int = 0, ceiling: Cost | None = None) -> None:
        self._allowed, self._ceiling = allowed, ceiling
        self.worker = Worker(function, allowed.bytes + _BESIDE, nice)

    def ask(self, data: bytes, wanted: Wanted, seconds: float, spend: Spend = lambda _: None) -> Reply:
        """Return what is told of a picture; spend is called with the seconds of processor that took, at most so many.

        Raise UnreadableImage when it cannot be decoded, TooCostly when that would take more than is allowed or had to be
        ended, NeedsMore when a process that is allowed more may do it.
        """
        if self._ceiling and (least := least_seconds(data)) > self._allowed.seconds:
            reason = f"takes some {least:.2g} seconds to decode"  # known without handing it over
            raise NeedsMore(reason, least, self._ceiling.seconds / 2)
        head = json.dumps({**wanted, "allowed": self._allowed, "ceiling": self._ceiling or self._allowed}).encode()
        try:
            answer, took = self.worker.call((head, b"\n", data), seconds)
        except Ended as error:
            spend(seconds)
            reason = f"takes more than {seconds:.2g} seconds or {self._allowed.bytes // 2**20} MB to decode"
            raise (NeedsMore(reason, seconds) if self._ceiling else TooCostly(reason)) from error
        spend(took)
        line, _, rest = answer.partition(b"\n")
        told: dict[str, Any] = json.loads(line)
        if "needs_more" in told:
            raise NeedsMore(str(told["needs_more"])[:200], float(told["seconds"]))
        if "unreadable" in told:
            raise (TooCostly if told["costly"] else UnreadableImage)(str(told["unreadable"])[:200])
        return told, rest


def decode_and(tell: Callable[[Image.Image, dict[str, Any]], Reply]) -> Callable[[bytes], bytes]:
    """Return the function that a process runs: it decodes a picture and lets tell say what is wanted of it."""

    def answer(request: bytes) -> bytes:
        line, _, data = request.partition(b"\n")
        wanted = json.loads(line)
        limits = wanted["max_side"], wanted["max_pixels"]
        rest = b""
        try:
            told, rest = tell(images.decode(data, *limits, Cost(*wanted["allowed"])), wanted)
        except TooCostly as error:
            try:
                needed = images.cost(data, *limits, Cost(*wanted["ceiling"]))
                told = {"needs_more": str(error), "seconds": needed.seconds}
            except TooCostly as final:
                told = {"unreadable": str(final), "costly": True}
        except UnreadableImage as error:
            told = {"unreadable": str(error), "costly": False}
        return json.dumps(told).encode() + b"\n" + rest

    return answer


def decoder() -> Callable[[bytes], bytes]:
    """Return the function that tells a picture's pixels."""
    return decode_and(lambda picture, _: ({"size": picture.size}, picture.tobytes()))


def read(file: Path) -> bytes:
    """Return a picture's file; raise UnreadableImage when it is none or too large, OSError as open does."""
    try:
        return plain_files.read(file, LARGEST_FILE)
    except UnfitFile as error:
        raise (TooCostly if error.too_large else UnreadableImage)(error.reason) from error


def decode(data: bytes, max_side: int, max_pixels: int) -> Image.Image:
    """Return what images.decode returns, and raise what it raises."""
    told, pixels = _decoder().ask(data, {"max_side": max_side, "max_pixels": max_pixels}, GENEROUS.seconds)
    width, height = told["size"]
    return Image.frombytes("RGB", (width, height), pixels)


def rewritten(data: bytes, max_side: int, max_pixels: int) -> bytes:
    """Return a picture's pixels, as decode gives them, as a plain PNG; raise as decode does."""
    buffer = io.BytesIO()
    decode(data, max_side, max_pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


@cache
def _decoder() -> DecodingProcess:
    asked = DecodingProcess(f"{__name__}:decoder", GENEROUS)
    atexit.register(asked.worker.close)
    return asked
