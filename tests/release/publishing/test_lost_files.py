"""Files of versions that are gone, changed, or elsewhere since the project was moved: publish brings them back."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from irisline.core import paths
from irisline.core.errors import ModelError
from irisline.core.params import Params
from irisline.release.promotion import registry
from irisline.release.publishing import publishing
from irisline.release.tracking import store, versions
from tests.release.conftest import BLUE, Train
from tests.release.promotion.test_commands import answered, typed
from tests.release.promotion.test_registry import stored_bundle


def lose_all(bundle: Path) -> None:
    shutil.rmtree(bundle.parents[1])


def lose_one(bundle: Path) -> None:
    (bundle / "model.json").unlink()


def change_one(bundle: Path) -> None:
    (bundle / "model.onnx").write_bytes(b"others")


@pytest.mark.parametrize("harm", [lose_all, lose_one, change_one])
def test_files_that_are_gone_are_published_again_as_the_same_version(
    harm: Callable[[Path], None], train: Train, settings: Params
) -> None:
    train()
    publishing.publish(settings)
    digest = registry.find(settings, 1).digest
    harm(stored_bundle(1))
    assert typed("publish").stdout == "eye-colour version 1: published again, for its files were gone\n"
    assert typed("publish").stdout == "eye-colour version 1: is published already, nothing to do\n"
    assert registry.find(settings, 1).digest == digest
    assert registry.promote(settings, 1).after == 1


@pytest.mark.parametrize("file", ["golden/extra.jpg", "golden/notes.txt"])
def test_what_lies_beside_a_version_is_left_there_and_the_version_published_as_another(
    file: str, train: Train, settings: Params
) -> None:
    train()
    publishing.publish(settings)
    beside = stored_bundle(1) / file
    beside.write_bytes(BLUE)
    said = typed("publish").stdout
    assert said == "eye-colour version 2: published again, for the files of an earlier version are gone for good\n"
    assert beside.exists()
    assert registry.promote(settings).after == 2


def test_a_version_whose_place_is_forgotten_is_published_as_another(train: Train, settings: Params) -> None:
    train()
    publishing.publish(settings)
    client = store.client()
    client.delete_logged_model(registry.find(settings, 1).source.removeprefix("models:/"))
    lose_all(next(Path("mlartifacts").rglob("artifacts/bundle")))
    said = typed("publish").stdout
    assert said == "eye-colour version 2: published again, for the files of an earlier version are gone for good\n"
    assert typed("publish").stdout == "eye-colour version 2: is published already, nothing to do\n"
    assert registry.promote(settings).after == 2


def test_a_version_without_its_folder_is_broken_in_the_list_and_says_what_to_type(
    train: Train, settings: Params
) -> None:
    for weight in (0.05, 0.06):
        train(weight=weight)
        publishing.publish(settings)
    lose_all(stored_bundle(1))
    second, first = answered("versions")
    assert second["broken"] is None
    assert first["broken"].startswith("files: not in /")
    with pytest.raises(ModelError, match=r"version 1: its signature is not in the store; type irisline sign 1, or"):
        registry.promote(settings, 1)
    assert registry.promote(settings, 2).after == 2


def go_to(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in another folder, as a new command would: MLflow leaves the address of the last in the environment."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def moved(train: Train, settings: Params, project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with a champion that was moved after it was published, the working directory meanwhile."""
    train()
    publishing.publish(settings)
    registry.promote(settings)
    shutil.rmtree(versions._KEPT)
    target = project.with_name(f"{project.name} moved")
    project.rename(target)
    go_to(target, monkeypatch)
    return target


def test_a_moved_project_finds_its_files(moved: Path, settings: Params) -> None:
    Path("blue.jpg").write_bytes(BLUE)
    first = typed("predict", "blue.jpg", "--no-draw")
    assert first.exit_code == 0, first.exception
    assert first.stderr.endswith("; the addresses of its files have followed\n")
    assert "was moved from" in first.stderr
    assert not typed("versions").stderr
    assert answered("versions")[0]["broken"] is None
    assert typed("publish").stdout.endswith("is published already, nothing to do\n")
    (run_id,) = {version.run_id for version in registry.listing(settings)}
    assert "reports/evaluate" in {file.path for file in store.client().list_artifacts(run_id, "reports")}


def test_a_moved_project_publishes_promotes_and_goes_back_where_it_is_now(
    moved: Path, train: Train, settings: Params
) -> None:
    train(weight=0.06)
    publishing.publish(settings)
    assert registry.promote(settings).after == 2
    assert registry.rollback(settings).after == 1
    assert stored_bundle(2).is_relative_to("mlartifacts")
    assert not Path(str(moved).removesuffix(" moved")).exists()


def test_a_copied_project_has_its_own_files(
    train: Train, settings: Params, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train()
    publishing.publish(settings)
    copy = project.with_name(f"{project.name}_copy")
    shutil.copytree(project, copy)
    go_to(copy, monkeypatch)
    (stored_bundle(1) / "model.onnx").write_bytes(b"others")
    assert publishing.publish(settings).restored
    go_to(project, monkeypatch)
    assert not publishing.publish(settings).changed
    assert (stored_bundle(1) / "model.onnx").read_bytes() == (paths.TRAINED / "model.onnx").read_bytes()
