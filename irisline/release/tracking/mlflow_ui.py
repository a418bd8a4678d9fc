"""The MLflow pages over the project's store. Knows an address and a port."""

import os
import socket

from irisline.core import console
from irisline.core.errors import ReleaseError
from irisline.core.params import Params
from irisline.release.tracking import store

HOST = "127.0.0.1"


def link(experiment: str, base: str) -> str:
    """Return the page of an experiment's runs; without the workflow MLflow would open on another kind of page."""
    return f"{base}/#/experiments/{experiment}/runs?workflowType=machine_learning"


def serve(params: Params, port: int) -> None:
    """Answer with MLflow's pages over the project's store until interrupted; raise ReleaseError when the port is taken.

    In this very process: MLflow's own command would start another, which goes on when only the first is killed.
    """
    import uvicorn
    from mlflow.server.constants import ARTIFACT_ROOT_ENV_VAR, BACKEND_STORE_URI_ENV_VAR

    client = store.client()
    with store.one_line_failures():
        experiment = store.experiment(client, params.base.name)
    if store.is_remote():
        console.say(f"MLflow is at {link(experiment, store.shown_address())}")
        return
    check_free(HOST, port, "irisline ui --port 5001")
    console.say(f"MLflow opens at {link(experiment, f'http://{HOST}:{port}')}  (Ctrl-C ends it)")
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    os.environ.setdefault("PYTHONWARNINGS", "ignore")  # its own libraries' news are not for the person at the page
    os.environ |= {
        BACKEND_STORE_URI_ENV_VAR: store.address(),
        ARTIFACT_ROOT_ENV_VAR: (store.home() / store.FILES).as_uri(),
    }
    uvicorn.run("mlflow.server.fastapi_app:app", host=HOST, port=port, log_level="warning")


def check_free(host: str, port: int, instead: str) -> None:
    """Raise ReleaseError, with the command to type instead, when a port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ReleaseError(f"port {port} on {host} is taken: {error.strerror}; type {instead}") from error
