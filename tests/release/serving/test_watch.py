"""The watcher tells each version once, and each failure once; what it exported is what the registry holds."""

import shutil
from pathlib import Path

import pytest

from irisline.core.params import Params
from irisline.inference import identity
from irisline.release.promotion import registry
from irisline.release.serving.watch import Watch
from irisline.release.signatures import signed
from irisline.release.tracking import store, versions
from tests.core.test_paths import largest_file


@pytest.fixture
def watch(published: Params, tmp_path: Path) -> Watch:
    return Watch("eye-colour", "champion", tmp_path / "watched")


def test_news_is_told_once(watch: Watch, published: Params) -> None:
    registry.promote(published, 1)
    told = watch.look()
    assert told == {"version": 1, "folder": str(watch.folder / "v1")}
    assert identity.verify(Path(told["folder"])).version == 1
    assert watch.look() is None
    registry.promote(published, 2)
    assert watch.look() == {"version": 2, "folder": str(watch.folder / "v2")}
    assert watch.look() is None


def test_a_version_that_is_there_already_is_not_fetched_again(watch: Watch, published: Params) -> None:
    for number in (1, 2):
        registry.promote(published, number)
        watch.look()
    shutil.rmtree("artifacts/scratch/versions", ignore_errors=True)
    stood = (watch.folder / "v1" / "model.onnx").stat().st_ino
    registry.rollback(published)
    shutil.rmtree("artifacts/scratch/versions")
    assert watch.look() == {"version": 1, "folder": str(watch.folder / "v1")}
    assert (watch.folder / "v1" / "model.onnx").stat().st_ino == stood
    renewed = identity.verify(watch.folder / "v1")
    assert renewed.promoted == registry.history(published)[0][0].when.isoformat(timespec="seconds")
    assert not list(Path("artifacts/scratch").glob("versions/*"))


def test_only_the_last_two_versions_are_kept(watch: Watch, published: Params) -> None:
    for number in (1, 2, 1):
        store.client().set_registered_model_alias("eye-colour", "champion", str(number))
        watch.look()
    assert {place.name for place in watch.folder.iterdir()} == {"v1", "v2"}


def test_a_store_out_of_reach_may_stay_so_and_a_broken_version_waits_its_turn(watch: Watch) -> None:
    watch._failed(7, "broken")
    again = watch.again
    for _ in range(1100):
        watch._failed(None, "out of reach")
    assert (watch.failed, watch.again) == (7, again)
    for _ in range(1100):
        watch._failed(7, "broken")
    assert watch.again > again


def test_what_failed_and_is_named_again_is_told_again(watch: Watch, published: Params) -> None:
    for number in (1, 2):
        registry.promote(published, number)
    assert watch.look()["version"] == 2
    seal = versions.get(store.client(), "eye-colour", 1).tags[signed.TAG]
    manifest = next(Path(store.FILES).rglob(f"signed/{seal}/manifest.json"))
    stored = manifest.read_bytes()
    manifest.write_bytes(stored + b" ")
    store.client().set_registered_model_alias("eye-colour", "champion", "1")
    shutil.rmtree("artifacts/scratch/versions", ignore_errors=True)
    assert watch.look()["version"] == 1
    assert watch.failed == 1
    store.client().set_registered_model_alias("eye-colour", "champion", "2")
    assert watch.look() == {}
    store.client().set_registered_model_alias("eye-colour", "champion", "1")
    assert "failed" in watch.look()
    store.client().set_registered_model_alias("eye-colour", "champion", "2")
    watch.look()
    manifest.write_bytes(stored)
    store.client().set_registered_model_alias("eye-colour", "champion", "1")
    assert watch.look() == {"version": 1, "folder": str(watch.folder / "v1")}


def test_a_failure_is_told_once_and_so_is_its_end(watch: Watch, published: Params) -> None:
    assert watch.look() == {"version": None, "failed": "eye-colour has no champion; type irisline promote"}
    assert watch.look() is None
    registry.promote(published, 1)
    assert watch.look()["version"] == 1
    Path("mlflow.db").rename("away.db")
    Path("mlflow.db").mkdir()
    assert "cannot be opened" in watch.look()["failed"]
    assert watch.look() is None
    Path("mlflow.db").rmdir()
    Path("away.db").rename("mlflow.db")
    assert watch.look() == {}
    assert watch.look() is None


@pytest.mark.parametrize("most", [10, 2000])
def test_a_full_disk_is_told_once_however_often_it_is_tried(watch: Watch, published: Params, most: int) -> None:
    registry.promote(published, 1)
    shutil.rmtree("artifacts/scratch/versions", ignore_errors=True)
    with largest_file(most):
        assert "File too large" in watch.look()["failed"]
        for _ in range(3):
            watch.again = 0.0
            assert watch.look() is None
    watch.again = 0.0
    assert watch.look()["version"] == 1
