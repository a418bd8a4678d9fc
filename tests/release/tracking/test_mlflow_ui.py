"""The MLflow pages of the project's store."""

import json
import socket
import subprocess
import sys
import urllib.request
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from irisline.core.errors import ReleaseError
from irisline.core.params import Params
from irisline.release.tracking import mlflow_ui
from tests.release.tracking.test_store import free_port, wait_for


def test_a_taken_port_is_said(project: Path, settings: Params) -> None:
    with closing(socket.socket()) as taken:
        taken.bind((mlflow_ui.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ReleaseError, match=rf"port {port} on 127\.0\.0\.1 is taken: .*; type irisline ui --port"):
            mlflow_ui.serve(settings, port)


@pytest.mark.slow
def test_the_pages_open(published: Params) -> None:
    port = free_port()
    command = [sys.executable, "-m", "irisline.cli.app", "ui", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            link = f"http://127.0.0.1:{port}/#/experiments/1/runs?workflowType=machine_learning"
            assert link in process.stdout.readline()
            wait_for(f"http://127.0.0.1:{port}/health")
            found = f"http://127.0.0.1:{port}/api/2.0/mlflow/registered-models/get?name=eye-colour"
            assert json.load(urllib.request.urlopen(found))["registered_model"]["name"] == "eye-colour"
            family = psutil.Process(process.pid).children(recursive=True)
        finally:
            process.kill()
    assert not psutil.wait_procs(family, timeout=10)[1]
