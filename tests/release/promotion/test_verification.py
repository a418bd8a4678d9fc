"""A running service held against the registry, the lock and git: the first thing that differs is named."""

import subprocess
from pathlib import Path

import pytest

from irisline.core.errors import IrislineError, ReleaseError
from irisline.core.params import Params
from irisline.release.packaging import version_folder
from irisline.release.promotion import registry, verification
from irisline.release.publishing import publishing
from irisline.release.tracking import store, versions
from tests.fakes import hostile
from tests.release.conftest import Train
from tests.service.conftest import free_port, running

pytestmark = pytest.mark.slow


def git(*words: str) -> None:
    identity = ("-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *identity, *words], check=True, capture_output=True)


def commit() -> None:
    git("add", "--all", "--", "params.yaml", "data.dvc", ".gitignore", "code.py")
    git("commit", "--quiet", "--message=as it is")


@pytest.fixture
def champion(train: Train, settings: Params) -> Path:
    """Publish and promote a version from a git repository; give its folder as a service is given one."""
    Path(".gitignore").write_text("/artifacts\n/reports\n/mlflow.db\n/mlartifacts\n/given\n/log\n/dvc.lock\n")
    Path("code.py").write_text("1\n")
    Path("dvc.lock").write_text("lock\n")
    git("init")
    commit()
    train()
    publishing.publish(settings)
    registry.promote(settings)
    client = store.client()
    version_folder.export(client, "eye-colour", versions.get(client, "eye-colour", 1), Path("given"))
    return Path("given").absolute()


def differs(params: Params, address: str) -> str:
    with pytest.raises(IrislineError) as told:
        verification.verify(params, address)
    return str(told.value).removeprefix(f"{address}: ")


def test_what_should_be_served_is_told_from_what_should_not(champion: Path, train: Train, settings: Params) -> None:
    with running(champion, Path("log").absolute()) as (address, _):
        found = verification.verify(settings, address)
        assert [one.what for one in found] == ["name", "version", "digest", "files", "run", "dvc.lock", "data", "git"]

        Path("code.py").write_text("2\n")
        commit()
        assert "git: the service has" in differs(settings, address)
        assert "code.py differs" in differs(settings, address)

        pinned = Path("data.dvc").read_text()
        Path("data.dvc").write_text(pinned.replace("0123", "3210"))
        assert differs(settings, address).startswith("data: the service has 0123456789ab")

        Path("dvc.lock").write_text("another\n")
        assert differs(settings, address).startswith("dvc.lock: the service has")

        train(weight=0.06)
        publishing.publish(settings)
        registry.promote(settings, 2, force=True, reason="to see it told")
        assert differs(settings, address) == "version: the service has 1, the registry's champion says 2"

        other = settings.model_copy(update={"base": settings.base.model_copy(update={"name": "hair-colour"})})
        assert differs(other, address) == "name: the service has eye-colour, params.yaml says hair-colour"


def test_a_service_that_wants_a_key_is_asked_with_one(
    champion: Path, settings: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(champion, Path("log").absolute(), IRISLINE_API_KEYS="sesame") as (address, _):
        with pytest.raises(ReleaseError, match=r"GET /model gave 401; set IRISLINE_API_KEY$"):
            verification.ask(address)
        monkeypatch.setenv("IRISLINE_API_KEY", "sesame")
        assert verification.ask(address)["version"] == 1


def test_nobody_there_is_one_line() -> None:
    with pytest.raises(ReleaseError, match=r"cannot be asked: .*; is the service running there\?$"):
        verification.ask(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ReleaseError, match=r"cannot be asked: "):
        verification.ask("not an address")


@pytest.mark.parametrize("dripping", ["head", "body"])
def test_a_service_that_drips_is_not_waited_for(dripping: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "PATIENCE", 0.4)
    start = {"head": b"HTTP/1.1 200 OK\r\nX: ", "body": hostile.head() + b"{"}[dripping]
    with (
        hostile.running({"service": hostile.forever(start, b" ", pause=0.05)}) as server,
        pytest.raises(ReleaseError, match=r"GET /model gave no whole answer within 0\.4 s; is it this service\?$"),
    ):
        verification.ask(server.url("service"))


def test_a_service_that_says_too_much_is_none_of_ours() -> None:
    with (
        hostile.running({"service": hostile.forever(hostile.head(), bytes(2**16))}) as server,
        pytest.raises(ReleaseError, match="gave something else than a version"),
    ):
        verification.ask(server.url("service"))
