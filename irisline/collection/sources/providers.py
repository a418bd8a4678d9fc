"""Which providers there are, which are refused and why, and how one is made from params and the environment.

Knows no provider's manners: each has a file of its own.
"""

import os
from collections.abc import Callable

from irisline.collection.sources import drawn
from irisline.collection.sources.answer_cache import Answers
from irisline.collection.sources.api import Setup
from irisline.collection.sources.brave import Brave
from irisline.collection.sources.candidate import Candidate, Provider
from irisline.collection.sources.commons import Commons
from irisline.collection.sources.ddgs import Ddgs, library
from irisline.collection.sources.flickr import Flickr
from irisline.collection.sources.folder import Folder
from irisline.collection.sources.openverse import Openverse
from irisline.collection.sources.urls import Urls
from irisline.core.errors import SearchFailed
from irisline.core.params import Params

KNOWN: dict[str, Callable[[Params, Answers | None], Provider]] = {
    "openverse": lambda settings, answers: Openverse(_setup(settings, answers)),
    "commons": lambda settings, answers: Commons(_setup(settings, answers)),
    "flickr": lambda settings, answers: Flickr(_setup(settings, answers)),
    "brave": lambda settings, answers: Brave(_setup(settings, answers)),
    "ddgs": lambda settings, answers: Ddgs(library(), answers=answers),
    "folder": lambda settings, answers: Folder(settings.snapshot),
    "urls": lambda settings, answers: Urls(settings.snapshot, settings.base.classes),
    "drawn": lambda settings, answers: drawn.Drawn(settings.base.seed, settings.base.classes),
}
WITHOUT_WORDS = frozenset({"folder", "urls", "drawn"})
"""Providers that look at a query's class only: one query of a class gives all there is."""
UNKEPT = frozenset({"brave"})
"""Providers whose terms may forbid to store what they answer: it is known to one run, and never written down."""

REFUSED = {
    "pexels": "its terms forbid to build data sets or to train models with its API (help.pexels.com, article 900005880463)",
    "unsplash": "its API guidelines rule out training models (help.unsplash.com, article 2511256)",
    "pixabay": "its API forbids systematic mass downloads (pixabay.com/api/docs)",
    "bing": "its API was retired on 2025-08-11",
    "google": "its search API takes no new customers and ends on 2027-01-01",
}


def provider(name: str, settings: Params, answers: Answers | None = None) -> Provider:
    """Return the provider of that name; it reads its key from the environment, and searches nothing yet.

    What it is asked is kept in answers, if given, and not asked again.

    Raise SearchFailed for one that is refused, with the reason, for one that nobody knows, and for one that lacks a key, a
    contact, a file or a library.
    """
    if reason := REFUSED.get(name):
        raise SearchFailed(f"{name}: refused: {reason}; choose from {', '.join(KNOWN)}")
    if name not in KNOWN:
        raise SearchFailed(f"snapshot.sources: {name!r} is no provider; choose from {', '.join(KNOWN)}")
    return KNOWN[name](settings, answers)


def _setup(settings: Params, answers: Answers | None) -> Setup:
    return Setup(settings=settings.snapshot, environment=os.environ, answers=answers)


def local_bytes(candidate: Candidate, settings: Params) -> bytes | None:
    """Return the bytes of a picture of this machine, a file or a drawn one; None for one that must be fetched.

    What is local is the provider's name to say: an address from the web that begins with file: is not believed. Of a file
    longer than snapshot.max_bytes the first snapshot.max_bytes + 1 are given. Raise SearchFailed when it cannot be read or
    drawn any more.
    """
    if candidate.provider == Folder.name:
        return Folder(settings.snapshot).read(candidate)
    return drawn.read(candidate) if candidate.provider == drawn.Drawn.name else None
