"""What was live before: only that can be rolled back to, and no publish brings it back; hand-made runs do not count."""

import pytest

from irisline.core.errors import NotFound, ReleaseError
from irisline.core.params import Params
from irisline.release.promotion import registry
from irisline.release.tracking import store
from tests.release.promotion.test_commands import typed


def test_publish_does_not_undo_a_rollback(published: Params) -> None:
    registry.promote(published, 1)
    typed("publish", "--promote")
    registry.rollback(published)
    again = typed("publish", "--promote")
    assert again.exit_code == 0
    assert "eye-colour version 2 was live before; irisline promote 2 brings it back\n" in again.stdout
    assert registry.find(published).number == 1
    registry.promote(published, 2)
    assert "version 2 is the champion already" in typed("publish", "--promote").stdout


def test_a_rollback_needs_a_version_that_was_live(published: Params) -> None:
    registry.promote(published, 1)
    with pytest.raises(ReleaseError, match=r"^version 2 was never live; type irisline promote 2$"):
        registry.rollback(published, 2)
    assert registry.find(published).number == 1


def test_a_run_made_by_hand_in_the_journal_is_no_entry(published: Params) -> None:
    registry.promote(published, 1)
    client = store.client()
    client.create_run(store.experiment(client, "eye-colour.journal"))
    registry.promote(published, 2)
    registry.rollback(published)
    assert [entry.change.after for entry in registry.history(published)[0]] == [1, 2, 1]


@pytest.mark.parametrize("number", [2**63, 10**40])
def test_a_number_no_database_holds_is_no_version(number: int, published: Params) -> None:
    with pytest.raises(NotFound, match=f"eye-colour has no version {number}; irisline versions"):
        registry.promote(published, number)
