"""Candidates, downloads and fingerprints made up for a test: what they decide is decided without a file or a network."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from irisline.collection.downloads.download import Download
from irisline.collection.snapshot.journal import Recorded
from irisline.collection.sources.candidate import Candidate, Query
from irisline.core.params import Params
from irisline.dataset import sources_table
from irisline.dataset.sources_table import FETCHED
from irisline.validation.fingerprints import Fingerprint
from tests import planted
from tests.fakes.catalogue import Work
from tests.fakes.web import Web

AT = "2026-01-01T00:00:00Z"


def settings(**changes: Any) -> Params:
    """Return params that want two pictures of each class from Openverse; changes named section__key."""
    queries = {label: [f"{label} eye", f"{label} iris"] for label in planted.CLASSES}
    asked = {"snapshot__sources": ["openverse"], "snapshot__queries": queries, "snapshot__per_class": 2}
    return planted.settings(**asked | changes)


def candidate(label: str, name: str, licence: str = "CC-BY-4.0", **changes: Any) -> Candidate:
    """Return a candidate of Openverse; what is not said of it is plain."""
    image = f"https://images.example/{name}.jpg"
    values: dict[str, Any] = {"provider": "openverse", "rank": 1, "image_url": image, "title": name}
    return Candidate(provider_id=name, query=Query(label, f"{label} eye"), licence=licence, **values | changes)


def noted(candidate: Candidate, sha256: str = "", status: str = FETCHED) -> Recorded:
    """Return what came of a candidate's address."""
    digest = sha256 or f"sha256 of {candidate.provider_id}"
    if status != FETCHED:
        return Recorded(Download(candidate.image_url, status, f"it is {status}"), AT)
    return Recorded(Download(candidate.image_url, FETCHED, "", Path(f"{digest}.jpg"), digest, 9, 4, 3, "jpg"), AT)


def fingerprint(number: int) -> Fingerprint:
    """Return a fingerprint that is far from that of every other number, for the first 2**12 numbers."""
    return Fingerprint(f"pixels {number}", sum(31 << 5 * bit for bit in range(12) if number >> bit & 1))


def works(label: str, *numbers: int) -> list[Work]:
    """Return works of the fake web; what is odd about one follows from its number."""
    return [Work("openverse", label, number) for number in numbers]


def listed(web: Web, chosen: Iterable[Work], **changes: Any) -> Params:
    """Write the works to a list, urls.csv, and give params that collect from it."""
    with Path("urls.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["label", "url", "licence", "author"])
        table.writerows([work.label, web.url + work.path, work.licence_url, work.author] for work in chosen)
    asked = {"snapshot__sources": ["urls"], "snapshot__urls": "urls.csv", "snapshot__timeout": 2.0}
    return settings(**asked | changes)


def recorded() -> dict[str, sources_table.Line]:
    """Return the lines of the pool's sources.csv by address."""
    return {line["image_url"]: line for line in sources_table.read(Path("data/sources.csv"))}


def status(web: Web, work: Work) -> str:
    """Return what sources.csv says became of a work, or nothing."""
    return recorded().get(web.url + work.path, {}).get("status", "")


def contents(folder: str = "data") -> dict[str, bytes]:
    """Return all files below a folder."""
    return {file.as_posix(): file.read_bytes() for file in sorted(Path(folder).rglob("*")) if file.is_file()}
