"""Drawn eyes: a picture for every number, no network, no person in it. The words of a query are not looked at.

The pictures are those of `irisline pool` without defects: class by turns, keyed on the seed and the number alone.
"""

import re
from collections.abc import Iterator, Sequence

from irisline.data import licences
from irisline.data.sources.candidate import Candidate, Query
from irisline.errors import SearchFailed

LICENCE = "CC0-1.0"
AUTHOR = "Irisline"
_PLACE = re.compile(r"drawn:(\d+)/(\d+)")


class Drawn:
    """The pictures that the renderer draws."""

    name = "drawn"

    def __init__(self, seed: int, classes: Sequence[str]) -> None:
        from irisline.data.rendering import COLOURS  # it brings OpenCV, which who only searches the web need not load

        if strangers := [name for name in classes if name not in COLOURS]:
            raise SearchFailed(f"drawn: {strangers[0]!r} cannot be drawn; base.classes may hold {', '.join(COLOURS)}")
        self._seed = seed
        self._classes = list(classes)

    def search(self, query: Query, limit: int) -> Iterator[Candidate]:
        """Give limit pictures of the class: there is no end to them."""
        for rank in range(1, limit + 1):
            index = (rank - 1) * len(self._classes) + self._classes.index(query.label)
            yield Candidate(
                provider=self.name,
                provider_id=f"{self._seed}-{index}",
                query=query,
                rank=rank,
                image_url=f"drawn:{self._seed}/{index}",
                author=AUTHOR,
                licence=LICENCE,
                licence_url=licences.url_of(LICENCE),
            )


def read(candidate: Candidate) -> bytes:
    """Give the JPEG that a candidate stands for; raise SearchFailed when its address is none of the renderer's."""
    from irisline.data.rendering import COLOURS
    from irisline.data.rendering.defects import Slot, good

    if not (found := _PLACE.fullmatch(candidate.image_url)) or candidate.query.label not in COLOURS:
        raise SearchFailed(f"drawn: {candidate.image_url!r} of class {candidate.query.label!r} cannot be drawn")
    seed, index = found.groups()
    return good(Slot(int(index), candidate.query.label, "", f"{seed}/{index}"))
