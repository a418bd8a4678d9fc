"""What becomes of a fetched picture: taken, or refused beside what the pool has. Decides by fingerprints, reads no picture."""

from irisline.collection.downloads.download import DAMAGED
from irisline.collection.snapshot import source_lines
from irisline.collection.snapshot.journal import Recorded
from irisline.collection.snapshot.source_lines import SourceLines, label_of, stem_of
from irisline.collection.sources.candidate import Candidate
from irisline.dataset.sources_table import FETCHED, PHASH
from irisline.dataset.take_downs import TakeDowns
from irisline.validation.fingerprints import Fingerprint, Index, distance_of_removed, recorded


class Admission:
    """Admits pictures one after the other; each is held against all that came before it."""

    def __init__(self, ledger: SourceLines, take_downs: TakeDowns, distance: int | None) -> None:
        self.ledger, self.take_downs = ledger, take_downs
        self.reports: list[str] = []  # what a person should look at
        self._index = Index(distance)
        self._taken_down = Index(distance_of_removed(distance))
        for rule in take_downs.rules:
            self._taken_down.add(rule.said, recorded(rule.phash))
        kept_out = ledger.absent(source_lines.CONFLICT)
        self._kept_out = {line["sha256"] for line in kept_out.values()} - {""}
        self._deleted = ledger.absent(FETCHED)  # by a person, whose word it is that such a picture is not wanted
        self._deleted_bytes = {line.get("sha256"): name for name, line in self._deleted.items()}
        for name, line in (kept_out | self._deleted).items():
            self._index.add(name, recorded(line.get(PHASH) or ""))

    def know(self, identity: str, fingerprint: Fingerprint) -> None:
        """Note a picture that is in the pool already."""
        self._index.add(stem_of(identity), fingerprint)

    def admit(self, candidate: Candidate, noted: Recorded, fingerprint: Fingerprint | None) -> None:
        """Take a candidate or refuse it; fingerprint is None where nothing was fetched."""
        found = noted.download
        if fingerprint is None:
            self.ledger.refuse(candidate, found.status, found.detail, noted)
        elif fingerprint.reason:
            self.ledger.refuse(candidate, DAMAGED, fingerprint.reason, noted)
        elif reason := self.take_downs.covers("", "", "", "", found.sha256):
            self.ledger.refuse(candidate, source_lines.TAKEN_DOWN, reason, noted)
        elif reasons := self._taken_down.like(fingerprint):
            detail = f"shows the same as one that was {reasons[0]}"
            self.ledger.refuse(candidate, source_lines.TAKEN_DOWN, detail, noted)
        elif found.sha256 in self._kept_out:
            self._refuse_for_good(candidate, noted, fingerprint, "the same file was found under two labels before")
        else:
            self._beside_the_others(candidate, noted, fingerprint)

    def _beside_the_others(self, candidate: Candidate, noted: Recorded, fingerprint: Fingerprint) -> None:
        label = candidate.query.label
        like = self._index.like(fingerprint)
        elsewhere = [
            name for name in like if label_of(name) != label or self.ledger.status(name) == source_lines.CONFLICT
        ]
        if deleted := self._deleted_bytes.get(noted.download.sha256) or next(filter(self._deleted.get, like), ""):
            detail = f"shows the same as {deleted}, which was deleted by hand"
            self.ledger.refuse(candidate, source_lines.DUPLICATE, detail, noted)
        elif elsewhere:
            for name in elsewhere:
                self._take_out(name, candidate)
            self._refuse_for_good(candidate, noted, fingerprint, f"shows the same as {elsewhere[0]}")
        elif like:
            self.ledger.refuse(candidate, source_lines.DUPLICATE, f"shows the same as {like[0]}", noted)
        else:
            self._index.add(self.ledger.accept(candidate, noted, fingerprint.written), fingerprint)

    def _take_out(self, name: str, candidate: Candidate) -> None:
        """Take a picture of the pool out too, unless no snapshot brought it, as a person's own: that is only reported."""
        if name not in self.ledger.present:
            return
        new = source_lines.stem(candidate.query.label, candidate.provider, candidate.provider_id)
        if self.ledger.is_from_a_search(name):
            self.ledger.take_out(name, f"shows the same as {new}")
        else:
            stays = "it stays, for no snapshot brought it"
            self.reports.append(f"{self.ledger.present[name]}: shows the same as {new}; {stays}")

    def _refuse_for_good(self, candidate: Candidate, noted: Recorded, fingerprint: Fingerprint, detail: str) -> None:
        """Refuse it, and remember what it shows: a third copy must not slip in under either label."""
        self.ledger.refuse(candidate, source_lines.CONFLICT, detail, noted, fingerprint.written)
        name = source_lines.stem(candidate.query.label, candidate.provider, candidate.provider_id)
        self._index.add(name, fingerprint)
