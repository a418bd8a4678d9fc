"""The API, asked without a network: every answer is what its OpenAPI says, every refusal a sentence that helps."""

import asyncio
import base64
import io
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from irisline.core.errors import IrislineError, MissingInput
from irisline.inference.classifier import Classifier
from service import schemas
from service.bodies import BRISK
from service.settings import Settings
from tests import drawn, planted
from tests.service.conftest import asking, gallery, trusted_keys, version_folder
from tests.service.test_engine import Held

Ask = Callable[[httpx.AsyncClient], Coroutine[Any, Any, Any]]


def ask(model: Path, question: Ask, **settings: str) -> Any:
    """Ask the app with these settings; what the question gives."""

    async def whole() -> Any:
        given = {f"IRISLINE_{name}": value for name, value in settings.items()}
        here = {
            "IRISLINE_MODEL": str(model), "IRISLINE_DEVICE": "cpu", "IRISLINE_TRUSTED_KEYS": str(trusted_keys()),
        }  # fmt: skip
        async with asking(Settings.read(here | given)) as client:
            return await question(client)

    return asyncio.run(whole())


def post(path: str, **request: Any) -> Ask:
    return lambda client: client.post(path, **request)


def get(path: str, **request: Any) -> Ask:
    return lambda client: client.get(path, **request)


def raw(data: bytes, kind: str = "image/jpeg", path: str = "/predict", **headers: str) -> Ask:
    return post(path, content=data, headers={"content-type": kind, **headers})


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the sentence of a refusal, held to its type."""
    assert answer.headers["content-type"] == "application/problem+json"
    told = schemas.ProblemDetails.model_validate_json(answer.content)
    assert told.status == answer.status_code
    return told.status, told.detail


@pytest.mark.parametrize("form", [True, False])
def test_a_picture_is_answered_as_the_classifier_answers_it(served: Path, brown: bytes, form: bool) -> None:
    question = post("/predict", files={"image": ("x.jpg", brown)}) if form else raw(brown)
    answer = ask(served, question)
    assert answer.status_code == 200
    told = schemas.Answer.model_validate_json(answer.content)
    (wanted,) = Classifier.load(served).predict([brown])
    assert (told.label, told.unsure, told.reason) == ("brown", wanted.unsure, wanted.reason)
    assert told.probabilities == pytest.approx(wanted.probabilities)
    assert (told.model.name, told.model.version) == ("eye-colour", 1)
    assert told.ms > 0
    assert "saliency" not in answer.json()


def test_who_reads_people_is_told_as_before(tmp_path: Path) -> None:
    served = version_folder(tmp_path / "model", crop="eyes")
    told = ask(served, raw(planted.saved(drawn.two_people(), quality=95))).json()
    assert len(told["people"]) == len(told["subjects"]) == 2
    for person, subject in zip(told["people"], told["subjects"], strict=True):
        regions = [{"kind": "eye", **eye} for eye in person.pop("eyes")]
        assert {**person, "regions": regions} == subject
    assert schemas.Answer.model_json_schema()["properties"]["people"]["deprecated"]


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_other_formats_are_taken_whatever_their_content_type_says(served: Path, kind: str) -> None:
    data = planted.saved(planted.picture("blue"), kind)
    assert ask(served, raw(data, "image/jpeg")).json()["label"] == "blue"


def test_an_explanation_is_a_grid_that_changes_no_answer(served: Path, blue: bytes) -> None:
    plain, explained = (ask(served, raw(blue, path=path)).json() for path in ("/predict", "/predict?explain=true"))
    grid, nearest = explained.pop("saliency"), explained.pop("nearest")
    assert [len(row) for row in grid] == [8] * 8
    assert {**plain, "ms": 0} == {**explained, "ms": 0}
    assert (nearest, plain["distance"]) == ([], None)  # a version from before training pictures were kept


def test_an_explanation_shows_the_nearest_training_pictures(tmp_path: Path, brown: bytes) -> None:
    served = version_folder(tmp_path / "model", gallery=gallery())
    plain, explained = (ask(served, raw(brown, path=path)) for path in ("/predict", "/predict?explain=true"))
    assert "nearest" not in plain.json()
    told = schemas.Answer.model_validate_json(explained.content)
    assert [near.label for near in told.nearest] == ["brown"] * 3
    assert [near.distance for near in told.nearest] == sorted(near.distance for near in told.nearest)
    assert told.distance >= told.nearest[-1].distance > 0
    kind, _, jpeg = told.nearest[0].thumbnail.partition(",")
    assert kind == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(jpeg))).size == (planted.SIZE, planted.SIZE)


def test_many_pictures_each_have_an_answer_or_a_reason_in_their_order(served: Path, blue: bytes, brown: bytes) -> None:
    files = [("images", (name, data)) for name, data in (("a", blue), ("b", b"<html>"), ("c", brown))]
    answer = ask(served, post("/predict_batch", files=files))
    assert answer.status_code == 200
    schemas.Answers.model_validate_json(answer.content)
    first, second, third = answer.json()["answers"]
    assert (first["file"], first["label"]) == ("a", "blue")
    assert (second["file"], second["error"]["status"]) == ("b", 400)
    assert "not a JPEG, PNG or WebP picture" in second["error"]["detail"]
    assert (third["file"], third["label"]) == ("c", "brown")


def test_the_model_tells_what_it_is(served: Path) -> None:
    told = schemas.Model.model_validate_json(ask(served, get("/model")).content)
    assert told.model_dump()["digest"] == json.loads((served / "identity.json").read_text())["digest"]
    assert (told.device, told.following, told.preprocess.size) == ("cpu", None, planted.SIZE)


def test_prometheus_is_told_what_was_answered(served: Path, blue: bytes) -> None:
    async def question(client: httpx.AsyncClient) -> tuple[str, str]:
        before = (await client.get("/metrics")).text
        await client.post("/predict", content=blue, headers={"content-type": "image/jpeg"})
        await client.post("/predict", content=b"no", headers={"content-type": "image/jpeg"})
        for odd in range(5):
            await client.get(f"/odd/{odd}")
        return before, (await client.get("/metrics")).text

    before, after = ask(served, question)
    assert _number(after, "irisline_answers_total") == _number(before, "irisline_answers_total") + 1
    assert _number(after, "irisline_decode_failures_total") == _number(before, "irisline_decode_failures_total") + 1
    assert 'irisline_model_info{digest="' in after
    assert "/odd" not in after


def _number(page: str, name: str) -> float:
    return sum(float(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.startswith(name))


@pytest.mark.parametrize(
    ("question", "status", "sentence"),
    [
        (raw(b""), 400, "the body is empty; send the bytes of a picture"),
        (raw(b"nothing"), 400, "not a picture that can be read: not a JPEG, PNG or WebP picture"),
        (raw(planted.saved(planted.picture())[:400]), 400, "not a picture that can be read: damaged"),
        (
            raw(b"x", "application/vnd.bentoml+pickle"),
            415,
            "application/vnd.bentoml+pickle: send image/jpeg, image/png",
        ),
        (raw(b"x", "application/octet-stream"), 415, "application/octet-stream: send image/jpeg"),
        (raw(b"x", ""), 415, "no content type: send image/jpeg"),
        (raw(b"x", path="/predict_batch"), 415, "image/jpeg: send multipart/form-data with many fields images"),
        (raw(b"x", "multipart/form-data"), 400, "the form cannot be read: Missing boundary"),
        (raw(b"x", "multipart/form-data; boundary=b"), 400, "the form cannot be read"),
        (
            raw(b"x", "multipart/form-data; boundary=b; charset=undefined"),
            400,
            "the form names a charset other than UTF-8",
        ),
        (
            raw(b"x", "multipart/form-data; boundary=b; charset=punycode"),
            400,
            "the form names a charset other than UTF-8",
        ),
        (post("/predict", files={"picture": b"x"}), 400, "the form has no file in the field image"),
        (post("/predict", files=[("image", b"x")] * 2), 400, "Too many files. Maximum number of files is 1"),
        (post("/predict_batch", files=[("images", b"x")] * 5), 400, "Too many files. Maximum number of files is 4"),
        (raw(bytes(5000)), 413, "the body has 5000 bytes or more, the limit is 4096; send a smaller picture"),
        (
            raw(b"x", **{"content-length": "0" * 5000 + "5"}),
            400,
            "Content-Length must be a number of at most 19 digits",
        ),
        (raw(b"x", **{"content-length": "9" * 5000}), 400, "Content-Length must be a number of at most 19 digits"),
        (
            post("/predict", content=b"x", headers={"content-type": "image/jpeg", "content-length": b"\xb2"}),
            400,
            "Content-Length must be a number of at most 19 digits",
        ),
        (raw(b"x", **{"content-length": "9" * 19}), 413, "the body has 9999999999999999999 bytes or more"),
        (raw(b"x", path="/predict?explain=perhaps"), 400, "explain is 'perhaps', must be true or false"),
        (get("/predict"), 405, "GET is not served at /predict; send POST"),
        (get("/../etc/passwd"), 404, "nothing at /etc/passwd; GET /docs.json lists what there is"),
        (get("/page/../app.py"), 404, "nothing at /app.py"),
        (get("/page/%2e%2e/app.py"), 404, "nothing at /page/../app.py"),
        (get("/page/__init__.py"), 404, "nothing at /page/__init__.py"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_to_do(served: Path, question: Ask, status: int, sentence: str) -> None:
    told = problem(ask(served, question, MAX_BYTES="4096", MAX_IMAGES="4"))
    assert told[0] == status
    assert sentence in told[1]


@pytest.mark.parametrize("cut", [2, 4, 60])
def test_a_form_that_ends_before_its_last_boundary_is_refused(served: Path, blue: bytes, cut: int) -> None:
    head = b'--edge\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    whole = head + blue + b"\r\n--edge--"

    async def by_small_pieces(body: bytes) -> Any:
        for at in range(0, len(body), 7):
            yield body[at : at + 7]

    for body in (whole, whole + b"\r\nan epilogue"):
        assert ask(served, raw(by_small_pieces(body), "multipart/form-data; boundary=edge")).status_code == 200
    told = problem(ask(served, raw(by_small_pieces(whole[:-cut]), "multipart/form-data; boundary=edge")))
    assert told == (400, "the form ends before its last boundary; send it whole")


def test_the_pages_files_are_sent_once(served: Path) -> None:
    first = ask(served, get("/page/style.css"))
    assert first.headers["content-type"] == "text/css; charset=utf-8"
    again = ask(served, get("/page/style.css", headers={"if-none-match": first.headers["etag"]}))
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("blank", [b" ", b"\t"])
def test_a_boundary_has_no_blanks_after_it(served: Path, blue: bytes, blank: bytes) -> None:
    body = (
        b"--edge" + blank * 100_000 + b'\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n' + blue
    )
    told = problem(ask(served, raw(body + b"\r\n--edge--", "multipart/form-data; boundary=edge")))
    assert told == (400, "the form has blanks after its boundary")


def test_whoever_has_gone_makes_room_for_others(served: Path, blue: bytes) -> None:
    """One is at work, one may wait: the one that waited has gone, and another waits in its place."""
    post_blue = raw(blue)

    async def question(client: httpx.AsyncClient) -> tuple[list[int], list[int]]:
        app: Any = client._transport.app  # type: ignore[attr-defined]
        held = app.state.engine.live.classifier.runtime = Held(app.state.engine.live)
        others = [asyncio.create_task(post_blue(client))]
        await asyncio.to_thread(held.started.wait, 10)
        told = await asyncio.wait_for(_gone_at_once(app, blue), 5)
        others.append(asyncio.create_task(post_blue(client)))
        await asyncio.sleep(0.1)
        held.go.set()
        return told, [answer.status_code for answer in await asyncio.gather(*others)]

    assert ask(served, question, THREADS="1", MAX_QUEUE="1") == ([400], [200, 200])


async def _gone_at_once(app: Any, body: bytes) -> list[int]:
    """Send a picture and go; return the statuses that are told to nobody."""
    scope = {"type": "http", "method": "POST", "path": "/predict", "query_string": b"",
             "headers": [(b"content-type", b"image/jpeg")]}  # fmt: skip
    messages = iter([{"type": "http.request", "body": body}, {"type": "http.disconnect"}])
    told: list[int] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        told.extend([message["status"]] if "status" in message else [])

    await app(scope, receive, send)
    return told


def test_a_body_that_never_says_its_length_is_cut_at_the_limit(served: Path) -> None:
    sent = []

    async def endless() -> Any:
        for _ in range(100):
            sent.append(1)
            yield bytes(1024)

    headers = {"content-type": "image/jpeg"}
    assert problem(ask(served, post("/predict", content=endless(), headers=headers), MAX_BYTES="4096"))[0] == 413
    assert len(sent) <= 5


def test_a_body_that_does_not_arrive_is_not_waited_for(served: Path) -> None:
    async def slow() -> Any:
        yield b"x"
        await asyncio.sleep(30)

    told = problem(ask(served, post("/predict", content=slow(), headers={"content-type": "image/png"}), TIMEOUT="0.2"))
    assert told == (408, "the body did not arrive within 0.2 seconds")


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(served: Path) -> None:
    bomb = planted.saved(Image.new("1", (20_000, 20_000)), "PNG")
    told = problem(ask(served, raw(bomb, "image/png")))
    assert told == (
        400,
        "too large a picture: 20000x20000 is more than 1000000 pixels; send a smaller picture",
    )


def test_keys_are_asked_for_and_compared_and_never_told(served: Path, blue: bytes) -> None:
    keys = {"API_KEYS": "first-key, second-key"}
    for path in ("/predict", "/model"):
        answer = ask(served, raw(blue) if path == "/predict" else get(path), **keys)
        assert problem(answer) == (401, "this service wants a key: send Authorization: Bearer KEY, or X-API-Key: KEY")
        assert answer.headers["www-authenticate"] == 'Bearer realm="irisline"'
    assert ask(served, raw(blue, authorization="Bearer wrong"), **keys).status_code == 401
    assert ask(served, raw(blue, authorization="Bearer second-key"), **keys).status_code == 200
    for beside in ({}, {"authorization": "Bearer "}):
        assert ask(served, raw(blue, **{"x-api-key": "first-key"}, **beside), **keys).status_code == 200
    assert ask(served, get("/metrics"), **keys).status_code == 200
    assert "first-key" not in repr(Settings.read({"IRISLINE_API_KEYS": "first-key"}))


@pytest.mark.parametrize(
    "path", ["/model%0A", "/predict%0A", "/predict_batch%0A", "/model/", "//model", "/MODEL", "/x"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
def test_no_other_way_to_write_a_path_passes_by_the_keys(served: Path, path: str, method: str) -> None:
    async def question(client: httpx.AsyncClient) -> httpx.Response:
        return await client.request(method, f"http://service{path}")

    assert ask(served, question, API_KEYS="sesame").status_code == 401


def test_who_may_not_ask_from_another_origin_reads_why_in_a_document(served: Path) -> None:
    async def preflight(client: httpx.AsyncClient) -> httpx.Response:
        headers = {"origin": "https://other.example", "access-control-request-method": "POST"}
        return await client.request("OPTIONS", "http://service/predict", headers=headers)

    told = problem(ask(served, preflight, CORS_ORIGINS="https://page.example"))
    assert told == (400, "Disallowed CORS origin; IRISLINE_CORS_ORIGINS lists the sites whose pages may ask")
    assert ask(served, preflight, CORS_ORIGINS="https://other.example").status_code == 200


def test_keys_that_are_none_are_refused() -> None:
    with pytest.raises(
        IrislineError, match=r"^IRISLINE_API_KEYS: is set and holds no key; give one, or leave it unset$"
    ):
        Settings.read({"IRISLINE_API_KEYS": " , "})


def test_bodies_together_have_a_limit(served: Path, blue: bytes) -> None:
    async def slow() -> Any:
        yield blue
        await asyncio.sleep(1)

    async def question(client: httpx.AsyncClient) -> list[httpx.Response]:
        headers = {"content-type": "image/jpeg"}
        held = asyncio.create_task(client.post("/predict", content=slow(), headers=headers))
        await asyncio.sleep(0.2)
        refused = await client.post("/predict", content=blue, headers=headers)
        await held
        return [refused, await client.post("/predict", content=blue, headers=headers)]

    refused, after = ask(served, question, MAX_BYTES_HELD=str(max(1024, len(blue) + 100)))
    assert problem(refused) == (503, "busy: too many bodies at once; try again in a second")
    assert refused.headers["retry-after"] == "1"
    assert after.status_code == 200


def test_a_body_that_is_slow_to_arrive_gives_way(served: Path, blue: bytes) -> None:
    async def slow() -> Any:
        yield blue
        await asyncio.sleep(10)

    async def question(client: httpx.AsyncClient) -> list[httpx.Response]:
        headers = {"content-type": "image/jpeg"}
        held = asyncio.create_task(client.post("/predict", content=slow(), headers=headers))
        await asyncio.sleep(BRISK + 0.2)
        return [await client.post("/predict", content=blue, headers=headers), await held]

    answered, gave_way = ask(served, question, MAX_BYTES_HELD=str(max(1024, len(blue) + 100)))
    assert answered.status_code == 200
    assert problem(gave_way) == (503, "busy: too many bodies at once; try again in a second")


def test_a_fault_is_counted_and_told_like_any_refusal(served: Path) -> None:
    async def question(client: httpx.AsyncClient) -> tuple[httpx.Response, str]:
        app: Any = client._transport.app  # type: ignore[attr-defined]
        engine, app.state.engine = app.state.engine, None
        answer = await client.get("/model")
        app.state.engine = engine
        return answer, (await client.get("/metrics")).text

    answer, page = ask(served, question)
    assert problem(answer) == (500, "a fault of the service; its log says more")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert 'irisline_requests_total{route="/model",status="500"}' in page


def test_other_sites_may_ask_only_when_they_are_named(served: Path) -> None:
    asked = get("/model", headers={"origin": "https://eyes.example"})
    closed, opened, others = (
        ask(served, asked, **more).headers.get("access-control-allow-origin")
        for more in ({}, {"CORS_ORIGINS": "https://eyes.example"}, {"CORS_ORIGINS": "https://other.example"})
    )
    assert (closed, opened, others) == (None, "https://eyes.example", None)


@pytest.mark.parametrize("path", ["/", "/model", "/nothing", "/docs.json"])
def test_every_answer_carries_the_security_headers(served: Path, path: str) -> None:
    headers = ask(served, get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert headers["referrer-policy"] == "no-referrer"


def test_openapi_names_every_route_and_every_schema_it_refers_to(served: Path) -> None:
    document = ask(served, get("/docs.json")).json()
    assert set(document["paths"]) == {"/predict", "/predict_batch", "/model"}
    wanted = {part.split('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]}
    assert wanted <= set(document["components"]["schemas"])


def test_a_folder_that_is_not_a_version_ends_the_start_with_a_line(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match=r"identity.json: not found; export the version anew"):
        ask(tmp_path, get("/model"))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("THREADS", "-1", "IRISLINE_THREADS: Input should be greater than or equal to 0; correct it or leave it unset"),
        ("DEVICE", "tpu", "IRISLINE_DEVICE: Input should be 'auto', 'cpu' or 'cuda'"),
        ("MAX_BYTES", "many", "IRISLINE_MAX_BYTES: Input should be a valid integer"),
        ("TIMEOUT", "inf", "IRISLINE_TIMEOUT: Input should be a finite number"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, sentence: str) -> None:
    with pytest.raises(IrislineError, match=sentence):
        Settings.read({f"IRISLINE_{name}": value})
