"""The servers of the race: how each is started, asked and understood. All get the same pictures and the same version."""

import base64
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from bench import _load, _peers
from bench._store import Store

OURS, FASTAPI, LITSERVE = "irisline", "FastAPI + ONNX Runtime", "LitServe"
TYPED, MLFLOW, NOTHING = "BentoML, typed upload", "mlflow models serve", "no work at all"
VERSION = 2  # the champion of the bench's store

Answer = dict[str, float]  # the probability of each class
Request = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Contender:
    """One server."""

    name: str
    words: tuple[str, ...]  # its command; {port} stands for the port
    request: Request  # what asks about a picture
    answer: Callable[[Any], Answer]  # what the JSON that comes back says
    environment: Mapping[str, str] = field(default_factory=dict)
    own_precision: bool = True  # it runs what the version chose; else float32


def every(store: Store) -> list[Contender]:
    """Return all that serve a version of a store."""
    uvicorn = (
        *_module("uvicorn"),
        "--host",
        _load.HOST,
        "--port",
        "{port}",
        "--no-access-log",
        "--log-level",
        "warning",
    )
    bentoml = (*_module("bentoml"), "serve", "--host", _load.HOST, "--port", "{port}")
    mlflow = (*_module("mlflow"), "models", "serve", "--env-manager", "local", "--workers", "1", "--host", _load.HOST)
    version = f"models:/{store.model}/{VERSION}"
    model = {_peers.MODEL: str(store.folder(VERSION))}
    return [
        ours(store),
        Contender(FASTAPI, (*uvicorn, "bench._peers.fastapi_app:app"), _raw, _plain, model),
        Contender(LITSERVE, (*_module("bench._peers.litserve_app"), "{port}"), _in_base64, _plain, model),
        Contender(TYPED, (*bentoml, "bench._peers.bentoml_app:Typed"), _in_a_form, _plain, model),
        Contender(
            MLFLOW, (*mlflow, "--port", "{port}", "--model-uri", version), _in_a_table, _from_a_table,
            {"MLFLOW_TRACKING_URI": store.address}, own_precision=False,
        ),
        Contender(NOTHING, (*uvicorn, "--lifespan", "off", "bench._peers.noop_app:app"), _raw, lambda _: {}),
    ]  # fmt: skip


def ours(store: Store, settings: Mapping[str, str] = MappingProxyType({})) -> Contender:
    """Return the service with these settings beside its model."""
    words = (*_module("bentoml"), "serve", "service.service:Irisline", "--host", _load.HOST, "--port", "{port}")
    own = {"IRISLINE_MODEL": str(store.folder(VERSION)), "IRISLINE_TRUSTED_KEYS": str(store.project / "keys")}
    return Contender(OURS, words, _raw, _plain, {**own, **settings})


def following(store: Store) -> dict[str, str]:
    """Return the settings of a service that follows the champion of a store."""
    return {"IRISLINE_FOLLOW": "champion", "MLFLOW_TRACKING_URI": store.address}


def expected(contender: Contender, store: Store, version: int, pictures: Sequence[bytes]) -> list[Answer]:
    """Return what a contender must answer to each picture, asked of the version without a server."""
    classifier = _peers.load(store.folder(version)) if contender.own_precision else store.in_float32()
    return [answer.probabilities for answer in classifier.predict(pictures)]


def _module(name: str) -> tuple[str, str, str]:
    return sys.executable, "-m", name


def _raw(picture: bytes) -> bytes:
    return _load.post("/predict", "image/jpeg", picture)


def _in_a_form(picture: bytes) -> bytes:
    return _load.post("/predict", *_load.form("image", "image/jpeg", picture))


def _in_base64(picture: bytes) -> bytes:
    return _load.post("/predict", "application/json", json.dumps({"image": _base64(picture)}).encode())


def _in_a_table(picture: bytes) -> bytes:
    table = {"dataframe_split": {"columns": ["image"], "data": [[_base64(picture)]]}}
    return _load.post("/invocations", "application/json", json.dumps(table).encode())


def _base64(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


def _plain(document: Any) -> Answer:
    shares: Answer = document["probabilities"]
    return shares


def _from_a_table(document: Any) -> Answer:
    (row,) = document["predictions"]
    start = "probability_"
    return {name.removeprefix(start): share for name, share in row.items() if name.startswith(start)}
