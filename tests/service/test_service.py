"""The whole service, as BentoML serves it: a real process on a real port."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.service.conftest import running, turned, version_folder

pytestmark = pytest.mark.slow

JPEG = {"content-type": "image/jpeg"}


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz", "/metrics", "/", "/model", "/docs.json"])
def test_what_people_look_for_is_there(service: str, path: str) -> None:
    assert httpx.get(service + path).status_code == 200


def test_it_answers_and_counts(service: str, blue: bytes) -> None:
    answer = httpx.post(f"{service}/predict", content=blue, headers=JPEG)
    assert (answer.status_code, answer.json()["label"]) == (200, "blue")
    page = httpx.get(f"{service}/metrics").text
    assert 'irisline_answers_total{label="blue"' in page
    assert 'irisline_requests_total{route="/predict",status="200"}' in page


def test_what_is_not_there_is_told_in_a_sentence(service: str) -> None:
    answer = httpx.get(f"{service}/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_sigterm_finishes_what_is_in_flight(served: Path, tmp_path: Path, blue: bytes) -> None:
    with running(served, tmp_path / "log") as (address, process), ThreadPoolExecutor(1) as pool:
        asked = pool.submit(
            httpx.post, f"{address}/predict?explain=true", content=_slowly(blue), headers=JPEG, timeout=20
        )
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert asked.result().json()["label"] == "blue"
        assert process.wait(20) == 0


def _slowly(data: bytes) -> Iterator[bytes]:
    """Send a body that takes a second."""
    for at in range(0, len(data), len(data) // 4):
        yield data[at : at + len(data) // 4]
        time.sleep(0.2)


OPEN = {"/", "/docs.json", "/metrics", "/livez", "/readyz", "/healthz"}
ROUTES = """
import json
from service.service import Irisline

def paths(routes, before=""):
    for route in routes:
        path = before + route.path.rstrip("/")
        yield path or "/"
        yield path + "/x"  # a folder's files, and whatever a route may take
        yield from paths(getattr(route, "routes", None) or [], path)

print(json.dumps(sorted({*paths(Irisline.to_asgi(is_main=True).routes)})))
"""


def test_with_a_key_all_paths_want_it_but_those_that_are_told_of(served: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "IRISLINE_MODEL": str(served), "IRISLINE_API_KEYS": "sesame"}
    told = subprocess.run(
        ["python", "-c", ROUTES], env=environment, check=True, capture_output=True, text=True
    ).stdout  # fmt: skip
    paths = json.loads(told.splitlines()[-1])
    page = {path for path in paths if path.startswith("/page/")}
    assert {*OPEN, "/schema.json", "/predict", "/model", "/page/page.js"} <= {*paths}
    with running(served, tmp_path / "log", IRISLINE_API_KEYS="sesame") as (address, _), httpx.Client() as client:
        asked = {path: client.get(address + path.replace("{path:path}", "any")).status_code for path in paths}
        assert {path for path in OPEN if asked[path] != 200} == set()
        assert {path for path, status in asked.items() if status != 401} == OPEN | page
        assert client.get(f"{address}/page/page.js").status_code == 200
        for path in (
            "/schema.json",
            "/SCHEMA.json",
            "/%73chema.json",
            "//schema.json",
            "/readyz/",
            "/readyz/../schema.json",
        ):
            assert client.request("POST", address + path).status_code == 401
        with_key = {"x-api-key": "sesame"}
        assert client.get(f"{address}/schema.json", headers=with_key).status_code == 404  # closed
        assert client.get(f"{address}/model", headers=with_key).status_code == 200


def test_more_than_it_can_hold_is_sent_away_with_a_time_to_come_back(served: Path, tmp_path: Path, blue: bytes) -> None:
    with running(served, tmp_path / "log", IRISLINE_MAX_QUEUE="1", IRISLINE_THREADS="1") as (address, _):
        gate = threading.Barrier(16)

        def ask(_: int) -> httpx.Response:
            gate.wait()
            return httpx.post(f"{address}/predict", content=blue, headers=JPEG)

        with ThreadPoolExecutor(16) as pool:
            answers = [answer for _ in range(5) for answer in pool.map(ask, range(16))]
        assert {answer.status_code for answer in answers} == {200, 503}
        refused = [answer for answer in answers if answer.status_code == 503]
        assert all(answer.headers["retry-after"] == "1" for answer in refused)
        assert all(answer.json()["detail"].startswith("busy: ") for answer in refused)


def test_nothing_of_a_request_is_written_down(served: Path, tmp_path: Path, blue: bytes) -> None:
    log = tmp_path / "log"
    with running(served, log, IRISLINE_API_KEYS="sesame") as (address, _):
        for headers in (JPEG, {**JPEG, "authorization": "Bearer sesame"}, {**JPEG, "x-api-key": "wrong"}):
            httpx.post(f"{address}/predict?who=me", content=blue, headers=headers)
    assert not [word for word in ("sesame", "wrong", "who=me", "/predict") if word in log.read_text()]


def test_a_version_that_cannot_be_proven_ends_the_service_with_a_line(tmp_path: Path) -> None:
    folder = version_folder(tmp_path / "version")
    (folder / "model.onnx").write_bytes(turned().SerializeToString())
    with (
        pytest.raises(AssertionError, match=r"model\.onnx: sha256 \w{12}, must be \w{12}"),
        running(folder, tmp_path / "log"),
    ):
        pass
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_no_version_at_all_ends_the_service_with_a_line(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"identity\.json: not found"), running(tmp_path, tmp_path / "log"):
        pass
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_the_supervisor_loads_nothing_heavy() -> None:
    code = "import sys, json, bentoml, service.app; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    loaded = set(json.loads(subprocess.run(["python", "-c", code], check=True, capture_output=True, text=True).stdout))
    assert "bentoml" in loaded
    assert not loaded & {
        "numpy",
        "onnxruntime",
        "PIL",
        "mlflow",
        "torch",
        "pandas",
        "dvc",
        "fastai",
        "great_expectations",
    }
