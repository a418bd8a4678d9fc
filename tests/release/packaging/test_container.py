"""The image, built with podman on a stand-in base and run as it is meant to run: read-only, as nobody, without a shell."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import torch
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from irisline.core import paths
from irisline.core.errors import ReleaseError
from irisline.core.params import Params
from irisline.inference import identity
from irisline.networks import architectures
from irisline.release.packaging import bento, container
from irisline.release.packaging.bento import Kind
from irisline.release.packaging.container import Image
from irisline.release.promotion import registry
from irisline.release.publishing import publishing
from irisline.training import export
from tests import containers
from tests.containers import Podman, Running
from tests.release.conftest import BLUE, CLASSES, fill, put_golden, put_model

pytestmark = pytest.mark.slow

MEGABYTE = 10**6
SIZE = 128  # of the square, as the project serves it
NEVER_SERVED = {
    "fastai",
    "mlflow",
    "dvc",
    "great_expectations",
    "pandas",
    "pyarrow",
    "spacy",
    "torch",
    "pip",
    "setuptools",
}


@pytest.fixture(scope="session")
def engine() -> Podman:
    return containers.podman()


@pytest.fixture(scope="session")
def project_of_resnets(tmp_path_factory: pytest.TempPathFactory, empty_store: Path, settings: Params) -> Iterator[Path]:
    """Yield a project with two versions of the size that is served, not trained; the working directory from then on."""
    home = tmp_path_factory.mktemp("resnets")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        fill(empty_store, settings)
        for seed in (1, 2):
            _put_resnet(settings, seed)
            publishing.publish(settings)
        registry.promote(settings, 1, force=True, reason="not trained")
        yield home


def _put_resnet(settings: Params, seed: int) -> None:
    put_model(settings)
    facts = json.loads((paths.TRAINED / "model.json").read_text())
    built = architectures.build("resnet18", len(CLASSES), "scratch", seed=seed)
    facts |= {"arch": "resnet18", "preprocess": {**facts["preprocess"], "size": SIZE}}
    export.write(built, torch.zeros((2, 3, SIZE, SIZE), dtype=torch.uint8), facts, 1e-3, paths.TRAINED)
    put_golden()


@pytest.fixture(scope="session")
def images(engine: Podman, project_of_resnets: Path, settings: Params) -> Iterator[dict[int, Image]]:
    """Yield the images of both versions; what later builds may use again of them stays for a while."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project_of_resnets)
        for name, value in engine.files.items():
            patch.setenv(name, value)
        patch.setenv("BENTOML_HOME", str(project_of_resnets / "bentoml"))
        built = {number: container.build(settings, number, engine="podman") for number in (1, 2)}
    yield built
    engine.run("rmi", "--force", *(image.tag for image in built.values()))
    engine.run("image", "prune", "--force", "--filter", "until=72h")


@pytest.fixture(scope="session")
def served(engine: Podman, images: dict[int, Image]) -> Iterator[Running]:
    with containers.running(engine, images[1].tag) as found:
        yield found


def test_the_image_is_small_and_its_last_layer_is_the_version(images: dict[int, Image]) -> None:
    found = images[1]
    assert list(found.layers) == ["base", "packages", "code", "version"]
    assert (
        found.size <= 620 * MEGABYTE
    )  # 169 of them OpenCV, which finds the eyes, 15 cryptography, which verifies signatures
    assert found.layers["code"] < 2 * MEGABYTE
    assert 44 * MEGABYTE < found.layers["version"] < 50 * MEGABYTE


def test_another_version_changes_only_the_last_layer(engine: Podman, images: dict[int, Image]) -> None:
    one, two = (engine.inspect(images[number].tag)["RootFS"]["Layers"] for number in (1, 2))
    assert one[:-1] == two[:-1]
    assert one[-1] != two[-1]


def test_it_says_what_it_is_and_runs_as_nobody_without_a_shell(engine: Podman, images: dict[int, Image]) -> None:
    found = engine.inspect(images[2].tag)
    config = found["Config"]
    version = identity.Identity.read(
        Path("bentoml/bentos/eye-colour") / images[2].tag.partition(":")[2] / "src/model/identity.json"
    )
    labels = config["Labels"]
    assert labels["org.opencontainers.image.title"] == "eye-colour"
    assert labels["org.opencontainers.image.version"] == images[2].tag.partition(":")[2] == f"v2-{version.digest[:12]}"
    assert (labels["irisline.version"], labels["irisline.digest"]) == ("2", version.digest)
    assert labels["irisline.git_commit"] == version.source.git_commit
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["python3.11", "-m", "service"]
    assert found["Healthcheck"]["Test"][0] == "CMD"  # not CMD-SHELL
    assert list(config["ExposedPorts"]) == ["3000/tcp"]


def test_nothing_of_the_building_machine_stays(engine: Podman, images: dict[int, Image]) -> None:
    code = """
import os
names = "/build", "/layer", "/etc/pip.conf", "/opt/irisline/bento/src/bentofile.yaml"
print([name for name in names if os.path.exists(name)])
print(sorted(name for name in os.environ if "PIP" in name or "CERT" in name or "proxy" in name.lower()))
"""
    assert engine.python(images[1].tag, code).split("\n")[:2] == ["[]", "[]"]


def test_it_holds_no_package_that_serving_does_not_need(engine: Podman, images: dict[int, Image]) -> None:
    code = "from importlib import metadata; print(*(found.metadata['Name'] for found in metadata.distributions()), sep='\\n')"
    there = {name.lower().replace("_", "-") for name in engine.python(images[1].tag, code).split()}
    locked = (Path("bentoml/bentos/eye-colour") / images[1].tag.partition(":")[2] / bento.REQUIREMENTS).read_text()
    assert there == {line.partition("==")[0] for line in locked.split()}
    assert not there & NEVER_SERVED


def test_the_bill_of_materials_is_valid_and_names_packages_base_and_model(images: dict[int, Image]) -> None:
    text = images[1].sbom.read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found = json.loads(text)["components"]
    addresses = {component.get("purl", "") for component in found}
    assert {"pkg:pypi/bentoml@1.4.39", "pkg:pypi/onnxruntime@1.32.0"} <= {
        address.partition("?")[0] for address in addresses
    }
    assert any(address.startswith("pkg:deb/debian/libc6@") for address in addresses)
    (model,) = [component for component in found if component["type"] == "machine-learning-model"]
    assert model["version"] == "1"
    python = [component for component in found if component.get("purl", "").startswith("pkg:pypi/")]
    licensed = [component for component in python if component.get("licenses")]
    assert len(licensed) > 0.9 * len(python)  # some say it in their text only


def test_it_answers_and_says_which_version_it_is(served: Running) -> None:
    answer = httpx.post(f"{served.address}/predict", files={"image": ("blue.jpg", BLUE, "image/jpeg")}).json()
    assert answer["label"] in CLASSES
    told = httpx.get(f"{served.address}/model").json()
    assert answer["model"] == {name: told[name] for name in ("name", "version", "digest")}
    assert told["version"] == 1
    assert "<!doctype html>" in httpx.get(served.address).text
    assert httpx.get(f"{served.address}/page/style.css").status_code == 200


def test_its_files_cannot_be_written_and_it_is_nobody(engine: Podman, served: Running) -> None:
    code = """
import os, pathlib
print(os.getuid(), os.getgid())
for name in ("/x", "/opt/irisline/x", "/opt/irisline/bento/src/model/x"):
    try:
        pathlib.Path(name).touch()
        print("written", name)
    except OSError as error:
        print(error.strerror)
"""
    told = engine.run("exec", served.name, "python3.11", "-c", code).stdout
    assert told.splitlines() == ["65532 65532", *["Read-only file system"] * 3]


def test_its_health_check_says_how_it_is(engine: Podman, served: Running) -> None:
    assert engine.run("healthcheck", "run", served.name, check=False).returncode == 0
    elsewhere = engine.run(
        "exec", "--env", "BENTOML_PORT=3999", served.name, "python3.11", "-S", "-m", "service.health", check=False
    )
    assert elsewhere.returncode == 1


def test_it_keeps_to_its_memory_while_it_answers(served: Running) -> None:
    with ThreadPoolExecutor(8) as asking:
        pictures = {"image": ("blue.jpg", BLUE, "image/jpeg")}
        answers = list(
            asking.map(lambda _: httpx.post(f"{served.address}/predict", files=pictures, timeout=60), range(200))
        )
    assert {answer.status_code for answer in answers} == {200}
    assert _family(served.process) <= 300 * MEGABYTE  # 60 of them the processes that look at pictures


def _family(process: int) -> int:
    """Return the bytes that a process and all its children hold, what several share divided among them."""
    children = [
        int(child)
        for task in Path(f"/proc/{process}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    held = next(
        line for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines() if line.startswith("Pss:")
    )
    return int(held.split()[1]) * 1024 + sum(map(_family, children))


def test_a_stop_finishes_what_is_in_flight(engine: Podman, images: dict[int, Image]) -> None:
    with containers.running(engine, images[1].tag) as started:
        host, port = "127.0.0.1", int(started.address.rpartition(":")[2])
        with socket.create_connection((host, port), timeout=30) as request:
            head = (
                f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: {len(BLUE)}\r\n\r\n"
            )
            request.sendall(head.encode() + BLUE[:100])
            time.sleep(0.5)
            stopping = threading.Thread(target=engine.run, args=("stop", "--time", "20", started.name))
            stopping.start()
            time.sleep(1)
            with pytest.raises(httpx.TransportError):
                httpx.get(f"{started.address}/model", timeout=1)
            request.sendall(BLUE[100:])
            assert request.recv(64).startswith(b"HTTP/1.1 200")
        stopping.join()
        state = engine.inspect(started.name)["State"]
        assert state["ExitCode"] == 0


def test_the_image_for_gpus_is_built_as_far_as_it_can_be_without_cudas_packages(
    engine: Podman,
    images: dict[int, Image],
    settings: Params,
    project_of_resnets: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(project_of_resnets)
    monkeypatch.setenv("BENTOML_HOME", str(project_of_resnets / "bentoml"))
    built = bento.build(settings, 1, Kind(gpu=True))
    for stage in ("code", "version"):
        dockerfile = str(built.folder / bento.DOCKERFILE)
        engine.run(
            "build", "--file", dockerfile, "--target", stage, "--tag", f"irisline-gpu:{stage}", str(built.folder)
        )
    assert "model.safetensors" in engine.python(
        "irisline-gpu:version", "import os; print(os.listdir('/layer/opt/irisline/bento/src/model'))"
    )
    assert "torch_runtime.py" in engine.python(
        "irisline-gpu:code", "import os; print(os.listdir('/layer/opt/irisline/bento/src/irisline/inference'))"
    )


@pytest.mark.parametrize(
    "told",
    [
        '[{"size":0},{"size":45},{"size":0},{"size":2},{"size":216},{"size":30},{"size":90}]\n',
        '{"Size":"0"}\n{"Size":"45"}\n{"Size":"2"}\n{"Size":"216"}\n{"Size":"0"}\n{"Size":"30"}\n{"Size":"90"}\n',
    ],
    ids=["podman", "docker"],
)
def test_layers_are_read_as_each_engine_tells_them(told: str) -> None:
    assert container.sizes(told) == {"base": 120, "packages": 216, "code": 2, "version": 45}


def test_without_an_engine_that_answers_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    silent = r"docker \(not installed\), podman \(not installed\)"
    with pytest.raises(
        ReleaseError, match=rf"^no container engine answers: {silent}; install podman, or start docker$"
    ):
        container.choose()
    with pytest.raises(ReleaseError, match=r"^no container engine answers: lxc \(not known; docker or podman\)"):
        container.choose("lxc")
