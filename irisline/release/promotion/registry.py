"""Which version is live, and how that changes: promotion by evidence, rollback with the same proof, both journalled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from irisline.core import console
from irisline.core.errors import Busy, GateRefused, NotFound, ReleaseError
from irisline.core.params import Params
from irisline.inference.classifier import Classifier
from irisline.release.promotion import checks, journal, proven_version
from irisline.release.signatures import signed
from irisline.release.tracking import registry_lock, store, versions
from irisline.release.tracking.versions import CHALLENGER, CHAMPION, PREVIOUS, Version

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True)
class Outcome:
    """What a promotion or rollback came to."""

    before: int | None
    after: int
    gate: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether another version is live now."""
        return self.before != self.after


def promote(params: Params, number: int | None = None, reason: str = "", force: bool = False) -> Outcome:
    """Make a version the champion, the challenger when no number is given.

    Raise GateRefused with the failing lines unless forced, NotFound, Busy, or ModelError or ReleaseError when the version
    is not what was signed.
    """
    if force and not reason:
        raise ReleaseError('promote --force: needs --reason "why", which the journal keeps')
    client, model = store.client(), params.base.name
    with store.one_line_failures():
        aliases = versions.aliases_of(client, model)
        version = versions.get(client, model, _candidate(model, aliases, number))
        champion = aliases.get(CHAMPION)
        if champion == version.number:
            return Outcome(champion, champion, ())
        proven = signed.verified(client, model, version, console.fail)
        evidence = checks.of(client, params, proven, champion)
        refused = [check.line for check in evidence if not check.passed]
        if refused and not force:
            raise GateRefused(f"{model} version {version.number} stays out: {'; '.join(refused)}")
        action = "promote (forced)" if refused else "promote"
        return _move(client, model, action, proven, champion, reason, [checks.marked(check) for check in evidence])


def rollback(params: Params, number: int | None = None, reason: str = "") -> Outcome:
    """Make an earlier version the champion again, the previous one when no number is given; raise as promote does.

    A version that was never live has not passed the gate, so that only promote can bring it: raise ReleaseError.
    """
    client, model = store.client(), params.base.name
    with store.one_line_failures():
        aliases = versions.aliases_of(client, model)
        target = number or aliases.get(PREVIOUS)
        if target is None:
            raise NotFound(f"{model} has no previous version; name one: irisline rollback --to V")
        version = versions.get(client, model, target)
        champion = aliases.get(CHAMPION)
        if champion == version.number:
            return Outcome(champion, champion, ())
        if not journal.was_live(client, model, target):
            raise ReleaseError(f"version {target} was never live; type irisline promote {target}")
        proven = signed.verified(client, model, version, console.fail)
        lines = [checks.marked(checks.proof(client, model, proven))]
        return _move(client, model, "rollback", proven, champion, reason, lines)


def retired(params: Params, number: int) -> bool:
    """Return whether a version was live before and is not now: someone chose another, and only a person takes that back."""
    client, model = store.client(), params.base.name
    with store.one_line_failures():
        champion = versions.aliases_of(client, model).get(CHAMPION)
        return champion != number and journal.was_live(client, model, number)


def listing(params: Params) -> list[Version]:
    """Return all versions, newest first."""
    client = store.client()
    with store.one_line_failures():
        return versions.every(client, params.base.name)


def find(params: Params, number: int | None = None) -> Version:
    """Return a version, the champion when no number is given; raise NotFound."""
    client, model = store.client(), params.base.name
    with store.one_line_failures():
        wanted = number or versions.aliases_of(client, model).get(CHAMPION)
        if wanted is None:
            raise NotFound(f"{model} has no champion yet; type irisline promote, or name a version: irisline versions")
        return versions.get(client, model, wanted)


def classifier(params: Params, number: int | None = None) -> tuple[Version, Classifier]:
    """Return a version and its classifier, the champion's when no number is given; raise as proven does."""
    version, client = proven(params, number), store.client()
    with store.one_line_failures():
        return version, proven_version.load(client, params.base.name, version)


def proven(params: Params, number: int | None = None) -> signed.SignedVersion:
    """Return a version as it was signed, and proven; the champion when no number is given; raise as find and promote do."""
    version, client = find(params, number), store.client()
    with store.one_line_failures():
        found = signed.verified(client, params.base.name, version, console.fail)
        proven_version.prove(client, params.base.name, found)
    return found


def history(params: Params) -> tuple[list[journal.Entry], int | None]:
    """Return the journal, newest first, and the champion's number."""
    client, model = store.client(), params.base.name
    with store.one_line_failures():
        return journal.entries(client, model), versions.aliases_of(client, model).get(CHAMPION)


def live_at(params: Params, time: str) -> journal.Entry:
    """Return the entry that made the version live at a time in ISO 8601; raise NotFound before the first promotion."""
    written, champion = history(params)
    return journal.champion_at(written, champion, journal.moment(time))


def _candidate(model: str, aliases: dict[str, int], number: int | None) -> int:
    wanted = number or aliases.get(CHALLENGER) or aliases.get(CHAMPION)
    if wanted is None:
        raise NotFound(f"{model} has no version to promote; type make repro, or irisline publish after it")
    return wanted


def _move(
    client: "MlflowClient",
    model: str,
    action: str,
    version: Version,
    champion: int | None,
    reason: str,
    lines: Sequence[str],
) -> Outcome:
    """Move the aliases under the lock, between the two halves of a journal entry."""
    with registry_lock.held(client, f"{model}.lock", f"{action} {version.number}") as client:
        settle(client, model)
        aliases = versions.aliases_of(client, model)
        if aliases.get(CHAMPION) != champion:
            raise Busy(
                f"{model}: the champion changed from {champion} to {aliases.get(CHAMPION)} while version "
                f"{version.number} was being measured; look at irisline history, then type the same command again"
            )
        change = journal.Change(
            action, champion, version.number, aliases.get(PREVIOUS), reason or "-", tuple(lines), version.digest
        )
        entry = journal.begin(client, model, change)
        _set_aliases(client, model, change, aliases.get(CHALLENGER))
        journal.end(client, entry, happened=True)
    return Outcome(champion, version.number, tuple(lines))


def settle(client: "MlflowClient", model: str) -> None:
    """Close what a killed change left open: it happened when the champion moved, else its half step is undone."""
    for entry in journal.open_entries(client, model):
        change = entry.change
        happened = versions.aliases_of(client, model).get(CHAMPION) == change.after
        if happened:
            _set_aliases(client, model, change, versions.aliases_of(client, model).get(CHALLENGER))
        else:
            _point(client, model, PREVIOUS, versions.existing(client, model, change.previous))
        journal.end(client, entry.entry_id, happened)


def _set_aliases(client: "MlflowClient", model: str, change: journal.Change, challenger: int | None) -> None:
    """Point the aliases where a change leads; the champion last but one, for it decides whether the change happened."""
    _point(client, model, PREVIOUS, versions.existing(client, model, change.before))
    _point(client, model, CHAMPION, change.after)
    if challenger == change.after:
        _point(client, model, CHALLENGER, None)


def _point(client: "MlflowClient", model: str, alias: str, number: int | None) -> None:
    if number is None:
        client.delete_registered_model_alias(model, alias)
    else:
        client.set_registered_model_alias(model, alias, str(number))
