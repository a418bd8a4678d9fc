"""The folders of fetched versions: first downloads at once, and damage."""

from pathlib import Path

import pytest

from irisline.params import Params
from irisline.release import registry, store, versions


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
