"""MLflow's image: the versions of the lock, all of them, and a server that refuses strangers."""

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
import yaml

from tests.clones import BIN
from tests.deploy.manifests import DEPLOY
from tests.locked import needed, pins

DRIVER = {"psycopg", "psycopg-binary"}  # of PostgreSQL; the project itself needs none


def test_it_holds_the_versions_of_the_lock_and_nothing_that_mlflow_does_not_need() -> None:
    own, lock = pins(DEPLOY / "mlflow" / "requirements.txt"), pins()
    assert set(own) - DRIVER == needed(["mlflow"])
    assert {name: version for name, version in own.items() if name not in DRIVER}.items() <= lock.items()
    assert len({own[name] for name in DRIVER}) == 1


def test_its_tag_is_mlflows_version() -> None:
    image = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["mlflow"]["image"]
    assert f":{pins(DEPLOY / 'mlflow' / 'requirements.txt')['mlflow']}}}" in image


def test_it_does_not_run_as_root() -> None:
    text = (DEPLOY / "mlflow" / "Dockerfile").read_text()
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", text, re.M)
    assert re.search(r"^FROM docker\.io/library/python:3\.11-slim$", text, re.M)


@dataclass(frozen=True)
class Server:
    """MLflow, answering."""

    address: str
    process: int


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start MLflow as the compose file does, but for its port and the place of its files."""
    own = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["mlflow"]
    home = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [word.replace("/var/lib/mlflow", str(home)).replace("0.0.0.0", "127.0.0.1") for word in own["command"]]
    words[words.index("--port") + 1] = str(port)
    own["environment"]["MLFLOW_BACKEND_STORE_URI"] = f"sqlite:///{home}/mlflow.db"
    own["environment"]["MLFLOW_SERVER_ALLOWED_HOSTS"] = re.search(
        r":-(.*)\}$", own["environment"]["MLFLOW_SERVER_ALLOWED_HOSTS"]
    )[1]
    environment = {**os.environ, **own["environment"], "PATH": f"{BIN}:{os.environ['PATH']}"}
    with (home / "log").open("w") as log:
        process = subprocess.Popen(words, env=environment, cwd=home, stdout=log, stderr=log, start_new_session=True)
    try:
        yield Server(_ready(f"http://127.0.0.1:{port}", process, home / "log"), process.pid)
    finally:
        os.killpg(process.pid, 15)
        process.wait(20)


def _ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> str:
    for _ in range(240):
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(f"{url}/health").status_code == 200:
                return url
        except httpx.TransportError:
            time.sleep(0.25)
    raise AssertionError(log.read_text())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("host", "status"),
    [("mlflow:5000", 200), ("mlflow", 200), ("localhost:5000", 200), ("127.0.0.1:5000", 200), ("evil.example", 403)],
)
def test_it_answers_by_its_names_and_refuses_others(server: Server, host: str, status: int) -> None:
    answer = httpx.get(f"{server.address}/api/2.0/mlflow/experiments/get?experiment_id=0", headers={"Host": host})
    assert answer.status_code == status, answer.text


@pytest.mark.slow
def test_it_keeps_one_worker_and_no_jobs(server: Server) -> None:
    family = [" ".join(one.cmdline()) for one in psutil.Process(server.process).children(recursive=True)]
    assert len(family) == 1, family
