"""Every change of the champion, as entries that are never rewritten: who, when, from, to, why and on what evidence.

An entry is a run of the experiment "<model>.journal". It is written before an alias moves and ended after, so that a
change cut off in the middle can be told from one that happened.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, Json, ValidationError

from irisline.core.errors import NotFound, ReleaseError
from irisline.release.tracking import store

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


PASSED, FAILED = "✓", "✗"
BROKEN = "broken"  # the state of an entry that cannot be read
_ACTION = "irisline.action"
_Line = Annotated[str, Field(max_length=10_000)]
_Number = Annotated[str, Field(pattern=r"^(none|[1-9][0-9]{0,17})$")]


@dataclass(frozen=True)
class Change:
    """What is about to be done to the aliases."""

    action: str  # promote, promote (forced) or rollback
    before: int | None  # the champion until now
    after: int  # the champion from now on
    previous: int | None  # what the alias "previous" named until now
    why: str
    gate: tuple[str, ...]  # one line per check, a mark in front
    digest: str

    @property
    def verdict(self) -> str:
        """The checks that failed, or that none did."""
        failed = [line for line in self.gate if line.startswith(FAILED)]
        return "; ".join(failed) or f"{len(self.gate)} of {len(self.gate)} passed"


@dataclass(frozen=True)
class Entry:
    """One line of the journal."""

    entry_id: str
    state: str  # done, cut off, under way or broken
    when: datetime
    who: str
    change: Change

    def document(self) -> dict[str, Any]:
        """Return the entry as JSON takes it."""
        return {"state": self.state, "when": self.when.isoformat(), "who": self.who, **asdict(self.change)}


def begin(client: "MlflowClient", model: str, change: Change) -> str:
    """Write an open entry; give its id."""
    tags = {
        _ACTION: change.action,
        "irisline.from": _text(change.before),
        "irisline.to": str(change.after),
        "irisline.previous": _text(change.previous),
        "irisline.why": change.why,
        "irisline.gate": json.dumps(change.gate),
        "irisline.digest": change.digest,
        "irisline.who": store.user(),
        "mlflow.note.content": "\n".join([change.why, "", *(f"- {line}" for line in change.gate)]),
    }
    name = f"{change.action} {_text(change.before)} to {change.after}"
    return str(client.create_run(store.experiment(client, _experiment(model)), tags=tags, run_name=name).info.run_id)


def end(client: "MlflowClient", entry_id: str, happened: bool) -> None:
    """Close an entry: the aliases have moved, or never will."""
    client.set_terminated(entry_id, "FINISHED" if happened else "FAILED")


def open_entries(client: "MlflowClient", model: str) -> list[Entry]:
    """Return the entries that were never closed, oldest first."""
    return [entry for entry in reversed(entries(client, model)) if entry.state == "under way"]


def entries(client: "MlflowClient", model: str) -> list[Entry]:
    """Return every entry, newest first."""
    found = client.get_experiment_by_name(_experiment(model))
    if found is None:
        return []
    rows: list[Entry] = []
    token: str | None = None
    while True:
        page = client.search_runs([found.experiment_id], order_by=["attributes.start_time DESC"], page_token=token)
        rows += [_entry(run) for run in page if _ACTION in run.data.tags]  # people can make runs here too
        token = page.token
        if not token:
            return rows


def was_live(client: "MlflowClient", model: str, number: int) -> bool:
    """Return whether a finished change ever made this version the champion."""
    return any(entry.state == "done" and entry.change.after == number for entry in entries(client, model))


def champion_at(written: Sequence[Entry], champion: int | None, time: datetime) -> Entry:
    """Return the entry that made the champion of that time; an entry left open counts when its version is champion now.

    Raise NotFound when no version had been promoted by then.
    """
    for entry in written:
        happened = entry.state == "done" or (entry.state == "under way" and entry.change.after == champion)
        if happened and entry.when <= time:
            return entry
    raise NotFound(f"no version was live at {time.isoformat(timespec='seconds')}; irisline history shows every change")


def moment(text: str) -> datetime:
    """Return the time that ISO 8601 text stands for; UTC when it names no zone, midnight when it names no hour."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise ReleaseError(f"{text}: not a time; write it as 2026-03-01 or 2026-03-01T14:30+01:00") from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


class _Tags(BaseModel):
    """What the tags of an entry say; whoever writes to the store can write anything there."""

    model_config = ConfigDict(frozen=True, strict=True)

    action: Annotated[_Line, Field(alias=_ACTION)]
    before: _Number = Field(alias="irisline.from")
    after: _Number = Field(alias="irisline.to")
    previous: _Number = Field(alias="irisline.previous")
    why: _Line = Field(alias="irisline.why")
    gate: Json[list[_Line]] = Field(alias="irisline.gate")
    digest: _Line = Field(alias="irisline.digest")
    who: _Line = Field(alias="irisline.who")


def _entry(run: "Run") -> Entry:
    """Return the entry that a run holds; one that cannot be read is broken, and says why."""
    run_id, when, wrong = str(run.info.run_id), datetime.fromtimestamp(0, UTC), ""
    try:
        when = datetime.fromtimestamp(run.info.start_time / 1000, UTC)
        told = _Tags.model_validate(run.data.tags)
        after = int(told.after)
    except ValidationError as error:
        wrong = f"{error.errors()[0]['loc'][0]}: {error.errors()[0]['msg'][:100]}"
    except (TypeError, ValueError, OverflowError, OSError):
        wrong = "irisline.to or its time is no number"
    if wrong:
        return Entry(
            run_id, BROKEN, when, "-", Change("-", None, 0, None, f"broken: {wrong}; delete run {run_id}", (), "")
        )
    before, previous = _number(told.before), _number(told.previous)
    change = Change(told.action, before, after, previous, told.why, tuple(told.gate), told.digest)
    state = {"FINISHED": "done", "RUNNING": "under way"}.get(run.info.status, "cut off")
    return Entry(run_id, state, when, told.who, change)


def _experiment(model: str) -> str:
    return f"{model}.journal"


def _text(version: int | None) -> str:
    return "none" if version is None else str(version)


def _number(text: str) -> int | None:
    return None if text == "none" else int(text)
