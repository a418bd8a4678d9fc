"""A snapshot of what the providers have: in rounds, until every class has its pictures or nobody has more.

Decides nothing itself. The pool is changed once, at the end; killed before, the same command goes on from the journal.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from irisline.collection.snapshot import contact_sheets, fetching, pool_change, searching
from irisline.collection.snapshot.admission import Admission
from irisline.collection.snapshot.journal import Journal, Recorded, alone
from irisline.collection.snapshot.searching import Searching
from irisline.collection.snapshot.selection import Selection, interleaved
from irisline.collection.snapshot.source_lines import SourceLines
from irisline.collection.sources.candidate import Candidate
from irisline.core import console, paths, recovery
from irisline.core.errors import IrislineError, MissingInput
from irisline.core.params import Params
from irisline.dataset import sources_table, tables, take_downs
from irisline.validation import fingerprints
from irisline.validation.fingerprints import Fingerprint

PATIENCE = 20.0  # seconds to wait for another DVC
BUSY = "it is being blocked by"  # DVC's word for it

Tally = Mapping[tuple[str, str], Mapping[str, int]]  # by class and provider: found, known, and the statuses


@dataclass(frozen=True)
class Outcome:
    """What a snapshot came to."""

    tally: Tally
    short: Mapping[str, int]  # pictures that a class wants yet
    reports: list[str] = field(default_factory=list)  # what a person should look at
    changed: bool = False
    unanswered: tuple[str, ...] = ()  # sources that could not be asked for all that was wanted of them


class Rounds:
    """One run: what the pool has, what is searched, what is decided."""

    def __init__(self, settings: Params, journal: Journal, tell: Callable[[str], None], retry: bool) -> None:
        self.settings, self.journal = settings, journal
        self.files = pool_change.files(paths.POOL, settings.base.classes)
        self.ledger = SourceLines(sources_table.read(paths.POOL / paths.SOURCES), self.files)
        taken_down = take_downs.read(paths.POOL / paths.TAKE_DOWNS)
        self.selection = Selection(settings, self.ledger, taken_down, retry)
        self.admission = Admission(self.ledger, taken_down, settings.split.near_duplicate_distance)
        self.searching = Searching(settings, tell, journal.keep)
        self._knows_the_pool = False

    def fill(self) -> None:
        """Fetch what each class is short of, admit it in order, and again, until none is short or nobody has more."""
        while batch := self._batch({}):
            self._admit(batch, self._fetched(batch))

    def planned(self) -> list[Candidate]:
        """Return what the first round would fetch."""
        planned: list[Candidate] = []
        while batch := self._batch(Counter(candidate.query.label for candidate in planned)):
            planned += batch
        return planned

    def _batch(self, planned: Mapping[str, int]) -> list[Candidate]:
        batch = self.selection.batch(planned)
        while not batch and self._search_deeper(planned):
            batch = self.selection.batch(planned)
        return batch

    def _search_deeper(self, planned: Mapping[str, int]) -> bool:
        """Search for the classes that are short; say whether any search was made."""
        short = [label for label, count in self.selection.short().items() if count > planned.get(label, 0)]
        found = self.searching.deeper(short)
        for label, answers in found.items():
            self.selection.offer(label, interleaved(answers or []))
        return any(answers is not None for answers in found.values())

    def _fetched(self, batch: list[Candidate]) -> dict[str, Recorded]:
        with console.progress("fetching", len(batch)) as advance:
            return fetching.fetch(batch, self.journal, self.settings, advance)

    def _admit(self, batch: list[Candidate], found: Mapping[str, Recorded]) -> None:
        self._know_the_pool()
        files = [file for candidate in batch if (file := found[candidate.image_url].download.file)]
        prints = dict(zip(files, self._fingerprints(files), strict=True))
        for candidate in batch:
            noted = found[candidate.image_url]
            file = noted.download.file
            self.admission.admit(candidate, noted, prints[file] if file else None)

    def _know_the_pool(self) -> None:
        if self._knows_the_pool:
            return
        self._knows_the_pool = True
        with console.progress("reading the pool", len(self.files)) as advance:
            for identity, fingerprint in zip(self.files, self._fingerprints(self.files.values()), strict=True):
                self.admission.know(identity, fingerprint)
                advance(1)

    def _fingerprints(self, files: Iterable[Path]) -> Iterator[Fingerprint]:
        return fingerprints.of_files(files, self.settings.collect, self.settings.execution)


def run(settings: Params, tell: Callable[[str], None], pin: Callable[[], None], retry: bool = False) -> Outcome:
    """Take a snapshot into the pool, and let pin see to it that DVC knows; tell is told of each provider that fails.

    With retry, pictures that failed or were refused before are tried again. Raise IrislineError in one line: the pool is as
    it was then, and what was searched and fetched is kept for the next run.
    """
    _check(settings)
    with alone():
        earlier = _taken_up(Journal(paths.SNAPSHOT, settings), settings, pin)
        journal = Journal(paths.SNAPSHOT, settings)
        rounds = Rounds(settings, journal, tell, retry)
        rounds.fill()
        if rounds.ledger.changed:
            _report(rounds.ledger)
            pool_change.write_down(rounds.ledger, journal)
            _taken_up(journal, settings, pin)
        journal.drop()
    tally = rounds.ledger.tally | {
        key: counts for key, counts in (earlier or {}).items() if key not in rounds.ledger.tally
    }
    changed = rounds.ledger.changed or earlier is not None
    return Outcome(tally, rounds.selection.short(), rounds.admission.reports, changed, rounds.searching.unanswered)


def plan(settings: Params, tell: Callable[[str], None], retry: bool = False) -> tuple[list[Candidate], Outcome]:
    """Return what would be fetched first, without fetching or writing anything."""
    _check(settings)
    rounds = Rounds(settings, Journal(paths.SNAPSHOT, settings, keep=False), tell, retry)
    planned = rounds.planned()
    unanswered = rounds.searching.unanswered
    return planned, Outcome(rounds.ledger.tally, rounds.selection.short(), unanswered=unanswered)


def pin(patience: float = PATIENCE) -> None:
    """Let DVC pin data/ as it is; raise IrislineError when it does not.

    Another DVC at work there is waited for: one of a run that was killed may still be ending. Files that a kill has torn
    are recovered.
    """
    adding, until = f"dvc add {paths.POOL}", time.monotonic() + patience
    while said := _refusal([sys.executable, "-m", "dvc", "add", str(paths.POOL)]):
        recovered = recovery.recover()
        if not (recovered or BUSY in said) or time.monotonic() > until:
            raise IrislineError(
                f"{paths.POOL}/ is changed, but {adding} failed: {said}; correct it, then type {adding}"
            )
        if not recovered:
            time.sleep(0.5)


def _refusal(command: list[str]) -> str:
    """Return what a command says when it fails; nothing when it does not."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # --quiet would keep DVC's errors back
    return " ".join(done.stderr.split()).removeprefix("ERROR: ")[:300] if done.returncode else ""


def _check(settings: Params) -> None:
    searching.check(settings)
    if Path(f"{paths.POOL}.dvc").is_file() and not paths.POOL.is_dir():
        raise MissingInput(f"{paths.POOL}/: not fetched yet, and {paths.POOL}.dvc pins one; type make data first")
    if paths.POOL.is_dir() and not os.access(paths.POOL, os.W_OK):
        raise IrislineError(f"{paths.POOL}/: you may not write there; mind who owns the folder")


def _taken_up(journal: Journal, settings: Params, pin: Callable[[], None]) -> Tally | None:
    """Do the change of the pool that is written down, by this run or one that was cut off."""
    tally = pool_change.take_up(journal, settings.base.classes)
    if tally is None:
        return None
    contact_sheets.draw(paths.POOL, settings)
    pin()
    journal.drop()
    return {(label, provider): counts for label, provider, counts in tally}


def _report(ledger: SourceLines) -> None:
    """Write why each picture was refused, in a sentence."""
    rows = ((name, ledger.status(name), why) for name, why in ledger.details.items())
    paths.write_whole(paths.SNAPSHOT_REPORT / "refused.csv", tables.as_csv(("id", "status", "why"), rows))
