"""The compose files: valid for docker and podman, locked down, and every setting can be given."""

import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from service.settings import PREFIX, Settings
from tests.deploy.manifests import DEPLOY
from tests.imports import ROOT

FILES = sorted(DEPLOY.glob("compose*.yaml"))
ON_TOP = {"compose.gpu.yaml"}  # change services of compose.yaml and make none
FIXED = {"model", "device"}  # by the image, and by the file for GPUs


def services(*files: Path) -> dict[str, dict[str, Any]]:
    """Return each service as the file that makes it says it."""
    made = [yaml.safe_load(file.read_text()) for file in files if file.name not in ON_TOP]
    return {name: own for document in made for name, own in document["services"].items() if "image" in own}


every_service = pytest.mark.parametrize(("name", "own"), services(*FILES).items(), ids=lambda value: str(value)[:20])
COMPOSE = services(DEPLOY / "compose.yaml")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_file_is_what_the_compose_specification_describes(file: Path) -> None:
    words = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", file)
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@every_service
def test_a_container_can_do_nothing_but_its_work(name: str, own: dict[str, Any]) -> None:
    assert own["read_only"] is True
    assert own["cap_drop"] == ["ALL"]
    assert own["security_opt"] == ["no-new-privileges"]
    assert {"cpus", "mem_limit", "pids_limit"} <= set(own)
    assert all(re.match(r"/\S+:size=\d+[mg],mode=1777$", place) for place in own["tmpfs"])
    assert own.get("user", "") not in ("root", "0")
    assert not {"privileged", "network_mode", "pid", "devices", "cap_add"} & set(own)
    assert all(":/" in volume and not volume.startswith((".", "/")) for volume in own.get("volumes", []))


@every_service
def test_a_container_is_asked_how_it_is_without_a_shell(name: str, own: dict[str, Any]) -> None:
    assert own["healthcheck"]["test"][0] == "CMD"
    assert not {"sh", "bash", "curl", "wget"} & set(own["healthcheck"]["test"])
    assert own["restart"] == "unless-stopped"


@every_service
def test_nothing_is_open_to_other_machines_unless_asked(name: str, own: dict[str, Any]) -> None:
    for port in own.get("ports", []):
        assert re.match(r"(127\.0\.0\.1|\$\{IRISLINE_BIND:-127\.0\.0\.1\}):", port)


@every_service
def test_images_are_pinned(name: str, own: dict[str, Any]) -> None:
    if name == "service":
        assert own["image"].startswith("${IRISLINE_IMAGE:?")  # compose.sh finds the one built last
    else:
        assert re.search(r":\d+(\.\d+)*(-\w+)?\}?$", own["image"]), own["image"]
        assert "latest" not in own["image"]


def test_every_setting_of_the_service_can_be_given() -> None:
    given = COMPOSE["service"]["environment"]
    own = {PREFIX + name.upper() for name in Settings.model_fields if name not in FIXED}
    assert {name for name in given if name.startswith(PREFIX)} == own
    assert all(given[name].startswith(f"${{{name}") for name in own)
    assert given["IRISLINE_FOLLOW"] == "${IRISLINE_FOLLOW-champion}"  # empty is an answer: stay what you are


def test_every_variable_is_told_of() -> None:
    asked = {name for file in FILES for name in re.findall(r"\$\{(IRISLINE_\w+)", file.read_text())}
    pages = "".join((ROOT / "docs" / page).read_text() for page in ("deploy.md", "serve.md"))
    assert asked <= set(re.findall(r"`(IRISLINE_\w+)`", pages))


def test_a_stop_lasts_as_long_as_what_is_in_flight_may() -> None:
    given = Settings()
    longest = 2 * given.timeout + given.head_timeout + 5
    assert int(COMPOSE["service"]["stop_grace_period"].removesuffix("s")) >= longest


def test_mlflow_takes_requests_by_the_names_it_is_reached_by() -> None:
    own = COMPOSE["mlflow"]
    allowed = re.search(r":-(.*)\}$", own["environment"]["MLFLOW_SERVER_ALLOWED_HOSTS"])[1].split(",")
    told = urlsplit(COMPOSE["service"]["environment"]["MLFLOW_TRACKING_URI"])
    assert told.hostname in COMPOSE
    assert str(told.port) == own["command"][own["command"].index("--port") + 1] == own["ports"][0].rpartition(":")[2]
    for host in (told.netloc, "127.0.0.1:5000", "localhost:5000"):
        assert any(fnmatch(host, pattern) for pattern in allowed), host
    assert not any(fnmatch("evil.example:5000", pattern) for pattern in allowed)


def test_mlflow_is_told_what_it_understands() -> None:
    from mlflow.cli import cli

    program, verb, *words = COMPOSE["mlflow"]["command"]
    options = {name for parameter in cli.commands[verb].params for name in parameter.opts}
    variables = {parameter.envvar for parameter in cli.commands[verb].params}
    assert program == "mlflow"
    assert {word for word in words if word.startswith("--")} <= options
    assert {"MLFLOW_BACKEND_STORE_URI"} <= variables
    assert words[words.index("--workers") + 1] == "1"


def test_what_is_stored_lies_in_volumes() -> None:
    own = COMPOSE["mlflow"]
    (kept,) = [volume.partition(":")[2] for volume in own["volumes"]]
    database = own["environment"]["MLFLOW_BACKEND_STORE_URI"].removeprefix("sqlite:///")
    artifacts = own["command"][own["command"].index("--artifacts-destination") + 1]
    assert Path(database).is_relative_to(kept)
    assert Path(artifacts).is_relative_to(kept)
    postgres = services(DEPLOY / "compose.postgres.yaml")["postgres"]
    assert [volume.partition(":")[2] for volume in postgres["volumes"]] == ["/var/lib/postgresql/data"]


def test_mlflow_and_postgres_agree() -> None:
    document = yaml.safe_load((DEPLOY / "compose.postgres.yaml").read_text())["services"]
    told = document["mlflow"]["environment"]["MLFLOW_BACKEND_STORE_URI"]
    address = urlsplit(re.sub(r"\$\{[^}]*\}", "password", told))
    own = document["postgres"]["environment"]
    assert (address.hostname, address.port) == ("postgres", 5432)
    assert (address.username, address.path) == (own["POSTGRES_USER"], f"/{own['POSTGRES_DB']}")
    assert own["POSTGRES_PASSWORD"].startswith("${IRISLINE_STORE_PASSWORD:?")  # there is no password to guess


def test_the_file_for_gpus_asks_for_one() -> None:
    own = yaml.safe_load((DEPLOY / "compose.gpu.yaml").read_text())["services"]["service"]
    assert Settings.read(own["environment"]).device == "cuda"
    (device,) = own["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}


def test_a_machine_without_an_engine_is_told_what_it_needs(tmp_path: Path) -> None:
    for program in ("bash", "dirname", "grep", "head"):
        (tmp_path / program).symlink_to(shutil.which(program))
    words = (str(DEPLOY / "compose.sh"), "up", "--detach")
    done = subprocess.run(words, capture_output=True, text=True, env={"PATH": str(tmp_path)}, cwd="/", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("compose: needs docker compose or podman-compose")
    assert len(done.stderr.splitlines()) == 1


def test_what_make_leaves_in_env_is_no_part_of_git() -> None:
    words = ("git", "check-ignore", "--quiet", "deploy/.env")
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    assert subprocess.run(words, cwd=ROOT, env=environment, check=False).returncode == 0
