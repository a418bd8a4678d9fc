"""Which pictures belong together whatever they look like in detail: a group that sources.csv names, the frames of a clip.

A clip is found by itself: files whose names differ in the frame's number only, of which each looks much like the one
before. The names alone are not enough: cameras number all their pictures.
"""

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from irisline.dataset import thumbnails
from irisline.validation import near_duplicates, same_picture
from irisline.validation.near_duplicates import Pairs

NAMED = "group "
BITS = 8  # of the 64 of a perceptual hash that may differ from one frame to the next
_NUMBER = re.compile(r"[0-9]+(?=[^0-9]*\.[^.]*$)")  # the last one, before the ending


def units(table: pd.DataFrame) -> list[str]:
    """Return for each readable row what its split is drawn by: "group NAME", or the sha256 of a picture.

    The picture is the first frame of the clip that the row is in, else the row's own: frames that are added behind move
    nothing. The table has id, sha256, phash, thumbnail and given_group; its rows may come in any order.
    """
    ids, sha256s = table["id"].tolist(), table["sha256"].tolist()
    names = [name if isinstance(name, str) else None for name in table["given_group"]]
    links = near_duplicates.joined(_clips(table), chained(names))
    numbers = near_duplicates.components(len(table), links).tolist()
    first: dict[int, str] = {}
    named: dict[int, str] = {}
    for place in sorted(range(len(ids)), key=lambda place: (_number(ids[place]), ids[place])):
        first.setdefault(numbers[place], sha256s[place])
        if name := names[place]:
            named[numbers[place]] = min(name, named.get(numbers[place], name))
    return [f"{NAMED}{named[number]}" if number in named else first[number] for number in numbers]


def chained(values: Iterable[Hashable]) -> Pairs:
    """Return the links between the places of equal values, from each to the next; none between those of None."""
    members = defaultdict(list)
    for place, value in enumerate(values):
        if value is not None:
            members[value].append(place)
    return _links(members.values())


def _clips(table: pd.DataFrame) -> Pairs:
    """Return the links from each frame to the next of the same name, in its folder and in all, where the two look alike."""
    left, right = _links(_by_name(table["id"].tolist()))
    hashes = np.array([int(phash, 16) for phash in table["phash"]], dtype=np.uint64)
    near = np.bitwise_count(hashes[left] ^ hashes[right]) <= BITS
    left, right = left[near], right[near]
    alike = same_picture.like_frames(thumbnails.stacked(table["thumbnail"].tolist()), left, right)
    return left[alike], right[alike]


def _by_name(ids: Sequence[str]) -> Iterable[list[int]]:
    """Return the rows whose names differ in a number only, in the order of the numbers: of each folder, and of all."""
    members = defaultdict(list)
    for number, name, place in sorted((_number(one), one, place) for place, one in enumerate(ids)):
        if number >= 0:
            path = PurePosixPath(name)
            around = _NUMBER.sub("#", path.name)
            members[around].append(place)
            members[f"{path.parent}/{around}"].append(place)
    return members.values()


def _number(name: str) -> int:
    """Return the last number in a file's name; -1 where there is none."""
    found = _NUMBER.search(PurePosixPath(name).name)
    return int(found.group()) if found else -1


def _links(members: Iterable[list[int]]) -> Pairs:
    """Return the links from each member to the next."""
    links = [pair for rows in members for pair in pairwise(rows)]
    left, right = np.array(links, np.int64).reshape(-1, 2).T
    return left, right
