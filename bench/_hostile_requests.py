"""Requests whose content means harm: pictures, forms, types and pickles, in HTTP that is as it should be."""

import pickle
from collections.abc import Iterator
from pathlib import Path

from bench import _hostile_pictures, _load
from bench._attack import Attack

JPEG = "Content-Type: image/jpeg"


def every(good: bytes, canary: Path) -> Iterator[Attack]:
    """Yield one attack of each kind; good is a picture, canary a file that a pickle makes if anybody loads it."""
    yield from _pictures()
    yield from _forms(good)
    yield from _types(good)
    yield from _pickles(canary)


def head(start: str, *headers: str, body: bytes = b"") -> bytes:
    """Return a request as it is written, with no header but those that are given and the host."""
    return "\r\n".join([start, f"Host: {_load.HOST}", *headers, "", ""]).encode("latin-1", "replace") + body


def _pictures() -> Iterator[Attack]:
    for name, data in _hostile_pictures.strange().items():
        yield Attack(name, (_load.post("/predict", "image/jpeg", data),))
        yield Attack(f"{name}, in a form", (_load.post("/predict", *_load.form("image", "image/png", data)),))
    for name, data in _hostile_pictures.giants().items():
        yield Attack(name, (_load.post("/predict", "image/png", data),), rare=True)


def _forms(good: bytes) -> Iterator[Attack]:
    kind, body = _load.form("image", "image/jpeg", good)
    edge = kind.partition("=")[2]
    part = f'--{edge}\r\nContent-Disposition: form-data; name="image"; filename="'.encode()
    bodies = {
        "no boundary named": ("multipart/form-data", body),
        "another boundary": ("multipart/form-data; boundary=other", body),
        "an empty boundary": ("multipart/form-data; boundary=", body),
        "a boundary of 10,000 signs": (f"multipart/form-data; boundary={'b' * 10_000}", body),
        "a boundary of odd signs": ('multipart/form-data; boundary="\x00\r\n"', body),
        "never closed": (kind, body[: -len(edge) - 6]),
        "cut in its head": (kind, body[:40]),
        "nothing in it": (kind, b""),
        "only the end": (kind, f"--{edge}--\r\n".encode()),
        "no name": (kind, body.replace(b'name="image"; ', b"")),
        "another field": _load.form("picture", "image/jpeg", good),
        "a field that is no file": (kind, body.replace(b'; filename="picture.jpg"', b"")),
        "two pictures": (kind, body[: -len(edge) - 8] + b"\r\n" + body),
        "a thousand fields": (
            kind,
            b"".join(part + b'%d"\r\n\r\nx\r\n' % n for n in range(1000)) + f"--{edge}--".encode(),
        ),
        "a name of a megabyte": (kind, part + b"x" * 2**20 + b'"\r\n\r\nx\r\n' + f"--{edge}--\r\n".encode()),
        "a name that climbs": (kind, body.replace(b"picture.jpg", b"../../../../etc/cron.d/x")),
        "a name with zero bytes": (kind, body.replace(b"picture.jpg", b"a\0b\xff\xfe")),
        "head lines without end": (kind, part + b'x"\r\n' + b"X-More: y\r\n" * 20_000),
        "a form in a form": (kind, body.replace(b"image/jpeg", f"multipart/mixed; boundary={edge}".encode())),
        "base64 by its own word": (
            kind,
            body.replace(b"image/jpeg", b"image/jpeg\r\nContent-Transfer-Encoding: base64"),
        ),
    }
    for name, (told, data) in bodies.items():
        yield Attack(f"form: {name}", (_load.post("/predict", told, data),))
        yield Attack(f"forms: {name}", (_load.post("/predict_batch", told, data),))
    many = b"".join(part + b'%d.jpg"\r\n\r\n\r\n' % n for n in range(200)).replace(b'"image"', b'"images"')
    yield Attack("forms: 200 empty pictures", (_load.post("/predict_batch", kind, many + f"--{edge}--\r\n".encode()),))


def _types(good: bytes) -> Iterator[Attack]:
    kinds = (
        "application/octet-stream",
        "application/json",
        "text/html",
        "image/gif",
        "image/svg+xml",
        "image/*",
        "*/*",
        "",
        "\xff",
    )
    for kind in (
        *kinds,
        "image/jpeg" * 1000,
        "image/jpeg; charset=\x00",
        "multipart/mixed; boundary=x",
        "application/x-www-form-urlencoded",
    ):
        yield Attack(f"type: {kind[:40]!r}", (_load.post("/predict", kind, good),))
    yield Attack("type: none", (head("POST /predict HTTP/1.1", f"Content-Length: {len(good)}", body=good),))
    yield Attack(
        "type: two of them",
        (head("POST /predict HTTP/1.1", JPEG, "Content-Type: text/html", f"Content-Length: {len(good)}", body=good),),
    )
    yield Attack(
        "type: packed",
        (head("POST /predict HTTP/1.1", JPEG, "Content-Encoding: gzip", f"Content-Length: {len(good)}", body=good),),
    )
    for flag in ("maybe", "", "true&" * 3000, "%00", "1"):
        yield Attack(f"query: explain={flag[:12]}", (_load.post(f"/predict?explain={flag}", "image/jpeg", good[:100]),))


class _Canary:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.file), "w")


def _pickles(canary: Path) -> Iterator[Attack]:
    loaded, kind = pickle.dumps(_Canary(canary)), "application/vnd.bentoml+pickle"
    told = (
        "Payload-Container: PickleBytesContainer",
        'Payload-Meta: {"format": "default", "pickle_bytes_str": "gASVAQ=="}',
        "Batch-Size: 1",
    )
    for path in ("/predict", "/predict_batch", "/", "/infer", "/is_ready", "/__call__", "/schema.json"):
        yield Attack(f"pickle: to {path}", (_load.post(path, kind, loaded),))
        yield Attack(f"pickle: to {path}, as BentoML's own", (_load.post(path, kind, loaded, *told),))
        yield Attack(
            f"pickle: to {path}, as a runner's",
            (_load.post(path, "application/octet-stream", loaded, *told, "args-number: 1"),),
        )
    yield Attack("pickle: called a JPEG", (_load.post("/predict", "image/jpeg", loaded),))
    yield Attack("pickle: in a form", (_load.post("/predict", *_load.form("image", kind, loaded)),))
