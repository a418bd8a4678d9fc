"""Versions in folders as an image holds them, the app asked without a network, and the whole service on a loopback port."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import numpy as np
import onnx
import pytest

from irisline.inference import calibration, signature_check
from irisline.inference.classifier import Classifier
from irisline.inference.identity import NAME, Check, Identity, Manifest, Source, Verdict
from irisline.inference.out_of_distribution import Gallery
from irisline.networks import bundle
from irisline.release.signatures import signing
from service.app import create
from service.settings import Settings
from tests import planted
from tests.imports import ROOT

CALIBRATED = calibration.Calibration(1.0, 0.6)
READY = 120.0  # seconds to wait for a service to start


def version_folder(
    folder: Path,
    number: int = 1,
    network: onnx.ModelProto | None = None,
    crop: str = "none",
    gallery: Gallery | None = None,
    classes: Sequence[str] = planted.CLASSES,
) -> Path:
    """Write a planted version as a service is given one; give the folder. Without a gallery it is as older ones are."""
    planted.model(folder, network, CALIBRATED, crop, classes)
    if gallery:
        (folder / bundle.NEIGHBOURS).write_bytes(gallery.as_bytes())
    (folder / "model.safetensors").write_bytes(b"weights")
    return sealed(folder, number)


def sealed(folder: Path, number: int = 1) -> Path:
    """Add to a model's files what makes them a version that can be proven: golden answers and an identity."""
    (folder / "golden").mkdir()
    answers = []
    for label in planted.CLASSES:
        data = planted.saved(planted.picture(label))
        (folder / "golden" / f"{label}.jpg").write_bytes(data)
        (given,) = Classifier.load(folder).predict([data])
        answers.append({"file": f"{label}.jpg", "probabilities": given.probabilities, "unsure": given.unsure})
    (folder / "golden" / "answers.json").write_text(json.dumps(answers))
    return signed(folder, number)


def signed(folder: Path, number: int = 1) -> Path:
    """Sign a version's folder as it stands, and let it say what it is."""
    files = bundle.files(folder)
    manifest = Manifest(
        name="eye-colour",
        version=number,
        digest=bundle.digest(folder),
        classes=json.loads((folder / "model.json").read_text())["classes"],
        precision="float32",
        precision_reason="not measured",
        source=Source(git_commit="none", git_dirty="no", dvc_lock_sha256="none", data_md5="none"),
        run_id="run",
        metrics={"error_rate": 0.1, "error_rate_low": 0.0, "error_rate_high": 0.2},
        gate=Verdict(passed=True, checks=[Check(name="ece", value=0.0, limit=0.1, passed=True, line="ece: 0")]),
        licences={"own": 24},
        providers={},
        pictures={},
    )
    with trusting_ourselves():
        for name, document in signing.sign(manifest, files).items():
            (folder / name).write_bytes(document)
    (folder / NAME).write_text(identity_of(folder, number).as_json())
    return folder


def trusted_keys() -> Path:
    """Return a folder with the public key of this session, which signs all that tests publish."""
    with trusting_ourselves() as folder:
        signing.ready()
    return folder


@contextmanager
def trusting_ourselves() -> Iterator[Path]:
    folder = Path(os.environ["XDG_CONFIG_HOME"], "trusted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IRISLINE_TRUSTED_KEYS", str(folder))
        yield folder


def identity_of(folder: Path, number: int) -> Identity:
    """Return the identity of a version's folder as it stands."""
    told = Manifest.model_validate_json((folder / signature_check.MANIFEST).read_bytes())
    files = {name: bundle.file_digest(path) for name, path in bundle.files(folder).items()}
    told = told.model_copy(update={"version": number, "digest": bundle.digest(folder)})
    return Identity.of(told, files, alias="champion", registered="2026-11-01T00:00:00+00:00", promoted=None)


def gallery() -> Gallery:
    """Return three training pictures of each class to compare with."""
    squares = {f"{label}/{key}.jpg": planted.square(label, key) for label in planted.CLASSES for key in range(3)}
    features = np.stack([square.reshape(-1) for square in squares.values()]).astype(np.float32)
    return Gallery.of(
        features, [*squares], [name.split("/")[0] for name in squares], ["Ann"] * len(squares), [*squares.values()]
    )


def turned() -> onnx.ModelProto:
    """Return a network that calls blue brown and brown blue."""
    weights = np.zeros((3, planted.SIZE, planted.SIZE, 2), np.float32)
    weights[0], weights[2] = (0.05, -0.05), (-0.05, 0.05)
    return planted.linear(weights, np.zeros(2, np.float32))


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of version 1: it tells blue from brown."""
    return version_folder(tmp_path_factory.mktemp("served") / "model")


@pytest.fixture
def blue() -> bytes:
    return planted.saved(planted.picture("blue", "asked"))


@pytest.fixture
def brown() -> bytes:
    return planted.saved(planted.picture("brown", "asked"))


@asynccontextmanager
async def asking(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the app, its lifespan begun; nothing passes through a network."""
    app = create(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        yield client


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    model: Path, log: Path, alone: bool = False, files: int | None = None, **changes: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Yield the address and the process of the whole service, as BentoML or alone as in an image, once it is ready.

    Files are how many it may have open.
    """
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("IRISLINE_", "MLFLOW_"))}
    environment |= {"IRISLINE_MODEL": str(model), "IRISLINE_TRUSTED_KEYS": str(trusted_keys())}
    environment |= {"BENTOML_DO_NOT_TRACK": "True", "PYTHONPATH": str(ROOT), **changes}
    words = ["-m", "bentoml", "serve", "service.service:Irisline", "--host", "127.0.0.1", "--port", str(port)]
    if alone:
        words, environment = ["-m", "service"], environment | {"BENTOML_HOST": "127.0.0.1", "BENTOML_PORT": str(port)}
    limited = ("sh", "-c", f'ulimit -n {files}; exec "$@"', "sh") if files else ()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*limited, sys.executable, *words],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_until_ready(address, process, log)
            yield address, process
        finally:
            process.terminate()
            process.wait(30)


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{address}/readyz", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the service did not get ready\n{log.read_text()[-4000:]}")


def eventually(true: Callable[[], bool], within: float = 60.0) -> bool:
    """Return whether something becomes true in time, in seconds."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="session")
def service(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of the whole service with version 1, started once."""
    with running(served, tmp_path_factory.mktemp("service") / "log") as (address, _):
        yield address
