"""A service that follows the champion: promoted, rolled back and spoiled versions, while it answers."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from irisline.core.params import Params
from irisline.release.packaging import version_folder
from irisline.release.promotion import registry
from irisline.release.publishing import version_signature
from irisline.release.signatures import signed, signing
from irisline.release.tracking import store, versions
from tests.inference import test_proof
from tests.release import conftest as releases
from tests.service.conftest import eventually, running

pytestmark = pytest.mark.slow

# The project with two published versions that the tests of releases have, here too.
empty_store, settings, person = releases.empty_store, releases.settings, releases.person
two_versions, published = releases.two_versions, releases.published

JPEG = {"content-type": "image/jpeg"}
Told = Callable[[], dict[str, Any]]


@contextmanager
def follower(folder: Path, **changes: str) -> Iterator[str]:
    """Yield the address of a service that was given version 1 and follows the champion of this project's store."""
    client = store.client()
    version_folder.export(client, "eye-colour", versions.get(client, "eye-colour", 1), folder / "given")
    follow = {"IRISLINE_FOLLOW": "champion", "MLFLOW_TRACKING_URI": store.address(), "IRISLINE_FOLLOW_SECONDS": "0.1"}
    given: dict[str, Any] = {**follow, **changes}
    with running(folder / "given", folder / "log", **given) as (address, _):
        yield address


def test_every_process_ends_when_the_supervisor_is_killed(published: Params, tmp_path: Path) -> None:
    registry.promote(published, 1)
    client = store.client()
    version_folder.export(client, "eye-colour", versions.get(client, "eye-colour", 1), tmp_path / "given")
    follow: dict[str, Any] = {"IRISLINE_FOLLOW": "champion", "MLFLOW_TRACKING_URI": store.address()}
    with running(tmp_path / "given", tmp_path / "log", **follow) as (_, process):
        family = psutil.Process(process.pid).children(recursive=True)
        assert {"irisline.release.serving.watch", "irisline.core.isolated_worker"} <= {
            word for one in family for word in one.cmdline()
        }
        process.kill()
        assert not psutil.wait_procs(family, timeout=20)[1]


def model(address: str) -> dict[str, Any]:
    told: dict[str, Any] = httpx.get(f"{address}/model", timeout=20).json()
    return told


def serves(address: str, number: int) -> bool:
    return int(model(address)["version"]) == number


def test_it_serves_what_is_promoted_and_goes_back_with_a_rollback(published: Params, tmp_path: Path) -> None:
    registry.promote(published, 1)
    with follower(tmp_path) as address:
        assert serves(address, 1)
        answers: list[httpx.Response] = []
        stop = threading.Event()
        asking = threading.Thread(target=_ask, args=(address, answers, stop))
        asking.start()
        registry.promote(published, 2)
        assert eventually(lambda: serves(address, 2))
        registry.rollback(published)
        assert eventually(lambda: serves(address, 1))
        stop.set()
        asking.join()
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.json()["model"]["version"] for answer in answers} == {1, 2}
        assert model(address)["following"] == {"alias": "champion", "state": "following", "refused": None}
        assert 'irisline_swaps_total{result="done"} 2.0' in httpx.get(f"{address}/metrics").text


def _ask(address: str, answers: list[httpx.Response], stop: threading.Event) -> None:
    with httpx.Client() as client:
        while not stop.is_set():
            answers.append(client.post(f"{address}/predict", content=releases.BLUE, headers=JPEG))


def test_it_starts_with_the_champion_whatever_it_was_given(published: Params, tmp_path: Path) -> None:
    registry.promote(published, 2)
    with follower(tmp_path) as address:
        assert serves(address, 2)


def test_a_version_whose_files_were_changed_is_refused_and_the_old_one_answers(
    published: Params, tmp_path: Path, two_versions: Path
) -> None:  # fmt: skip
    registry.promote(published, 1)
    with follower(tmp_path) as address:
        with spoiled(two_versions, published, 2):
            store.client().set_registered_model_alias("eye-colour", "champion", "2")
            assert eventually(lambda: model(address)["following"]["refused"] is not None)
            told = model(address)
        assert told["version"] == 1
        assert told["following"]["refused"]["version"] == 2
        assert "the stored files are not those that were published" in told["following"]["refused"]["reason"]
        assert httpx.post(f"{address}/predict", content=releases.BLUE, headers=JPEG).json()["model"]["version"] == 1
        assert 'irisline_swaps_total{result="refused"} 1.0' in httpx.get(f"{address}/metrics").text
        assert "version 2 is refused" in (tmp_path / "log").read_text()
        assert eventually(lambda: serves(address, 2))  # once its files are whole again
        assert model(address)["following"]["refused"] is None


def test_a_version_that_a_stranger_signed_is_refused_and_the_old_one_answers(
    published: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.promote(published, 1)
    proven = signed.verified(store.client(), "eye-colour", versions.get(store.client(), "eye-colour", 2))
    files = signed.fetch(store.client(), "eye-colour", proven)
    with follower(tmp_path) as address:
        with monkeypatch.context() as stranger:
            stranger.setenv("XDG_CONFIG_HOME", str(tmp_path / "stranger"))
            stranger.setenv("IRISLINE_TRUSTED_KEYS", str(tmp_path / "stranger"))
            named = {name: files / name for name in proven.signed.files}
            signed.attach(store.client(), "eye-colour", proven, signing.sign(proven.signed.manifest, named))
        store.client().set_registered_model_alias("eye-colour", "champion", "2")
        assert eventually(lambda: model(address)["following"]["refused"] is not None)
        told = model(address)
        assert told["version"] == 1
        assert "version 2: is signed by none of the 1 trusted keys" in told["following"]["refused"]["reason"]
        signed.attach(store.client(), "eye-colour", proven, proven.documents)
        assert eventually(lambda: serves(address, 2))


@contextmanager
def spoiled(project: Path, params: Params, number: int) -> Iterator[None]:
    """Change a stored file of a version while the block runs."""
    shutil.rmtree("artifacts/scratch/versions", ignore_errors=True)
    wanted = registry.find(params, number).digest
    (file,) = (
        found for found in (project / store.FILES).rglob("bundle/calibration.json") if _digest(found.parent) == wanted
    )
    kept = file.read_bytes()
    file.write_bytes(kept + b" ")
    try:
        yield
    finally:
        file.write_bytes(kept)


def _digest(folder: Path) -> str:
    from irisline.networks import bundle

    return bundle.digest(folder)


def test_a_store_that_is_out_of_reach_changes_nothing(published: Params, tmp_path: Path) -> None:
    registry.promote(published, 2)
    with follower(tmp_path) as address:
        assert serves(address, 2)
        Path("mlflow.db").rename("away.db")
        Path("mlflow.db").mkdir()
        assert eventually(lambda: model(address)["following"]["state"] != "following")
        assert 'irisline_following{alias="champion"} 0.0' in httpx.get(f"{address}/metrics").text
        assert serves(address, 2)
        Path("mlflow.db").rmdir()
        Path("away.db").rename("mlflow.db")
        assert eventually(lambda: model(address)["following"]["state"] == "following")


def test_with_no_champion_the_version_it_was_given_answers_and_says_why(published: Params, tmp_path: Path) -> None:
    with follower(tmp_path) as address:
        told = model(address)
        assert told["version"] == 1
        assert told["following"]["state"] == "eye-colour has no champion; type irisline promote"
        registry.promote(published, 2)
        assert eventually(lambda: serves(address, 2))


def test_the_same_files_in_another_store_are_that_stores_version(published: Params, tmp_path: Path) -> None:
    with follower(tmp_path) as address:
        assert model(address)["promoted"] is None
        registry.promote(published, 1)  # the very files it was given, told of by this store as its champion
        assert eventually(lambda: model(address)["promoted"] is not None)
        assert serves(address, 1)


def watcher() -> psutil.Process:
    """Return the process that watches this project's store."""
    (found,) = (
        process
        for process in psutil.process_iter(["cmdline"])
        if "irisline.release.serving.watch" in (process.info["cmdline"] or ())
        and str(store.address()) in str(process.environ())
    )
    return found


def test_a_watcher_that_dies_is_started_anew(published: Params, tmp_path: Path) -> None:
    registry.promote(published, 1)
    with follower(tmp_path) as address:
        watcher().kill()
        registry.promote(published, 2)
        started = time.monotonic()
        assert eventually(lambda: serves(address, 2), within=30)
        assert time.monotonic() - started > 1


def test_a_watcher_that_is_stopped_is_told_ended_and_started_anew(published: Params, tmp_path: Path) -> None:
    registry.promote(published, 1)
    with follower(tmp_path) as address:
        stopped = watcher()
        stopped.suspend()
        assert eventually(lambda: "has said nothing" in model(address)["following"]["state"])
        assert 'irisline_following{alias="champion"} 0.0' in httpx.get(f"{address}/metrics").text
        assert eventually(lambda: not stopped.is_running())
        registry.promote(published, 2)
        assert eventually(lambda: serves(address, 2))
        assert model(address)["following"]["state"] == "following"
        watcher().suspend()  # and it ends, in the time that running allows
    said = (tmp_path / "log").read_text()
    assert "following champion: the watcher of champion has said nothing for 10 seconds" in said
    assert "Traceback" not in said


def test_a_version_whose_proof_others_have_killed_is_tried_again(published: Params, tmp_path: Path) -> None:
    registry.promote(published, 1)
    with follower(tmp_path) as address:
        assert serves(address, 1)
        registry.promote(published, 2)

        def refused() -> bool:
            for process in psutil.process_iter(["cmdline"]):
                if "irisline.inference.prover" in (process.info["cmdline"] or ()) and "irisline-" in str(process.info):
                    with suppress(psutil.NoSuchProcess):
                        process.kill()
            return model(address)["following"]["refused"] is not None

        assert eventually(refused)
        assert "ended early (Killed)" in model(address)["following"]["refused"]["reason"]
        assert serves(address, 1)
        assert eventually(lambda: serves(address, 2))
    assert "Traceback" not in (tmp_path / "log").read_text()


def hostile(two_versions: Path, params: Params, spoil: Callable[[Path], None]) -> None:
    """Make version 2 a hostile one by who holds a trusted key: its files are other ones, its digest and signature theirs."""
    from irisline.networks import bundle

    shutil.rmtree("artifacts/scratch/versions", ignore_errors=True)
    wanted = registry.find(params, 2).digest
    (found,) = (
        file.parent
        for file in (two_versions / store.FILES).rglob("bundle/model.json")
        if _digest(file.parent) == wanted
    )
    shutil.copytree(found, found.with_name("kept"))
    spoil(found)
    tags = versions.get(store.client(), "eye-colour", 2).tags | {versions.DIGEST: bundle.digest(found)}
    version_signature.seal(store.client(), "eye-colour", 2, bundle.files(found), tags)
    store.client().set_model_version_tag("eye-colour", "2", versions.DIGEST, tags[versions.DIGEST])


@pytest.fixture
def put_back(two_versions: Path) -> Iterator[None]:
    """Yield the stored files of the project that is made once back as they were."""
    yield
    for kept in (two_versions / store.FILES).rglob("kept"):
        shutil.rmtree(kept.with_name("bundle"))
        kept.rename(kept.with_name("bundle"))


def looping(bundle: Path) -> None:
    (bundle / "model.onnx").write_bytes(test_proof.loop().SerializeToString())


def endless(bundle: Path) -> None:
    answers = bundle / "golden" / "answers.json"
    answers.write_text(answers.read_text().replace("0001.jpg", "/dev/zero"))


@pytest.mark.parametrize(("spoil", "reason"), [(looping, "the operator Loop is none"), (endless, "0.file")])
@pytest.mark.usefixtures("put_back")
def test_a_hostile_version_is_refused_while_the_old_one_answers_and_the_next_is_tried(
    spoil: Callable[[Path], None], reason: str, published: Params, tmp_path: Path, two_versions: Path
) -> None:
    registry.promote(published, 1)
    hostile(two_versions, published, spoil)
    with follower(tmp_path) as address:
        store.client().set_registered_model_alias("eye-colour", "champion", "2")
        assert eventually(lambda: model(address)["following"]["refused"] is not None, within=20)
        told = model(address)
        assert (told["version"], told["following"]["refused"]["version"]) == (1, 2)
        assert reason in told["following"]["refused"]["reason"]
        assert httpx.post(f"{address}/predict", content=releases.BLUE, headers=JPEG).json()["model"]["version"] == 1
        assert 'irisline_swaps_total{result="refused"} 1.0' in httpx.get(f"{address}/metrics").text
        assert "version 2 is refused" in (tmp_path / "log").read_text()
        assert registry.rollback(published, 1).after == 1  # from a champion that cannot be proven
        assert eventually(lambda: model(address)["following"]["state"] == "following")
