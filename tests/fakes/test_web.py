"""The fake web is what it says: odd pictures are odd in their way, a key gives the same bytes anywhere, all is recorded."""

import io
import os
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import imagehash
import pytest
from PIL import Image, ImageOps

from irisline.core.errors import UnreadableImage
from irisline.dataset import images
from tests.fakes import catalogue, pictures
from tests.fakes.catalogue import LABELS, Work
from tests.fakes.web import Web, running_web, web
from tests.imports import ROOT

__all__ = ["running_web", "web"]

SHOWN = {"webp": "WEBP", "png": "PNG", "animated": "WEBP"}
NEAR = 4  # bits, as split.near_duplicate_distance


def odd(kind: str, label: str = "blue") -> Work:
    return Work("openverse", label, catalogue.ODD.index(kind) * 3 + 2)


def get(web: Web, work: Work, **options: bool) -> httpx.Response:
    return httpx.get(f"{web.url}{work.path}", **options)  # type: ignore[arg-type]


def phash(data: bytes) -> imagehash.ImageHash:
    return imagehash.phash(images.decode(data, 640, 10_000_000))


def test_every_class_has_every_oddity() -> None:
    works = [Work("commons", "brown", number) for number in range(100)]
    assert {work.odd for work in works} == {*catalogue.ODD, ""}


@pytest.mark.parametrize(
    "kind", ["", "copy", "near", "both", "webp", "png", "cmyk", "rotated", "animated", "noncommercial"]
)
def test_what_is_well_decodes(kind: str, web: Web) -> None:
    work = odd(kind) if kind else Work("openverse", "blue", 0)
    answer = get(web, work)
    assert answer.status_code == 200
    assert images.header(answer.content)[2] == SHOWN.get(kind, "JPEG")
    assert min(images.decode(answer.content, 640, 10_000_000).size) >= 48


def test_odd_shapes_are_what_they_say() -> None:
    opened = {kind: Image.open(io.BytesIO(pictures.content(odd(kind)))) for kind in ("cmyk", "rotated", "animated")}
    assert opened["cmyk"].mode == "CMYK"
    assert opened["rotated"].getexif()[0x0112] == 6
    assert getattr(opened["animated"], "n_frames") == 2  # noqa: B009
    upright = ImageOps.exif_transpose(opened["rotated"])
    plain = Image.open(io.BytesIO(pictures.drawn(odd("rotated").key)))
    assert upright is not None
    assert upright.size == plain.size
    assert imagehash.phash(upright) - imagehash.phash(plain) <= NEAR


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("dead", 404),
        ("gone", 410),
        ("denied", 403),
        ("unwell", 503),
        ("private", 302),
        ("metadata", 302),
        ("scheme", 302),
    ],
)
def test_what_is_not_well_says_so(kind: str, status: int, web: Web) -> None:
    assert get(web, odd(kind)).status_code == status


def test_lies_are_lies(web: Web) -> None:
    page = get(web, odd("page"))
    assert (page.headers["content-type"], page.content[:9]) == ("image/jpeg", b"<!DOCTYPE")
    assert get(web, odd("noai")).headers["x-robots-tag"] == "noai, noimageai"
    truncated = pictures.content(odd("truncated"))
    assert get(web, odd("truncated")).content == truncated[: len(truncated) // 2]
    targets = [get(web, odd(kind)).headers["location"] for kind in ("private", "metadata", "scheme")]
    assert targets == ["http://10.0.0.1/eye.jpg", "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd"]


def test_a_bomb_is_small_and_claims_a_lot(web: Web) -> None:
    data = get(web, odd("bomb")).content
    assert len(data) < 200_000
    with pytest.raises(UnreadableImage, match=r"is more than 50000000 pixels$"):
        images.decode(data, 640, 50_000_000)


def test_who_follows_or_waits_gets_the_picture(web: Web) -> None:
    assert get(web, odd("moved"), follow_redirects=True).content == pictures.content(odd("moved"))
    assert [get(web, odd("busy")).status_code for _ in range(2)] == [429, 200]


def test_the_huge_and_the_slow_never_end(web: Web) -> None:
    with httpx.stream("GET", f"{web.url}{odd('huge').path}") as huge:
        assert "content-length" not in huge.headers
        read = 0
        for part in huge.iter_bytes():
            read += len(part)
            if read > 5_000_000:
                break
    with httpx.stream("GET", f"{web.url}{odd('slow').path}") as slow:
        assert len(next(slow.iter_raw())) < 100


def test_copies_and_neighbours_are_the_same_picture_and_others_are_not() -> None:
    assert pictures.content(odd("copy")) == pictures.content(Work("openverse", "blue", odd("copy").number - 1))
    assert pictures.content(odd("both", "blue")) == pictures.content(odd("both", "brown"))
    elsewhere = Work("flickr", "blue", odd("elsewhere").number)
    assert pictures.content(elsewhere) == pictures.content(odd("elsewhere"))
    near, source = (pictures.content(Work("openverse", "blue", odd("near").number - less)) for less in (0, 1))
    assert near != source
    assert phash(near) - phash(source) <= NEAR
    others = [
        phash(pictures.content(Work("openverse", label, number))) for label in LABELS for number in (0, 1, 3, 4, 6)
    ]
    assert min(one - other for one in others for other in others if one is not other) > NEAR


def test_another_server_gives_the_same(web: Web) -> None:
    paths = [odd(kind).path for kind in ("near", "webp", "cmyk")]
    asked = "/openverse/v1/images/?q=blue+eye&page=2"
    with Web() as other:
        ours, theirs = ([httpx.get(f"{one.url}{path}").content for path in paths] for one in (web, other))
        assert ours == theirs
        answers = [httpx.get(f"{one.url}{asked}").text.replace(one.url, "") for one in (web, other)]
        assert answers[0] == answers[1]
    with pytest.raises(httpx.ConnectError):
        httpx.get(other.url)


def test_requests_are_recorded_with_how_many_there_were_at_once(web: Web) -> None:
    together = threading.Barrier(4)

    def start(_: int) -> None:
        with httpx.stream("GET", f"{web.url}{odd('slow').path}", headers={"User-Agent": "me"}):
            together.wait(10)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(4)))
    assert web.peaks["pictures"] == web.peaks[f"host {web.host}"] == 4
    assert [(one.agent, one.path) for one in web.seen] == [("me", odd("slow").path)] * 4
    assert web.calls[odd("slow").path] == 4
    web.forget()
    assert (web.seen, web.peaks["pictures"]) == ([], 0)


def test_limits_are_kept_as_services_keep_them(web: Web) -> None:
    web.limits["brave"] = (2, 30.0)
    answers = [httpx.get(f"{web.url}/brave/res/v1/images/search") for _ in range(3)]
    assert [one.status_code for one in answers] == [422, 422, 429]
    assert 25 <= int(answers[2].headers["retry-after"]) <= 31


@pytest.mark.parametrize("heeds_ctrl_c", [True, False])
def test_people_can_start_it(heeds_ctrl_c: bool) -> None:
    command = [sys.executable, "-m", "tests.fakes.web", "--port", "0", "--per-class", "40"]
    if not heeds_ctrl_c:  # as a shell starts what runs in the background
        command = ["bash", "-c", 'trap "" INT; exec "$@"', "bash", *command]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ) as running:
        try:
            assert running.stdout
            lines = [running.stdout.readline() for _ in range(10)]
            told = dict(re.findall(r"^export (\w+)=(.+)$", "".join(lines), re.MULTILINE))
            assert told["IRISLINE_ALLOW_HOSTS"] in told["IRISLINE_OPENVERSE_URL"]
            query = {"q": "everything blue", "page": "2"}
            answer = httpx.get(f"{told['IRISLINE_OPENVERSE_URL']}/v1/images/", params=query).json()
            assert answer["result_count"] == 38  # one of the 40 is not safe, one not licensed
            running.send_signal(signal.SIGINT)
            assert running.wait(10) == 0
        finally:
            running.kill()
