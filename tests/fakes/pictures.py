"""The pictures of the fake web: what a server answers for each work, good and odd."""

import io
from functools import cache

import numpy as np
from PIL import Image

from irisline.eyes.rendering.defects import HTML, SPOILERS, Answer, Plan, Slot, good
from tests.fakes.catalogue import LABELS, Work, work_of
from tests.fakes.reply import Reply
from tests.planted import saved


def picture(path: str, count: int) -> Reply:
    """Return the answer to a request for a picture; count says how often it was asked for, this time included."""
    if path.startswith("/moved/"):
        path, count = path.removeprefix("/moved"), -1
    if path.startswith("/pictures/thumb/"):
        path = "/pictures/" + path.removeprefix("/pictures/thumb/").replace("960px-", "")
    if (work := work_of(path)) is None:
        return Reply(404, b"not here\n", kind="text/plain")
    return _ANSWERS[work.odd](work, count) if work.odd in _ANSWERS else _image(content(work))


def content(work: Work) -> bytes:
    """Return the bytes of a work's picture, whatever way they are served."""
    plain = drawn(work.drawn_as)
    return _SHAPES[work.odd](plain) if work.odd in _SHAPES else plain


@cache
def drawn(key: str) -> bytes:
    """Return the eye of a key: a JPEG of some 300 pixels and 9 kB."""
    label = next(name for name in LABELS if f"/{name}-" in key)
    return good(Slot(0, label, "", f"fake web/{key}"))


@cache
def bomb() -> bytes:
    """Return a small PNG of 900 million pixels."""
    return SPOILERS["bomb"](Slot(0, "blue", "", ""), Plan(Answer("", "bomb", "")))


def _image(data: bytes, kind: str = "image/jpeg", **headers: str) -> Reply:
    return Reply(200, data, kind, headers)


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def _near(data: bytes) -> bytes:
    """The same picture a little smaller and brighter, as a second site would have it."""
    image = _opened(data)
    smaller = image.resize((image.width * 9 // 10, image.height * 9 // 10), Image.Resampling.BICUBIC)
    brighter = np.clip(np.asarray(smaller, np.float32) * 1.03, 0, 255).astype(np.uint8)
    return saved(Image.fromarray(brighter), quality=70)


def _rotated(data: bytes) -> bytes:
    """Lying on its side, with the camera's note on which way is up."""
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: turn right (EXIF 2.32, 4.6.4)
    return saved(_opened(data).transpose(Image.Transpose.ROTATE_90), exif=exif, quality=92)


def _animated(data: bytes) -> bytes:
    image = _opened(data)
    return saved(image, "WEBP", save_all=True, append_images=[image.rotate(5)], duration=100)


_SHAPES = {
    "near": _near,
    "webp": lambda data: saved(_opened(data), "WEBP", quality=90),
    "png": lambda data: saved(_opened(data), "PNG"),
    "cmyk": lambda data: saved(_opened(data).convert("CMYK"), quality=92),
    "rotated": _rotated,
    "animated": _animated,
}

_ANSWERS = {
    "dead": lambda work, count: Reply(404, HTML, "text/html"),
    "gone": lambda work, count: Reply(410, HTML, "text/html"),
    "denied": lambda work, count: Reply(403, b"no hotlinking\n", "text/plain"),
    "slow": lambda work, count: Reply(200, content(work), "image/jpeg", drip=0.1),
    "page": lambda work, count: _image(HTML),
    "huge": lambda work, count: Reply(200, content(work), "image/jpeg", endless=True),
    "private": lambda work, count: Reply(302, headers={"Location": "http://10.0.0.1/eye.jpg"}),
    "metadata": lambda work, count: Reply(302, headers={"Location": "http://169.254.169.254/latest/meta-data/"}),
    "scheme": lambda work, count: Reply(302, headers={"Location": "file:///etc/passwd"}),
    "noai": lambda work, count: _image(content(work), **{"X-Robots-Tag": "noai, noimageai"}),
    "truncated": lambda work, count: _image(content(work)[: len(content(work)) // 2]),
    "unwell": lambda work, count: Reply(503, b"try later\n", "text/plain", {"Retry-After": "0"}),
    "moved": lambda work, count: (
        _image(content(work)) if count < 0 else Reply(301, headers={"Location": f"/moved{work.path}"})
    ),
    "busy": lambda work, count: (
        Reply(429, b"slow down\n", "text/plain", {"Retry-After": "0"}) if count % 2 else _image(content(work))
    ),
    "webp": lambda work, count: _image(content(work), "image/webp"),
    "png": lambda work, count: _image(content(work), "image/png"),
    "bomb": lambda work, count: _image(bomb(), "image/png"),
    "animated": lambda work, count: _image(content(work), "image/webp"),
}
