"""What a network sees of a picture that is not trusted: decoded and cropped in a process that ends when it takes too much.

The same views as crops.of gives here. Knows nothing of networks.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Protocol

import numpy as np
from PIL import Image

from irisline.core.params import Preprocess
from irisline.dataset import crops, untrusted_images
from irisline.dataset.crops import Place, View
from irisline.dataset.decoding import Cost
from irisline.dataset.untrusted_images import DecodingProcess, Spend
from irisline.domains import regions


class Limits(Protocol):
    """What a classifier says of the pictures it looks at."""

    preprocess: Preprocess
    max_side: int
    max_pixels: int


class Cropper:
    """Decodes and crops pictures in a process of its own, one at a time."""

    def __init__(self, allowed: Cost, nice: int = 0, ceiling: Cost | None = None) -> None:
        self._asked = DecodingProcess(f"{__name__}:cropper", allowed, nice, ceiling)

    def crop(self, data: bytes, classifier: Limits, seconds: float, spend: Spend) -> list[View]:
        """Return the views of a picture as a classifier sees it; seconds, spend and errors are those of DecodingProcess.ask."""
        preprocess = classifier.preprocess
        limits = {"max_side": classifier.max_side, "max_pixels": classifier.max_pixels}
        wanted = {**limits, "preprocess": preprocess.model_dump()}
        told, pixels = self._asked.ask(data, wanted, seconds, spend)
        squares = np.frombuffer(pixels, np.uint8).reshape(-1, 3, preprocess.size, preprocess.size)
        return [
            View(square, int(one["subject"]), Place(**one["place"]) if one["place"] else None)
            for square, one in zip(squares, told["views"], strict=True)
        ]

    def start(self) -> None:
        """Have the process ready before the first picture."""
        self._asked.worker.start()

    def close(self) -> None:
        """End the process."""
        self._asked.worker.close()


def cropper() -> Callable[[bytes], bytes]:
    """Return the function that tells a picture's views; what domains load to find their regions is loaded now."""
    for crop in regions.OF:
        crops.of(Image.new("RGB", (64, 64)), Preprocess(crop=crop, size=32, fit="squash"))
    return untrusted_images.decode_and(_tell)


def _tell(picture: Image.Image, wanted: dict[str, Any]) -> untrusted_images.Reply:
    seen = crops.of(picture, Preprocess.model_validate(wanted["preprocess"]))
    told = [{"subject": view.subject, "place": asdict(view.place) if view.place else None} for view in seen]
    return {"views": told}, b"".join(view.pixels.tobytes() for view in seen)
