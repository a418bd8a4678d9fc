"""The bytes of candidates: from the journal, from this machine, or from the web. Knows nothing of the pool."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from irisline.collection.downloads import addresses, download, downloader, pictures
from irisline.collection.downloads.download import Download, Limits, Refused
from irisline.collection.snapshot.journal import Journal, Recorded
from irisline.collection.sources import api, providers
from irisline.collection.sources.candidate import Candidate
from irisline.core import paths
from irisline.core.errors import IrislineError, SearchFailed
from irisline.core.params import Params
from irisline.dataset.sources_table import FETCHED

MANY = 5  # addresses: when so many fail together, it is this machine's network that does


def limits(settings: Params) -> Limits:
    """Return the limits of a download, as params and the environment set them."""
    asked = settings.snapshot
    return Limits(
        max_bytes=asked.max_bytes,
        max_side=settings.collect.max_side,
        max_pixels=settings.collect.max_pixels,
        timeout=asked.timeout,
        concurrency=asked.concurrency,
        per_host=asked.per_host,
        agent=api.agent(asked.contact),
        allowed=addresses.allowed_hosts(),
    )


def fetch(
    candidates: Sequence[Candidate], journal: Journal, settings: Params, advance: Callable[[int], None]
) -> dict[str, Recorded]:
    """Return what came of each address; advance is told of each picture as it ends.

    Raise IrislineError when the disk is full, or when no address at all can be reached.
    """
    found: dict[str, Recorded] = {}
    for candidate in candidates:
        known = journal.known.get(candidate.image_url) or _of_this_machine(candidate, journal, settings)
        if known:
            found[candidate.image_url] = known
            advance(1)
    wanted = dict.fromkeys(candidate.image_url for candidate in candidates if candidate.image_url not in found)
    return found | _of_the_web(wanted, journal, settings, advance)


def _of_the_web(
    urls: Iterable[str], journal: Journal, settings: Params, advance: Callable[[int], None]
) -> dict[str, Recorded]:
    found: dict[str, Recorded] = {}

    def done(ended: Download) -> None:
        found[ended.url] = journal.note(ended)
        advance(1)

    if urls := list(urls):
        downloader.fetch_all(urls, journal.blobs, limits(settings), done)
    _blame_the_network(list(found.values()), journal)
    return found


def _blame_the_network(ended: Sequence[Recorded], journal: Journal) -> None:
    """Raise IrislineError where many addresses failed, all in this way, and none was ever reached: no picture is to blame."""
    if len(ended) < MANY or any(noted.download.status != download.UNREACHABLE for noted in ended):
        return
    if not any(url.startswith("http") and known.download.status == FETCHED for url, known in journal.known.items()):
        first = ended[0].download
        raise IrislineError(
            f"none of {len(ended)} pictures could be reached ({first.url}: {first.detail}), so nothing was changed; "
            "see to the network, then type the same command again"
        )


def _of_this_machine(candidate: Candidate, journal: Journal, settings: Params) -> Recorded | None:
    """Return a picture that a provider has at hand, kept beside the fetched ones; None for one that must be fetched."""
    url = candidate.image_url
    try:
        data = providers.local_bytes(candidate, settings)
    except SearchFailed as error:
        return journal.note(Download(url, download.DEAD, str(error)))
    if data is None:
        return None
    return journal.note(_kept(url, data, journal.blobs, settings))


def _kept(url: str, data: bytes, folder: Path, settings: Params) -> Download:
    most, limits = settings.snapshot.max_bytes, settings.collect
    if len(data) > most:
        return Download(url, download.TOO_LARGE, f"{len(data)} bytes are more than {most}")
    try:
        found = pictures.examined(url, data, folder, limits.max_side, limits.max_pixels)
    except Refused as error:
        return Download(url, error.status, error.detail)
    assert found.file
    paths.write_whole(found.file, data)
    return found
