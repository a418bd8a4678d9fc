"""Candidates, downloads and fingerprints made up for a test: what they decide is decided without a file or a network."""

from pathlib import Path
from typing import Any

from irisline.data.downloads.download import Download
from irisline.data.fingerprints import Fingerprint
from irisline.data.provenance import FETCHED
from irisline.data.snapshot.journal import Noted
from irisline.data.sources.candidate import Candidate, Query
from irisline.params import Params
from tests import planted

AT = "2026-01-01T00:00:00Z"


def settings(**changes: Any) -> Params:
    """Give params that want two pictures of each class from Openverse; changes named section__key."""
    queries = {label: [f"{label} eye", f"{label} iris"] for label in planted.CLASSES}
    asked = {"snapshot__sources": ["openverse"], "snapshot__queries": queries, "snapshot__per_class": 2}
    return planted.settings(**asked | changes)


def candidate(label: str, name: str, licence: str = "CC-BY-4.0", **changes: Any) -> Candidate:
    """Give a candidate of Openverse; what is not said of it is plain."""
    values = {"provider": "openverse", "rank": 1, "image_url": f"https://images.example/{name}.jpg", "title": name}
    return Candidate(provider_id=name, query=Query(label, f"{label} eye"), licence=licence, **values | changes)


def noted(candidate: Candidate, sha256: str = "", status: str = FETCHED) -> Noted:
    """Give what came of a candidate's address."""
    digest = sha256 or f"sha256 of {candidate.provider_id}"
    if status != FETCHED:
        return Noted(Download(candidate.image_url, status, f"it is {status}"), AT)
    return Noted(Download(candidate.image_url, FETCHED, "", Path(f"{digest}.jpg"), digest, 9, 4, 3, "jpg"), AT)


def fingerprint(number: int) -> Fingerprint:
    """Give a fingerprint that is far from that of every other number, for the first 2**12 numbers."""
    return Fingerprint(f"pixels {number}", sum(31 << 5 * bit for bit in range(12) if number >> bit & 1))
