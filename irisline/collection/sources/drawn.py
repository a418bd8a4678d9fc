"""Drawn pictures: one for every class and number, no network, nobody in it. The words of a query are not looked at.

Keyed on the seed, the class and the number, so that a class that is added later changes nothing of the others. Addresses
without a class, as they were recorded before, still lead to the pictures they led to: those of `irisline pool`.
"""

import re
from collections.abc import Iterator, Sequence

from irisline.collection.sources.candidate import Candidate, Query
from irisline.core.errors import SearchFailed
from irisline.dataset import licences

LICENCE = "CC0-1.0"
AUTHOR = "Irisline"
_PLACE = re.compile(r"drawn:(\d+/(?:\w+/)?\d+)")


class Drawn:
    """The pictures that the renderer draws."""

    name = "drawn"

    def __init__(self, seed: int, classes: Sequence[str]) -> None:
        from irisline.domains import drawing  # who only searches the web need not load it

        if strangers := [name for name in classes if name not in drawing.CLASSES]:
            known = ", ".join(drawing.CLASSES)
            raise SearchFailed(f"drawn: {strangers[0]!r} cannot be drawn; base.classes may hold {known}")
        self._seed = seed

    def search(self, query: Query, limit: int) -> Iterator[Candidate]:
        """Yield limit pictures of the class: there is no end to them."""
        for number in range(limit):
            yield Candidate(
                provider=self.name,
                provider_id=f"{self._seed}-{query.label}-{number}",
                query=query,
                rank=number + 1,
                image_url=f"drawn:{self._seed}/{query.label}/{number}",
                author=AUTHOR,
                licence=LICENCE,
                licence_url=licences.url_of(LICENCE),
            )


def read(candidate: Candidate) -> bytes:
    """Return the JPEG that a candidate stands for; raise SearchFailed when its address is none of the renderer's."""
    from irisline.domains import drawing

    if not (found := _PLACE.fullmatch(candidate.image_url)) or candidate.query.label not in drawing.CLASSES:
        raise SearchFailed(f"drawn: {candidate.image_url!r} of class {candidate.query.label!r} cannot be drawn")
    return drawing.good(drawing.Slot(0, candidate.query.label, "", found[1]))
