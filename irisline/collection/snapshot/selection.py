"""Which candidates are fetched next, and which are refused before a byte of them is. Pure: asks nobody, touches no file."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, zip_longest

from irisline.collection.snapshot import source_lines
from irisline.collection.snapshot.source_lines import SourceLines, stem
from irisline.collection.sources.candidate import Candidate
from irisline.core.params import Params
from irisline.dataset import licences
from irisline.dataset.sources_table import FETCHED
from irisline.dataset.take_downs import TakeDowns

Found = Sequence[Sequence[Iterable[Candidate]]]  # by source, by query, best first


def interleaved(found: Found) -> list[Candidate]:
    """Return the candidates of a class in the order they are tried: sources in order; within one, its queries in turn.

    The first of every query, then the second of every query: each way to ask has its say.
    """
    turns = chain.from_iterable(zip_longest(*queries) for queries in found)
    return [candidate for turn in turns for candidate in turn if candidate is not None]


class Selection:
    """The candidates of each class, in order, and the rules that keep them out."""

    def __init__(self, settings: Params, ledger: SourceLines, take_downs: TakeDowns, retry: bool = False) -> None:
        self.settings, self.ledger, self.take_downs, self.retry = settings, ledger, take_downs, retry
        self.classes = settings.base.classes
        self._waiting: dict[str, deque[Candidate]] = {label: deque() for label in self.classes}
        self._offered: set[str] = set()

    def offer(self, label: str, candidates: Iterable[Candidate]) -> int:
        """Add candidates of a class behind those that wait; give how many were new."""
        before = len(self._offered)
        for candidate in candidates:
            name = stem(label, candidate.provider, candidate.provider_id)
            if name not in self._offered:
                self._offered.add(name)
                self._waiting[label].append(candidate)
                self.ledger.tally[label, candidate.provider]["found"] += 1
        return len(self._offered) - before

    def short(self) -> dict[str, int]:
        """Return how many pictures each class wants yet; one that wants none is left out."""
        wanted = self.settings.snapshot.per_class
        missing = {label: wanted - self.ledger.held(label, self.settings.snapshot.sources) for label in self.classes}
        return {label: count for label, count in missing.items() if count > 0}

    def batch(self, planned: Mapping[str, int] | None = None) -> list[Candidate]:
        """Return as many candidates of each class as it wants, in order; note those that are refused on the way.

        A class wants so many less as are planned for it already.
        """
        batch = []
        for label, count in self.short().items():
            taken = (planned or {}).get(label, 0)
            while taken < count and self._waiting[label]:
                candidate = self._waiting[label].popleft()
                if self._passes(candidate):
                    batch.append(candidate)
                    taken += 1
        return batch

    def _passes(self, candidate: Candidate) -> bool:
        name = stem(candidate.query.label, candidate.provider, candidate.provider_id)
        if self._is_known(name):
            self.ledger.tally[candidate.query.label, candidate.provider]["known"] += 1
            return False
        status, detail = self._refusal(candidate)
        if status:
            self.ledger.refuse(candidate, status, detail)
        return not status

    def _is_known(self, name: str) -> bool:
        status = self.ledger.status(name)
        again = self.retry and status not in (FETCHED, *source_lines.FOR_GOOD)
        return name in self.ledger.present or (bool(status) and not again)

    def _refusal(self, candidate: Candidate) -> tuple[str, str]:
        """Return a status and a sentence, both empty for a candidate that may be fetched."""
        reason = self.take_downs.covers(
            candidate.provider, candidate.provider_id, candidate.image_url, candidate.author, "", candidate.page_url
        )
        if reason:
            return source_lines.TAKEN_DOWN, reason
        if candidate.restricted:
            return source_lines.RESTRICTED, candidate.restricted
        if candidate.licence == licences.OWN and candidate.provider not in ("folder", "urls"):
            return source_lines.LICENCE_REFUSED, "only your own folder or list may say own"
        if not licences.accepted(candidate.licence, self.settings.snapshot.licences):
            named = candidate.licence or "unknown"
            return source_lines.LICENCE_REFUSED, f"its licence, {named}, is not one of snapshot.licences"
        return self._under_another_label(candidate)

    def _under_another_label(self, candidate: Candidate) -> tuple[str, str]:
        """Refuse what the same provider gives for two classes: nothing tells which of them it is."""
        for label in self.classes:
            name = stem(label, candidate.provider, candidate.provider_id)
            if label == candidate.query.label:
                continue
            if name in self.ledger.present and self.ledger.is_from_a_search(name):
                self.ledger.take_out(name, f"was found for {candidate.query.label} too")
            elif name not in self._offered and self.ledger.status(name) != source_lines.CONFLICT:
                continue
            return source_lines.CONFLICT, f"was found for {label} too"
        return "", ""
