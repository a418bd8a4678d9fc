"""What a provider gives: candidates, a picture each that could be fetched, with all that is known of it beforehand."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Query:
    """What is looked for: the words, and the class that what is found will be filed under."""

    label: str
    text: str


@dataclass(frozen=True)
class Candidate:
    """One picture that a search found. A field that the provider leaves out is empty."""

    provider: str
    provider_id: str  # the provider's own name of the picture; unique within the provider
    query: Query
    rank: int  # among the answers to its query, from 1
    image_url: str  # http, https, file or drawn
    page_url: str = ""
    title: str = ""
    author: str = ""
    licence: str = ""  # as irisline.dataset.licences writes it: CC-BY-SA-4.0, CC0-1.0, own; empty when unknown
    licence_url: str = ""
    provider_hash: str = ""  # algorithm:hex of the bytes at image_url, where the provider tells it
    restricted: str = ""  # why it may not be used whatever its licence, such as Commons' personality rights


class Provider(Protocol):
    """A place to search."""

    name: str

    def search(self, query: Query, limit: int) -> Iterator[Candidate]:
        """Return at most limit candidates, best first, in an order that a second search would repeat.

        Raise SearchFailed when the provider cannot be reached or refuses, with what to do about it.
        """
        ...
