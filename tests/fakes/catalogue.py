"""What the fake web holds: works, each a function of its key, so that any server at any time gives the same.

A work is one picture at one provider, found under one class. Every third of the first works of a class is odd in one way.
"""

import uuid
from dataclasses import dataclass
from functools import cached_property

from irisline.core import seeding

PROVIDERS = ("openverse", "commons", "flickr", "brave")
LABELS = ("blue", "brown")
PER_CLASS = 300  # more than Openverse gives for one query

# How the picture of a work answers. What is not listed here answers with the picture.
ODD_PICTURES = (
    "dead", "gone", "denied", "slow", "page", "huge", "private", "metadata", "scheme", "noai", "truncated", "unwell",
    "moved", "busy", "webp", "cmyk", "rotated", "animated", "png", "bomb",
)  # fmt: skip
# What is odd about a work although its picture is well.
ODD_WORKS = ("copy", "near", "both", "noncommercial", "unlicensed", "restricted", "elsewhere")
ODD = (*ODD_WORKS, *ODD_PICTURES)

LICENCES = (("by", "2.0"), ("by-sa", "4.0"), ("cc0", "1.0"), ("pdm", "1.0"), ("by", "4.0"))
HOSTILE = (
    '<b onclick="x()">Bold</b> &amp; <script>alert(1)</script>eyes',
    "two\nlines\r\nand a \x07bell, \u202eturned\u202c",
    "long " * 2000,
    '=HYPERLINK("http://example.org"), "quoted"',
    "Iris – Ирис – 虹膜 – \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
)


@dataclass(frozen=True)
class Work:
    """One picture at one provider."""

    provider: str
    label: str
    number: int

    @property
    def key(self) -> str:
        return f"{self.provider}/{self.label}-{self.number:03d}"

    @property
    def odd(self) -> str:
        """What is odd about it; empty for most."""
        return ODD[self.number // 3] if self.number % 3 == 2 and self.number // 3 < len(ODD) else ""

    @property
    def drawn_as(self) -> str:
        """The key of its pixels: another work's for a copy, the same under all labels or at all providers for some."""
        if self.odd in ("copy", "near"):
            return f"{self.provider}/{self.label}-{self.number - 1:03d}"
        if self.odd == "both":
            return f"{self.provider}/{LABELS[0]}-{self.number:03d}"
        return f"{PROVIDERS[0]}/{self.label}-{self.number:03d}" if self.odd == "elsewhere" else self.key

    @property
    def licence(self) -> tuple[str, str]:
        """Code and version, as Openverse writes them; empty when its provider tells none."""
        if self.odd == "unlicensed":
            return "", ""
        return ("by-nc-sa", "2.0") if self.odd == "noncommercial" else LICENCES[self.number % len(LICENCES)]

    @property
    def licence_url(self) -> str:
        code, version = self.licence
        kind = {"cc0": "publicdomain/zero", "pdm": "publicdomain/mark"}.get(code, f"licenses/{code}")
        return f"https://creativecommons.org/{kind}/{version}/" if code else ""

    @property
    def title(self) -> str:
        return HOSTILE[self.number] if self.number < len(HOSTILE) else f"{self.label.title()} eye {self.number}"

    @property
    def author(self) -> str | None:
        if self.number % 7 == 6:
            return None
        return HOSTILE[(self.number + 1) % len(HOSTILE)] if self.number < len(HOSTILE) else f"Author {self.number % 11}"

    @cached_property
    def uuid(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, self.key))

    @cached_property
    def count(self) -> int:
        """A number of its own, as Commons and Flickr give."""
        return int(uuid.UUID(self.uuid)) % 10**10

    @property
    def path(self) -> str:
        """Where its picture lies on the fake web."""
        return f"/pictures/{self.key}.jpg"


def work_of(path: str) -> Work | None:
    """Return the work whose picture lies at a path."""
    try:
        _, _, provider, name = path.removesuffix(".jpg").split("/")
        label, number = name.split("-")
        work = Work(provider, label, int(number))
    except ValueError:
        return None
    return work if provider in PROVIDERS and label in LABELS else None


def found(provider: str, text: str, per_class: int = PER_CLASS) -> list[Work]:
    """Return the works that a search finds, best first: of the class that the words name, half; another half for others.

    The word `everything` finds all, `few` a twentieth; the order is nearly that of the numbers, so odd ones come early.
    """
    words = text.lower().split()
    label = next((name for name in LABELS if name in words), None)
    share = 1.0 if "everything" in words else 0.05 if "few" in words else 0.5
    works = [Work(provider, label, number) for number in range(per_class)] if label else []
    kept = [work for work in works if seeding.unit("found", text, work.key) < share]
    return sorted(kept, key=lambda work: work.number + 8 * seeding.unit("rank", text, work.key))
