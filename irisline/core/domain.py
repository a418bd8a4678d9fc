"""What a domain tells, as types: where it looks in a picture, its words, the groups of its facts, and how it perturbs.

A domain is a room of its own that makes these; `irisline/domains/` says which there are. Knows none of them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Region:
    """A square cut from a picture; the index of its subject (0 is the nearest); the circle around what it shows, in pixels."""

    square: Image.Image
    subject: int
    x: float
    y: float
    radius: float


@dataclass(frozen=True, kw_only=True)
class Regions:
    """How regions are found: in an upright RGB picture, as squares of so many pixels, those of the nearest subject first."""

    find: Callable[[Image.Image, int], list[Region]]
    max_per_picture: int


@dataclass(frozen=True, kw_only=True)
class Wording:
    """What a domain calls what it looks at, and how much colour an answer needs."""

    region: str  # a noun
    target: str  # the same with its article
    nothing_found: str  # why nothing is said of a picture
    regions_disagree: str  # why an answer is unsure when regions of a subject differ, with places for two labels
    subjects_disagree: str  # and when subjects do, with a place for how many there are
    least_colour: int = 0  # of 255, the least difference between bands of what can be told; 0: grey will do


@dataclass(frozen=True, kw_only=True)
class CardText:
    """What a domain adds to the model card: what the network sees, what it is not for, how it fails, what is owed to whom."""

    looks_at: str
    intended_use: Sequence[str]
    known_failures: Sequence[str]  # with a place for the classes
    ethics: Sequence[str] = ()


@dataclass(frozen=True)
class Cut:
    """A fact and its groups: their names from the lowest values on, and the value from which each but the first begins."""

    fact: str
    title: str
    names: tuple[str, ...]
    limits: tuple[float, ...]

    def group(self, value: float) -> str:
        """Return the name of a value's group."""
        return self.names[int(np.searchsorted(self.limits, value, side="right"))]


@dataclass(frozen=True, kw_only=True)
class Perturbations:
    """How upright RGB pictures are changed to test a classifier: in what must not matter, and in what must.

    A change is given what was detected in the picture. One that cannot be made to it gives None.
    """

    invariant: Collection[str]  # names of changes after which no answer may flip
    apply: Callable[[str, Image.Image, Any, np.random.Generator], Image.Image | None]  # makes one of them
    taught_by: Mapping[str, str] = field(default_factory=dict)  # which param of augment shows training the like of each
    background: Collection[str] = frozenset()  # those of them that change nothing but what lies around
    detect: Callable[[Image.Image], Any] = lambda picture: ()  # what changes are made around
    scale: Callable[[Image.Image], float] = lambda picture: 1.0  # its size, as a share of the picture's longer side
    directional: Collection[str] = ()  # names of changes towards another class, which every answer must follow
    class_feature: Callable[[Image.Image], Any] = lambda picture: (
        None
    )  # what shows the class and could be given to others
    class_prototype: Callable[[Sequence[Any], Sequence[Any]], Any] = lambda own, others: (
        None
    )  # of its features, and others'
    apply_towards: Callable[[str, Image.Image, Any, Any], Image.Image | None] = lambda *_: (
        None
    )  # gives that to a picture
