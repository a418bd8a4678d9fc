"""Requests whose form means harm: what HTTP, a socket and a clock can be bent to."""

from collections.abc import Iterator
from random import Random

from bench import _hostile_pictures, _load
from bench._attack import Attack, Ending
from bench._hostile_requests import JPEG, head

SLOW = 0.4  # seconds after each piece
LARGE = 11 * 2**20  # bytes, above the limit on bodies
HOARD = 40  # connections of one attack
POST = "POST /predict HTTP/1.1"


def every(good: bytes, random: Random) -> Iterator[Attack]:
    """Yield one attack of each kind; good is a picture."""
    yield from _slow(good)
    yield from _headers(good)
    yield from _paths()
    yield from _lengths(good)
    yield from _chunks(good)
    yield from _methods(good)
    yield from _smuggling(good)
    yield from _noise(good, random)
    yield from _numbers(good)
    yield from _hoards(good)


def _slow(good: bytes) -> Iterator[Attack]:
    whole = _load.post("/predict", "image/jpeg", good)
    head = whole.index(b"\r\n\r\n") + 4
    yield Attack(
        "slow: the head letter by letter",
        tuple(whole[at : at + 1] for at in range(4)),
        SLOW,
        Ending.LEAVE,
        answered=False,
    )
    yield Attack(
        "slow: the body byte by byte", (whole[:head], *(b"\xff" for _ in range(4))), SLOW, Ending.LEAVE, answered=False
    )
    yield Attack("slow: a pause before the body", (whole[:head], whole[head:]), SLOW)
    yield Attack("slow: never any body", (whole[:head],), 0, Ending.HALF, answered=False)
    yield Attack(
        "slow: asks to go on, and does not",
        (whole[: head - 2] + b"Expect: 100-continue\r\n\r\n",),
        0,
        Ending.HALF,
        answered=False,
    )
    for name, ending in (("leaves", Ending.LEAVE), ("says it is done", Ending.HALF), ("breaks off", Ending.RESET)):
        yield Attack(f"half: {name} within the head", (whole[: head // 2],), 0, ending, answered=False)
        yield Attack(f"half: {name} within the body", (whole[: len(whole) // 2],), 0, ending, answered=False)
        yield Attack(f"half: {name} when all is sent", (whole,), 0, ending, answered=False)
    yield Attack("half: a connection and nothing more", (), 0, Ending.LEAVE, answered=False)


def _headers(good: bytes) -> Iterator[Attack]:
    length = f"Content-Length: {len(good)}"
    odd = {
        "one of 64 kB": (f"X-Large: {'x' * 2**16}",),
        "one of 4 MB": (f"X-Large: {'x' * 2**22}",),
        "ten thousand": tuple(f"X-{number}: y" for number in range(10_000)),
        "a thousand cookies": tuple(f"Cookie: a{number}=b" for number in range(1000)),
        "a zero byte": ("X-Zero: a\0b",),
        "no colon": ("X-Nothing",),
        "a space before the colon": ("X-Space : y",),
        "folded": ("X-Folded: a\r\n b",),
        "a bare line feed": ("X-Feed: a\nX-Other: b",),
        "no name": (": y",),
        "not ASCII": ("X-\xe9: \xff\xfe",),
        "keys that are none": ("Authorization: Bearer", "X-API-Key: \xff" + "k" * 10_000),
        "another host": ("Host: elsewhere.example",),
        "where it comes from": (
            "X-Forwarded-For: ' OR 1=1 --",
            "X-Forwarded-Host: elsewhere.example",
            'Forwarded: for="_x"',
        ),
        "spans": ("traceparent: 00-zz-zz-zz", f"tracestate: {'a=b,' * 2000}", f"baggage: {'k=v,' * 2000}"),
        "an origin": ("Origin: null", "Referer: javascript:alert(1)"),
    }
    for name, headers in odd.items():
        yield Attack(f"headers: {name}", (head(POST, JPEG, length, *headers, body=good),))


def _paths() -> Iterator[Attack]:
    climbing = (
        "/page/../../service/app.py",
        "/page/%2e%2e/%2e%2e/service/app.py",
        "/page/..%2f..%2fservice%2fapp.py",
        "/page/....//app.py",
    )
    files = (
        "/../../../../etc/passwd",
        "/page//etc/passwd",
        "/page/%00",
        "/page/index.html%00.js",
        "/page/..\\..\\app.py",
        "/page/",
    )
    bent = (
        "//predict",
        "/predict/",
        "/PREDICT",
        "/predict;x=y",
        "/./predict",
        "/%70redict",
        "/predict%20",
        "/predict#x",
        "/%ff%fe",
        "/é",
    )
    whole = (
        "http://elsewhere.example/predict",
        "//elsewhere.example/",
        "*",
        "elsewhere.example:443",
        "?",
        "",
        "predict",
        "/" + "a" * 70_000,
    )
    asked = (
        *climbing,
        *files,
        *bent,
        *whole,
        "/" + "a/" * 20_000,
        "/?" + "a=b&" * 10_000,
        "/metrics/../model",
        "/docs.json?x",
        "/healthz/x",
    )
    for path in asked:
        yield Attack(f"path: {path[:40]}", (head(f"GET {path} HTTP/1.1", "Connection: close"),))


def _lengths(good: bytes) -> Iterator[Attack]:
    for told in (
        "-1",
        "+5",
        "5, 5",
        "0x10",
        "1e3",
        " ",
        "\xb2",
        "9" * 30,
        "18446744073709551616",
        "5\r\nContent-Length: 6",
    ):
        yield Attack(
            f"length: {told[:24]!r}", (head(POST, JPEG, f"Content-Length: {told}", body=good),), answered=False
        )
    yield Attack(
        "length: more than is sent",
        (head(POST, JPEG, f"Content-Length: {len(good) + 9}", body=good),),
        0,
        Ending.HALF,
        answered=False,
    )
    yield Attack("length: less than is sent", (head(POST, JPEG, f"Content-Length: {len(good) - 9}", body=good),))
    yield Attack("length: none at all", (head(POST, JPEG, body=good),), answered=False)
    yield Attack("length: above the limit, told", (head(POST, JPEG, f"Content-Length: {LARGE}"),))
    yield Attack("length: above the limit, sent", (head(POST, JPEG, f"Content-Length: {LARGE}"), *[b"x" * 2**20] * 11))


def _chunks(good: bytes) -> Iterator[Attack]:
    start = head(POST, JPEG, "Transfer-Encoding: chunked")
    piece = b"10000\r\n" + b"x" * 2**16 + b"\r\n"
    yield Attack("chunks: without end", (start, *[piece * 16] * 11))
    yield Attack("chunks: a good picture", (start, b"%x\r\n" % len(good), good, b"\r\n0\r\n\r\n"))
    yield Attack("chunks: byte by byte", (start, *[b"1\r\nx\r\n" * 500] * 20, b"0\r\n\r\n"))
    yield Attack("chunks: never closed", (start, piece), 0, Ending.HALF, answered=False)
    for size in (b"zz", b"-1", b"ffffffffffffffffff", b"1 ", b"0x10", b"", b"5;" + b"a" * 2**17, b"1\n"):
        yield Attack(f"chunks: of size {size[:12]!r}", (start, size + b"\r\nxxxxx\r\n0\r\n\r\n"), answered=False)
    yield Attack(
        "chunks: trailers without end", (start, b"0\r\n" + b"X-Trailer: y\r\n" * 10_000 + b"\r\n"), answered=False
    )


def _methods(good: bytes) -> Iterator[Attack]:
    for method in (
        "GET",
        "PUT",
        "DELETE",
        "PATCH",
        "OPTIONS",
        "TRACE",
        "CONNECT",
        "PRI",
        "post",
        "PROPFIND",
        "POST" * 300,
        "",
        "P\0ST",
        "\xff",
    ):
        for path in ("/predict", "/model"):
            request = head(
                f"{method} {path} HTTP/1.1", JPEG, f"Content-Length: {len(good)}", "Connection: close", body=good
            )
            yield Attack(f"method: {method[:12]!r} of {path}", (request,), answered=False)
    yield Attack("method: HEAD", (head("HEAD / HTTP/1.1", "Connection: close"),), answered=False)
    for version in ("HTTP/0.9", "HTTP/1.0", "HTTP/2.0", "HTTP/9.9", "HTTPS/1.1", "", "HTTP/1.1 HTTP/1.1"):
        yield Attack(f"version: {version!r}", (head(f"GET /model {version}", "Connection: close"),), answered=False)
    upgrade = (
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    yield Attack("upgrade: a web socket", (head("GET /predict HTTP/1.1", *upgrade),), answered=False)
    yield Attack(
        "upgrade: HTTP/2",
        (head("GET /model HTTP/1.1", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AA"),),
        answered=False,
    )


def _smuggling(good: bytes) -> Iterator[Attack]:
    hidden = head("DELETE /hidden HTTP/1.1")
    both = {
        "length and chunks": ("Content-Length: 4", "Transfer-Encoding: chunked"),
        "chunks and length": ("Transfer-Encoding: chunked", "Content-Length: 4"),
        "chunks spelled otherwise": ("Content-Length: 4", "Transfer-Encoding: xchunked"),
        "chunks with a space": ("Content-Length: 4", "Transfer-Encoding : chunked"),
        "chunks with a tab": ("Content-Length: 4", "Transfer-Encoding:\tchunked"),
        "chunks twice": ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        "chunks after another": ("Transfer-Encoding: gzip, chunked",),
        "chunks before another": ("Transfer-Encoding: chunked, identity",),
        "two lengths": ("Content-Length: 4", f"Content-Length: {len(hidden)}"),
        "a folded length": (f"Content-Length:\r\n {len(hidden)}",),
        "a length of a GET": (f"Content-Length: {len(hidden)}",),
    }
    for name, headers in both.items():
        yield Attack(f"smuggled: {name}", (head(POST, JPEG, *headers, body=b"0\r\n\r\n" + hidden),), answered=False)
    yield Attack(
        "smuggled: line feeds alone",
        (head(POST, JPEG, "Content-Length: 0", body=hidden).replace(b"\r\n", b"\n"),),
        answered=False,
    )
    yield Attack("many in one: fifty", (_load.post("/predict", "image/jpeg", good[:50]) * 50,))


def _numbers(good: bytes) -> Iterator[Attack]:
    whole = f"Content-Length: {len(good)}"
    for number in (
        "9" * 5000,
        "0" * 5000 + "5",
        "-" + "9" * 5000,
        "1" + "_0" * 2500,
        "\xb2",
        "\xb2" * 5000,
        "1e999",
        "nan",
    ):
        told = f"{number[:6]!r} of {len(number)}"
        for path in ("/predict", "/model", "/readyz", "/page/page.js"):
            start = f"{'POST' if path == '/predict' else 'GET'} {path} HTTP/1.1"
            request = head(start, JPEG, f"Content-Length: {number}", body=good)
            yield Attack(f"number: a length of {told} to {path}", (request,))
        yield Attack(
            f"number: a chunk of {told}",
            (head(POST, JPEG, "Transfer-Encoding: chunked") + number.encode("latin-1") + b"\r\n",),
            answered=False,
        )
        for asked in (f"bytes={number}-", f"bytes=-{number}", f"bytes=0-{number}", f"bytes=0-0,{number}-"):
            ranged = head("GET /page/example.jpg HTTP/1.1", f"Range: {asked}", "Connection: close")
            yield Attack(f"number: a range of {told}, {asked[:9]}", (ranged,))
        forwarded = f"X-Forwarded-For: 127.0.0.1:{number}"
        yield Attack(
            f"number: a port of {told}",
            (head("GET /readyz HTTP/1.1", forwarded, f"Host: x:{number}", "Connection: close"),),
        )
        yield Attack(
            f"number: a quality of {told}", (head(POST, JPEG, whole, f"Accept: image/*;q={number}", body=good),)
        )
        yield Attack(
            f"number: a flag of {told}", (head(f"POST /predict?explain={number} HTTP/1.1", JPEG, whole, body=good),)
        )
        since = head(
            "GET /page/page.js HTTP/1.1",
            f"If-Modified-Since: Mon, {number} Jan {number} 00:00:00 GMT",
            "Connection: close",
        )
        yield Attack(f"number: a date of {told}", (since,))
    yield Attack("number: ranges without end", (head("GET /page/page.js HTTP/1.1", f"Range: bytes={'0-0,' * 5000}"),))
    for host in ("[", "[::1", "a:b:c", "@", "x y"):
        yield Attack(
            f"number: the host {host!r}",
            (head("GET /nothing HTTP/1.1", f"Host: {host}", "Connection: close"),),
            answered=False,
        )


def _hoards(good: bytes) -> Iterator[Attack]:
    """Connections that are held while others come; the service's own waits are longer than the attacks."""
    whole = _load.post("/predict", "image/jpeg", good)
    begun = {
        "nothing": b"",
        "half a head": whole[:30],
        "half a body": whole[: len(whole) // 2],
        "an answer": whole,
        "a web socket": head("GET /model HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket"),
    }
    for name, sent in begun.items():
        yield Attack(f"hoard: {name}", (sent,), SLOW, Ending.LEAVE, answered=False, connections=HOARD)
    yield Attack(
        "hoard: answers that nobody takes",
        (head("GET /page/example.jpg HTTP/1.1") * 50,),
        SLOW,
        Ending.LEAVE,
        answered=False,
        connections=HOARD,
    )
    yield Attack("hoard: requests without end", (head("GET /model HTTP/1.1") * 5000,), answered=False)


def _noise(good: bytes, random: Random) -> Iterator[Attack]:
    yield Attack("noise: bytes", (random.randbytes(2000),), answered=False)
    yield Attack(
        "noise: a greeting of TLS", (bytes.fromhex("16030100c8010000c40303") + random.randbytes(190),), answered=False
    )
    yield Attack("noise: HTTP/2", (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + random.randbytes(100),), answered=False)
    yield Attack("noise: empty lines", (b"\r\n" * 5000,), 0, Ending.HALF, answered=False)
    for number in range(10):
        data = _hostile_pictures.damaged(good, random)
        yield Attack(f"noise: a picture damaged, {number}", (_load.post("/predict", "image/jpeg", data),))
    request = bytearray(_load.post("/predict", "image/jpeg", good[:200]))
    request[random.randrange(60)] = random.randrange(256)
    yield Attack("noise: a request damaged", (bytes(request),), 0, Ending.HALF, answered=False)
