"""The lock and its parts, and what a package needs here: for the tests that hold one against another."""

import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.imports import ROOT

LOCK = ROOT / "constraints.txt"


def pins(file: Path = LOCK) -> dict[str, str]:
    """Return the versions that a file pins, by name."""
    lines = re.findall(r"^([\w.-]+)==(\S+)$", file.read_text(encoding="utf-8"), re.M)
    return {canonicalize_name(name): version for name, version in lines}


def needed(wanted: Iterable[str]) -> set[str]:
    """Return the names of all that these requirements need here, themselves too."""
    found, waiting = set[tuple[str, frozenset[str]]](), [Requirement(text) for text in wanted]
    while waiting:
        one = waiting.pop()
        key = canonicalize_name(one.name), frozenset(one.extras)
        if key not in found:
            found.add(key)
            needs = [Requirement(text) for text in metadata.requires(one.name) or ()]
            waiting += [need for need in needs if _holds(need, one.extras)]
    return {name for name, _ in found}


def _holds(need: Requirement, extras: set[str]) -> bool:
    return need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras))
