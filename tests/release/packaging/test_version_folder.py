"""A version leaves the registry as a folder that proves itself, with what its device needs and no more."""

import json
from pathlib import Path

import pytest

from irisline.core import paths
from irisline.core.params import Params
from irisline.inference import identity
from irisline.inference.classifier import Classifier
from irisline.networks import bundle
from irisline.release.packaging import version_folder
from irisline.release.promotion import registry
from irisline.release.publishing import publishing
from irisline.release.signatures import signed
from irisline.release.tracking import store
from tests.release.conftest import BLUE


@pytest.fixture
def exported(published: Params) -> tuple[identity.Identity, Path]:
    registry.promote(published, 1)
    target = Path("served")
    return version_folder.export(store.client(), published.base.name, registry.find(published), target), target


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_folder_proves_itself_and_answers(exported: tuple[identity.Identity, Path]) -> None:
    found, folder = exported
    assert identity.verify(folder) == found
    assert Classifier.load(folder).predict([BLUE])[0].label == "blue"


def test_the_identity_is_what_the_registry_says(exported: tuple[identity.Identity, Path], published: Params) -> None:
    found, _ = exported
    version = registry.find(published)
    assert (found.version, found.alias, found.digest, found.run_id) == (1, "champion", version.digest, version.run_id)
    assert (found.precision, found.precision_reason) == ("float32", "int8 changes 1 of 8 test answers")
    assert found.source.data_md5 == "0123456789abcdef0123456789abcdef.dir"
    assert found.metrics["error_rate"] == identity.Metric(value=0.0, low=0.0, high=0.1)
    assert (found.licences, found.providers) == ({"CC0-1.0": 24}, {"drawn": 24})
    history, _ = registry.history(published)
    assert found.promoted == history[0].when.isoformat(timespec="seconds")


def test_a_version_that_was_never_live_says_so(published: Params) -> None:
    found = version_folder.export(store.client(), published.base.name, registry.find(published, 2), Path("served"))
    assert (found.version, found.alias, found.promoted) == (2, "challenger", None)


def test_only_a_gpu_gets_the_weights_for_torch(exported: tuple[identity.Identity, Path], published: Params) -> None:
    _, folder = exported
    version = registry.find(published)
    version_folder.export(store.client(), published.base.name, version, Path("gpu"), gpu=True)
    assert names(Path("gpu")) - names(folder) == {"model.safetensors"}
    assert names(folder) >= {*bundle.NAMES, identity.NAME} - {"model.safetensors"}


def test_an_export_replaces_what_was_there(exported: tuple[identity.Identity, Path], published: Params) -> None:
    _, folder = exported
    (folder / "stale.txt").touch()
    version_folder.export(store.client(), published.base.name, registry.find(published, 2), folder)
    assert identity.verify(folder).version == 2
    assert "stale.txt" not in names(folder)


def test_the_choice_of_int8_travels_with_its_reason(published: Params) -> None:
    client, name = store.client(), published.base.name
    choice = {"chosen": "int8", "reason": "2.9 times faster, no answer changed"}
    (paths.EVALUATE_REPORT / "precision.json").write_text(json.dumps(choice))
    number = publishing.publish(published).version
    found = version_folder.identity(client, name, signed.verified(client, name, registry.find(published, number)))
    assert (found.precision, found.precision_reason) == ("int8", "2.9 times faster, no answer changed")
