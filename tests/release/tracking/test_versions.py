"""The folders of fetched versions: first downloads at once, and damage."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from irisline.core.errors import IrislineError, NotFound
from irisline.core.params import Params
from irisline.inference import signature_check
from irisline.networks import version_limits
from irisline.release.promotion import registry
from irisline.release.publishing import publishing
from irisline.release.signatures import signed
from irisline.release.tracking import store, versions
from tests.release.conftest import Train


@pytest.mark.parametrize("whole", [True, False])
def test_a_whole_folder_put_there_meanwhile_is_used_and_a_damaged_one_replaced(
    whole: bool, published: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, version = store.client(), registry.find(published, 1)
    before = versions.download(client, "eye-colour", version)
    if not whole:
        (before / "model.onnx").write_bytes(b"")
    inode = before.stat().st_ino
    after = versions.download(client, "eye-colour", version)
    assert (after.stat().st_ino == inode) is whole
    assert versions._digest(after) == version.digest
    assert list(Path(versions._KEPT).iterdir()) == [after]


@pytest.mark.parametrize(
    ("name", "most"),
    [("bundle/golden/more.jpg", version_limits.ALL_BYTES), ("signed/*/manifest.json", 2 * signature_check.LARGEST)],
)
def test_what_is_larger_than_it_may_be_is_not_fetched(name: str, most: int, train: Train, settings: Params) -> None:
    train()
    publishing.publish(settings)
    folder, _, file = name.rpartition("/")
    (found,) = Path(store.FILES).rglob(folder)
    with (found / file).open("wb") as sparse:
        sparse.truncate(2**33)
    version = versions.get(store.client(), "eye-colour", 1)
    stored = "artifacts/bundle" if folder == "bundle/golden" else f"signed/{version.tags[signed.TAG]}"
    said = rf"version 1: .*: 8[0-9]+ bytes in [28] files, the limits are {most} and .*; type irisline publish"
    with pytest.raises(NotFound, match=said):
        versions.part("eye-colour", version, stored, Path("scratch"), most)
    with pytest.raises(IrislineError):
        registry.promote(settings, 1)
    assert publishing.publish(settings).version == (2 if folder == "bundle/golden" else 1)
    assert registry.promote(settings).changed


EVIL: tuple[Callable[[Path], None], ...] = (
    os.mkfifo,
    lambda place: place.symlink_to("/etc/hostname"),
    lambda place: place.symlink_to("nowhere"),
    lambda place: place.symlink_to("/etc"),
)


@pytest.mark.parametrize("evil", EVIL, ids=["pipe", "link", "link to nowhere", "link to a folder"])
def test_what_is_no_file_of_a_version_is_named(evil: Callable[[Path], None], train: Train, settings: Params) -> None:
    train()
    publishing.publish(settings)
    (golden,) = Path(store.FILES).rglob("bundle/golden")
    evil(golden / "more.jpg")
    with pytest.raises(NotFound, match=r"^eye-colour version 1: .*bundle/golden/more\.jpg.*; type irisline publish"):
        registry.promote(settings, 1)
