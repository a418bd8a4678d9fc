"""The params that fit the pictures of a new project, each with the reason a person reads beside it.

Looks at a few hundred pictures, drawn by key. Writes nothing.
"""

import json
import math
import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from irisline.core import seeding
from irisline.core.errors import UnreadableImage
from irisline.dataset import images, untrusted_images
from irisline.new_project.layout import Layout, Picture

LOOKED_AT = 300  # pictures
ON_A_LINE = 5  # names
SMALL, LARGE = 64, 96  # pixels of the square that a network from scratch sees
FEW = 20  # pictures of a class; the default of validate.min_per_class


@dataclass(frozen=True)
class Choice:
    """A value of params.yaml as YAML, and why."""

    value: str
    why: str


def short_sides(pictures: Sequence[Picture]) -> list[int]:
    """Return the shorter sides, in pixels, of at most LOOKED_AT readable pictures, drawn by key."""
    drawn = sorted(pictures, key=lambda picture: seeding.unit("look", picture.label, picture.name))[:LOOKED_AT]
    found = []
    for picture in drawn:
        with suppress(UnreadableImage, OSError):
            found.append(min(images.header(untrusted_images.read(picture.file))[:2]))
    return found


def slug(name: str) -> str:
    """Return a name of a model from any text: letters of ASCII, digits and dashes."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower() or "pictures"


def of(layout: Layout, sides: Sequence[int], name: str, mirror: bool = True) -> Mapping[str, Choice]:
    """Return what is chosen, by key of params.yaml."""
    classes, counts = layout.classes, Counter(picture.label for picture in layout.pictures)
    rarest, fewest = min(counts.items(), key=lambda item: item[1])
    chosen = {
        "base.name": Choice(slug(name), "the folder's name"),
        "base.classes": Choice(_listed(classes), f"{len(classes)} classes, {len(layout.pictures)} pictures"),
        "preprocess.size": _size(sides),
        "snapshot.queries": Choice(
            _queries(classes), "the classes' names; say better what shows each, in several ways"
        ),
    }
    if not mirror:
        chosen["augment.mirror"] = Choice("false", "said by --no-mirror")
    if fewest < FEW / 0.8:
        chosen["validate.min_per_class"] = Choice(str(max(4, int(0.8 * fewest))), f"{rarest} has {fewest} pictures")
    even = fewest * len(classes) / len(layout.pictures)
    if even < 0.5:
        why = f"{rarest} has {fewest} pictures, {even:.0%} of an even share"
        chosen["validate.min_class_balance"] = Choice(f"{math.floor(80 * even) / 100:g}", why)
    return chosen


def _size(sides: Sequence[int]) -> Choice:
    side = statistics.median(sides) if sides else LARGE
    size = SMALL if side < LARGE else LARGE
    return Choice(str(size), f"half of the pictures have {side:.0f} pixels or more on the shorter side")


def _listed(classes: Sequence[str]) -> str:
    """Return names as a YAML list, in quotes where YAML would take them for something else; many, one a line."""
    names = [_quoted(name) for name in classes]
    if len(names) <= ON_A_LINE:
        return f"[{', '.join(names)}]"
    return "".join(f"\n    - {name}" for name in names)


def _queries(classes: Sequence[str]) -> str:
    return "".join(f"\n    {_quoted(name)}: [{_quoted(name)}]" for name in classes)


def _quoted(name: str) -> str:
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name)
    return name if plain and name.lower() not in _YAML_WORDS else json.dumps(name, ensure_ascii=False)


_YAML_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"}


def applied(text: str, chosen: Mapping[str, Choice]) -> str:
    """Return params.yaml with values replaced, and above each why; raise KeyError for a key that is not there."""
    lines, section, left = [], "", dict(chosen)
    for line in text.splitlines():
        if re.match(r"[a-z_]+:", line):
            section = line.partition(":")[0]
        key = re.match(r"  ([a-z_]+):", line)
        choice = left.pop(f"{section}.{key[1]}", None) if key else None
        if key and choice:
            _, mark, comment = line.partition(" # ")
            if choice.why:
                lines.append(f"  # {choice.why}:")
            value, *below = f"  {key[1]}: {choice.value}".split("\n")
            lines.append(f"{value.rstrip().ljust(29)} # {comment}" if mark else value)
            lines += below
            continue
        lines.append(line)
    if left:
        raise KeyError(f"no such params: {', '.join(left)}")
    return "\n".join(lines) + "\n"
