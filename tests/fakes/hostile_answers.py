"""Answers that mean harm, and good ones of odd form, each with the status that a download must end with."""

import gzip
import zlib
from functools import cache

from bench import _hostile_pictures
from irisline.collection.downloads import download as of
from tests.fakes.hostile import Answer, after, at_first, forever, head, raw, reset, whole
from tests.fakes.hostile_pictures import GOOD, JPEG, OTHERS

MAX_BYTES = 2_000_000
TIMEOUT = 2.0
AGENT = "Irisline/0 (tests@example.org)"

Kinds = dict[str, tuple[str, Answer]]

PRIVATE = (
    "http://10.0.0.1/", "http://192.168.1.1/", "http://172.16.0.1/", "http://127.0.0.1/", "http://127.0.0.1:22/",
    "http://169.254.169.254/latest/meta-data/", "http://100.100.100.200/", "http://168.63.129.16/", "http://192.0.0.192/",
    "http://[::1]/", "http://[fe80::1]/", "http://[fd00:ec2::254]/", "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[::127.0.0.1]/", "http://[ff02::1]/", "http://[::]/",
    "http://localhost/", "http://0/", "http://0.0.0.0/", "http://2130706433/", "http://0x7f000001/",
    "http://0177.0.0.1/", "http://127.1/", "http://127.0.0.1./", "http://１２７.0.0.1/", "http://255.255.255.255/",
    "http://224.0.0.1/", "https://127.0.0.1/", "http://8.8.8.8:22/", "http://someone:secret@8.8.8.8/",
    "//10.0.0.1/picture.jpg", "file:///etc/passwd", "data:image/png;base64,iVBORw0KGgo=", "ftp://8.8.8.8/a.jpg",
    "gopher://127.0.0.1:6379/_FLUSHALL", "javascript:alert(1)", "http://a\tb/", "jar:http://a/",
)  # fmt: skip


def every(canary: int) -> Kinds:
    """Return every kind of answer by its name; at the canary's port nothing may ever knock."""
    kinds = _good() | _refusals() | _redirects(canary) | _lengths() | _wire() | _packed() | _slow() | _no_pictures()
    return kinds | _opt_outs() | _broken_pictures()


def _good() -> Kinds:
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (GOOD[:100], GOOD[100:])) + b"0\r\n\r\n"
    return {
        "good": (of.FETCHED, whole(GOOD, Content_Type="image/jpeg")),
        **{f"good-{kind}": (of.FETCHED, whole(data, Content_Type="text/html")) for kind, data in OTHERS.items()},
        "good-until-the-end": (of.FETCHED, raw(head(Connection="close") + GOOD)),
        "good-in-chunks": (of.FETCHED, raw(head(Transfer_Encoding="chunked") + chunks)),
        "good-after-a-hint": (
            of.FETCHED,
            raw(b"HTTP/1.1 103 Early Hints\r\n\r\n" + head(Content_Length=len(GOOD)), GOOD),
        ),
        "good-in-pieces": (of.FETCHED, raw(head(Content_Length=len(GOOD)), GOOD[:5], GOOD[5:], pause=0.02)),
        "good-over-http-1.0": (of.FETCHED, raw(b"HTTP/1.0 200 OK\r\n\r\n" + GOOD)),
        "good-gzip": (of.FETCHED, whole(gzip.compress(GOOD), Content_Encoding="gzip")),
        "good-deflate": (of.FETCHED, whole(zlib.compress(GOOD), Content_Encoding="deflate")),
        "good-and-a-cookie": (of.FETCHED, whole(GOOD, Set_Cookie="who=you; Path=/")),
    }


def _refusals() -> Kinds:
    said = {
        of.DEAD: (404, 410),
        of.DENIED: (400, 401, 402, 403, 405, 407, 418, 451, 499),
        of.UNWELL: (500, 501, 503, 504, 599),
        of.NOT_A_PICTURE: (201, 202, 204, 206, 300, 304, 302),  # a redirect to nowhere among them
    }
    busy = whole(b"", "503 Service Unavailable")
    return {
        **{f"says-{code}": (status, whole(b"", f"{code} -")) for status, codes in said.items() for code in codes},
        "well-again": (of.FETCHED, at_first(busy, whole(GOOD), times=2)),
    }


def _redirects(canary: int) -> Kinds:
    places = (*PRIVATE, f"http://127.0.0.1:{canary}/", f"http://localhost:{canary}/", f"http://2130706433:{canary}/")
    moved = "302 Found"
    return {
        **{f"into-{n}": (of.NOT_PUBLIC, whole(b"", moved, Location=_bytes(to))) for n, to in enumerate(places)},
        "to-itself": (of.TOO_MANY_REDIRECTS, whole(b"", moved, Location="?")),
        "moved": (of.FETCHED, whole(b"", "301 Moved Permanently", Location="/good/0")),
        "moved-off-with-a-body": (of.FETCHED, whole(b"x" * 5000, "308 Permanent Redirect", Location="../good/0#part")),
        "moved-far": (of.TOO_MANY_REDIRECTS, whole(b"", "307 Temporary Redirect", Location="/moved-far/again")),
    }


def _bytes(text: str) -> str:
    return text.encode().decode("latin-1")


def _lengths() -> Kinds:
    start = b"\xff\xd8\xff\xe0"
    return {
        "longer-than-it-says": (of.DAMAGED, raw(head(Content_Length=len(GOOD) // 2) + GOOD)),
        "shorter-than-it-says": (of.DAMAGED, raw(head(Content_Length=len(GOOD) + 9) + GOOD)),
        "says-too-much": (of.TOO_LARGE, forever(head(Content_Length=MAX_BYTES + 1) + start, b"", pause=1)),
        "says-far-too-much": (of.TOO_LARGE, raw(head(Content_Length="9" * 19) + start)),
        "says-two-lengths": (of.DAMAGED, raw(head(Content_Length="5, 6") + GOOD)),
        "says-no-number": (of.DAMAGED, raw(head(Content_Length="many") + GOOD)),
        "never-ends": (of.TOO_LARGE, forever(head() + start, b"\0" * 65536)),
        "never-ends-in-chunks": (
            of.TOO_LARGE,
            forever(
                head(Transfer_Encoding="chunked") + b"4\r\n" + start + b"\r\n", b"10000\r\n" + b"\0" * 65536 + b"\r\n"
            ),
        ),
    }


def _wire() -> Kinds:
    return {
        "no-http": (of.DAMAGED, raw(b"SSH-2.0-OpenSSH_9.6\r\n")),
        "nothing": (of.UNREACHABLE, raw()),
        "reset-at-once": (of.UNREACHABLE, reset(b"")),
        "reset-in-the-head": (of.UNREACHABLE, reset(b"HTTP/1.1 200 OK\r\nContent-")),
        "reset-in-the-body": (of.DAMAGED, reset(head(Content_Length=len(GOOD)) + GOOD[:500])),
        "huge-header": (of.DAMAGED, raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2**20 + b"\r\n\r\n")),
        "endless-headers": (of.DAMAGED, forever(b"HTTP/1.1 200 OK\r\n", b"X-Y: z\r\n" * 1000)),
        "header-of-zeros": (of.DAMAGED, raw(b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n")),
        "chunks-of-nonsense": (of.DAMAGED, raw(head(Transfer_Encoding="chunked") + b"zz\r\n" + GOOD)),
        "chunks-cut-short": (of.DAMAGED, raw(head(Transfer_Encoding="chunked") + b"fff\r\n" + GOOD[:99])),
        "other-protocol": (of.NOT_A_PICTURE, raw(head("101 Switching Protocols", Upgrade="x", Connection="upgrade"))),
    }


@cache
def _packed_bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(GOOD + b"\0" * 200_000_000) + packer.flush()


def _packed() -> Kinds:
    packed, empty = gzip.compress(GOOD), zlib.compressobj(0)
    nothing = empty.compress(b"") + b"".join(empty.flush(zlib.Z_FULL_FLUSH) for _ in range(1000))
    gzipped, deflated = head(Content_Encoding="gzip"), head(Content_Encoding="deflate")
    return {
        "gzip-and-more-without-end": (of.DAMAGED, forever(gzipped + packed, bytes(2**16), pause=0.01)),
        "deflate-of-nothing-without-end": (of.TOO_LARGE, forever(deflated + nothing, nothing[2:] * 200, pause=0)),
        "gzip-bomb": (of.TOO_LARGE, whole(_packed_bomb(), Content_Encoding="gzip")),
        "gzip-cut-short": (of.DAMAGED, whole(packed[: len(packed) // 2], Content_Encoding="gzip")),
        "gzip-that-is-none": (of.DAMAGED, whole(GOOD, Content_Encoding="gzip")),
        "gzip-twice": (of.NOT_A_PICTURE, whole(gzip.compress(packed), Content_Encoding="gzip, gzip")),
        "brotli": (of.NOT_A_PICTURE, whole(GOOD, Content_Encoding="br")),
    }


def _slow() -> Kinds:
    return {
        "drips": (of.TIMEOUT, forever(head(Content_Length=len(GOOD)) + GOOD[:100], b"\0", pause=0.05)),
        "drips-headers": (of.TIMEOUT, forever(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", pause=0.05)),
        "hints-forever": (of.TIMEOUT, forever(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", pause=0.05)),
        "says-nothing": (of.TIMEOUT, after(60, whole(GOOD))),
        "stops-in-the-body": (of.TIMEOUT, forever(head(Content_Length=len(GOOD)) + GOOD[:100], b"", pause=1)),
    }


def _no_pictures() -> Kinds:
    page = b"<!DOCTYPE html><html><body>404, but kindly</body></html>"
    strange = {name.split(": ")[1]: data for name, data in _hostile_pictures.strange().items() if "wrong kind" in name}
    return {
        "html-as-jpeg": (of.NOT_A_PICTURE, whole(page, Content_Type="image/jpeg")),
        "html-forever": (of.NOT_A_PICTURE, forever(head(Content_Type="image/jpeg") + page, page)),
        "empty": (of.NOT_A_PICTURE, whole(b"", Content_Type="image/jpeg")),
        "three-bytes": (of.NOT_A_PICTURE, whole(b"\x89PN")),
        **{f"a-{name}": (of.NOT_A_PICTURE, whole(data, Content_Type="image/png")) for name, data in strange.items()},
    }


def _opt_outs() -> Kinds:
    out = ("noai", "NoImageAI", "noindex, noai", "irisline: noai", "otherbot: noindex, irisline: noimageai", "*: noai",
           "unavailable_after: 25 Jun 2030 15:00:00 PST, noai")  # fmt: skip
    still_in = ("all", "noindex", "otherbot: noai", "otherbot: noindex, noai", "max-snippet: 5", "noaim")
    twice = raw(b"HTTP/1.1 200 OK\r\nX-Robots-Tag: all\r\nx-robots-tag: noai\r\n\r\n" + GOOD)
    moved = whole(b"", "302 Found", Location="/good/0", X_Robots_Tag="noai")
    return {
        **{f"opts-out-{n}": (of.OPTED_OUT, whole(GOOD, X_Robots_Tag=value)) for n, value in enumerate(out)},
        **{f"stays-in-{n}": (of.FETCHED, whole(GOOD, X_Robots_Tag=value)) for n, value in enumerate(still_in)},
        "opts-out-twice": (of.OPTED_OUT, twice),
        "opts-out-on-the-way": (of.OPTED_OUT, moved),
    }


def _broken_pictures() -> Kinds:
    strange, giants = _hostile_pictures.strange(), _hostile_pictures.giants()
    bombs = [
        data for name, data in strange.items() if name.startswith("bomb") and ("pixels" in name or "limit" in name)
    ]
    return {
        **{f"pixel-bomb-{n}": (of.TOO_MANY_PIXELS, whole(data)) for n, data in enumerate(bombs)},
        "scan-bomb": (of.DAMAGED, whole(giants["bomb: a JPEG of 400 empty scans"])),
        "cut-in-half": (of.DAMAGED, whole(GOOD[: len(GOOD) // 2])),
        "cut-in-the-head": (of.DAMAGED, whole(GOOD[:30])),
        "png-cut-in-half": (of.DAMAGED, whole(OTHERS["png"][: len(OTHERS["png"]) // 2])),
        "webp-cut-in-half": (of.DAMAGED, whole(OTHERS["webp"][: len(OTHERS["webp"]) // 2])),
        "jpeg-of-nothing": (of.DAMAGED, whole(JPEG + b"\0" * 100)),
        "no-pixel": (of.DAMAGED, whole(strange["no pixel"])),
        "no-height": (of.DAMAGED, whole(strange["no height"])),
        "a-chunk-of-4-gb": (of.DAMAGED, whole(strange["a PNG chunk of 4 GB"])),
    }
