"""Pictures of strangers, decoded in a process that ends when one takes more than it may.

What comes back from there is checked for its shape and cannot do harm. For pictures that were decoded and stored before,
images.decode does the same without a process.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from PIL import Image

from irisline.data import images
from irisline.data.decoding import Cost
from irisline.data.images import GENEROUS
from irisline.errors import TooCostly, UnreadableImage
from irisline.isolation import Ended, Worker

_BESIDE = 64 * 2**20  # bytes that a process may take beside what decoding takes

Wanted = Mapping[str, Any]
Spend = Callable[[float], object]
Told = tuple[dict[str, Any], bytes]


class Asked:
    """A process that is asked of pictures: each with what is wanted of it, as JSON, and told as JSON and bytes."""

    def __init__(self, function: str, allowed: Cost, nice: int = 0) -> None:
        self._allowed = allowed
        self.worker = Worker(function, allowed.bytes + _BESIDE, nice)

    def ask(self, data: bytes, wanted: Wanted, seconds: float, spend: Spend = lambda _: None) -> Told:
        """Return what is told of a picture; spend is called with the seconds of processor that took, at most so many.

        Raise UnreadableImage when it cannot be decoded, TooCostly when that would take more than is allowed or had to be ended.
        """
        head = json.dumps({**wanted, "seconds": self._allowed.seconds, "bytes": self._allowed.bytes}).encode()
        try:
            answer, took = self.worker.call(head + b"\n" + data, seconds)
        except Ended as error:
            spend(seconds)
            most = f"{seconds:.2g} seconds or {self._allowed.bytes // 2**20} MB"
            raise TooCostly(f"takes more than {most} to decode") from error
        spend(took)
        line, _, rest = answer.partition(b"\n")
        told: dict[str, Any] = json.loads(line)
        if "unreadable" in told:
            raise (TooCostly if told["costly"] else UnreadableImage)(str(told["unreadable"])[:200])
        return told, rest


def answering(tell: Callable[[Image.Image, dict[str, Any]], Told]) -> Callable[[bytes], bytes]:
    """Return the function that a process runs: it decodes a picture and lets tell say what is wanted of it."""

    def answer(request: bytes) -> bytes:
        line, _, data = request.partition(b"\n")
        wanted = json.loads(line)
        try:
            allowed = Cost(wanted["seconds"], wanted["bytes"])
            told, rest = tell(images.decode(data, wanted["max_side"], wanted["max_pixels"], allowed), wanted)
        except UnreadableImage as error:
            told, rest = {"unreadable": str(error), "costly": isinstance(error, TooCostly)}, b""
        return json.dumps(told).encode() + b"\n" + rest

    return answer


def decoding() -> Callable[[bytes], bytes]:
    """Return the function that tells a picture's pixels."""
    return answering(lambda picture, _: ({"size": picture.size}, picture.tobytes()))


def decode(data: bytes, max_side: int, max_pixels: int) -> Image.Image:
    """Return what images.decode returns, and raise what it raises."""
    told, pixels = _decoder().ask(data, {"max_side": max_side, "max_pixels": max_pixels}, GENEROUS.seconds)
    width, height = told["size"]
    return Image.frombytes("RGB", (width, height), pixels)


@cache
def _decoder() -> Asked:
    return Asked(f"{__name__}:decoding", GENEROUS)
