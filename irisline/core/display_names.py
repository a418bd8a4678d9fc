"""Names that other people gave to files and to themselves: compared in one form, shown in one line. Knows no file.

A name may hold any sign that a file system takes: line breaks, marks that turn the direction, commands of a terminal,
markup. As an id it is kept as it is; only what people look at is made from it here.
"""

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageFont

FONT = "mpl-data/fonts/ttf/DejaVuSans.ttf"
LONGEST = 255  # bytes of a file's name on the usual file systems
_JOINERS = "\u200c\u200d"  # part of Persian and Indic spelling and of emoji, though nothing is seen of them
_MARKUP = re.compile(r"([\\`*_{}\[\]()#!|<>~&@:]|(?<!\d)\.|\.(?!\d))")
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")  # not joiners


def same(name: str) -> str:
    """Return the one form of a name's many: macOS takes é apart, most others do not. Two that come to the same are one."""
    return unicodedata.normalize("NFC", name)


def shown(name: str) -> str:
    """Return a name on one line: what cannot be seen, or does something to a screen, as its number."""
    return "".join(sign if sign.isprintable() or sign in _JOINERS else _number(sign) for sign in name)


def short(name: str, signs: int) -> str:
    """Return what shown gives in so many signs at most: both ends of it, for it is there that names differ."""
    whole = shown(name)
    if len(whole) <= signs:
        return whole
    end = signs // 2
    return f"{whole[: signs - 1 - end]}…{whole[len(whole) - end :]}"


def markdown(words: str, signs: int = 200) -> str:
    """Return words that others wrote so that a reader of Markdown sees just them: no link, no markup, no HTML."""
    seen = " ".join(_INVISIBLE.sub(" ", words).split())
    return _MARKUP.sub(r"\\\1", seen if len(seen) <= signs else seen[:signs] + "…")


def code(name: str) -> str:
    """Return a name as Markdown shows code: between more backticks than it has in a row."""
    whole = shown(name)
    fence = "`" * (max((len(row) for row in re.findall("`+", whole)), default=0) + 1)
    edge = " " if whole.startswith(("`", " ")) or whole.endswith(("`", " ")) else ""
    return f"{fence}{edge}{whole}{edge}{fence}"


def distinct(names: Iterable[str], ending: str, room: int = LONGEST) -> Iterator[str]:
    """Return a file's name for each name, in at most so many bytes, none like another on any file system."""
    taken: set[str] = set()
    for name in names:
        for number in count(1):
            end = f"-{number}{ending}" if number > 1 else ending
            given = f"{_cut(name, room - len(os.fsencode(end)))}{end}"
            if (key := same(given).casefold()) not in taken:
                break
        taken.add(key)
        yield given


@cache
def font(pixels: int) -> "ImageFont.FreeTypeFont":
    """Return the letters for pictures that Pillow draws: matplotlib's own, so that figures and sheets know the same signs.

    A sign that they lack is a box. Loads no matplotlib.
    """
    from PIL import ImageFont

    found = find_spec("matplotlib")
    assert found
    assert found.origin
    return ImageFont.truetype(Path(found.origin).parent / FONT, pixels)


def _cut(name: str, room: int) -> str:
    """Return the beginning of a name in at most so many bytes, no sign cut in two."""
    while len(os.fsencode(name)) > room:
        name = name[:-1]
    return name


def _number(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")
