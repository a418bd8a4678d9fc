"""Asks the providers for candidates, deeper while a class is short. A provider that fails is told, and the others go on.

Knows nothing of the pool: what is found again is for others to leave out.
"""

from collections.abc import Callable, Iterable

from irisline.collection.sources.answer_cache import Answers, forget_old
from irisline.collection.sources.candidate import Candidate, Provider, Query
from irisline.collection.sources.providers import UNKEPT, WITHOUT_WORDS, provider
from irisline.core import class_names, paths
from irisline.core.errors import ParamsError, SearchFailed
from irisline.core.params import Params

LEAST = 20  # candidates: a page of the smallest kind
DEEPEST = 64  # times the first depth: what still finds pictures there, such as an endless one, finds none that are new


class Searching:
    """Every source and class, and how deep each was searched. With keep false no answer is written down."""

    def __init__(self, settings: Params, tell: Callable[[str], None], keep: bool = True) -> None:
        self.settings, self.tell = settings, tell
        if keep:
            forget_old(paths.ANSWERS, UNKEPT)
        self._answered = {
            name: Answers(paths.ANSWERS / name, keep and name not in UNKEPT) for name in settings.snapshot.sources
        }
        self._providers: dict[str, Provider] = {}
        self._times: dict[str, int] = {}  # by class: the depth, as so many times the first
        self._ended: set[tuple[str, Query]] = set()  # searches that have no more to give
        self._failed: set[tuple[str, str]] = set()  # sources, by class
        self._told: set[str] = set()
        self._found_any = False

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The sources that could not be asked for all that was wanted of them."""
        failed = {source for source, _ in self._failed}
        return tuple(source for source in self.settings.snapshot.sources if source in failed)

    def deeper(self, labels: Iterable[str]) -> dict[str, list[list[list[Candidate]]] | None]:
        """Return for each class what each source gives to each query, twice as deep as before; None when there is no more.

        Raise SearchFailed when every source has failed and nothing was found.
        """
        found = {label: self._deeper(label) for label in labels}
        every = {(source, name) for source in self.settings.snapshot.sources for name in self.settings.base.classes}
        if not self._found_any and every <= self._failed:
            raise SearchFailed("no source answers, so nothing was changed; see the lines above")
        return found

    def _deeper(self, label: str) -> list[list[list[Candidate]]] | None:
        times = self._times[label] = 2 * self._times[label] if label in self._times else 1
        if times > DEEPEST or not self._open(label):
            return None
        sources = self.settings.snapshot.sources
        found = [[self._ask(source, query, times) for query in self._queries(source, label)] for source in sources]
        self._found_any |= any(candidates for queries in found for candidates in queries)
        return found

    def _open(self, label: str) -> bool:
        """Whether any search of a class may have more to give."""
        sources = self.settings.snapshot.sources
        return any((name, query) not in self._ended for name in sources for query in self._queries(name, label))

    def _queries(self, source: str, label: str) -> list[Query]:
        if source in WITHOUT_WORDS:
            return [Query(label, label)]
        return [Query(label, text) for text in dict.fromkeys(self.settings.snapshot.queries[label])]

    def _depth(self, source: str, label: str) -> int:
        """Return the first depth: together the queries find twice what is wanted, for some of it is refused or dead."""
        return max(LEAST, -(-2 * self.settings.snapshot.per_class // len(self._queries(source, label))))

    def _ask(self, source: str, query: Query, times: int) -> list[Candidate]:
        """Return the answers, those before a failure too; nothing where all of them were given before."""
        if (source, query) in self._ended:
            return []
        limit = times * self._depth(source, query.label)
        found: list[Candidate] = []
        try:
            for candidate in self._answers(source, query, limit):
                found.append(candidate)
        except SearchFailed as error:
            self._fail(source, query.label, str(error))
        if len(found) < limit:
            self._ended.add((source, query))
        return found

    def _answers(self, source: str, query: Query, limit: int) -> Iterable[Candidate]:
        if source not in self._providers:
            self._providers[source] = provider(source, self.settings, self._answered[source])
        return self._providers[source].search(query, limit)

    def _fail(self, source: str, label: str, line: str) -> None:
        """Tell of a failure once; who could not be asked for one class is not asked for another, save in a folder.

        What was answered before is still given, for every class.
        """
        everywhere = source not in WITHOUT_WORDS or source not in self._providers
        self._failed |= {(source, name) for name in (self.settings.base.classes if everywhere else [label])}
        self._answered[source].closed = line
        if line not in self._told:
            self._told.add(line)
            self.tell(f"snapshot: {line}")


def check(settings: Params) -> None:
    """Raise ParamsError when a class has no query, or a query is for no class."""
    queries, classes = settings.snapshot.queries, settings.base.classes
    if unknown := [label for label in queries if label not in classes]:
        key = f"params.yaml: snapshot.queries.{unknown[0]}"
        raise ParamsError(f"{key}: not one of base.classes ({class_names.some(classes)}); add it there or drop it here")
    asked_in_words = [name for name in settings.snapshot.sources if name not in WITHOUT_WORDS]
    if asked_in_words and (silent := [label for label in classes if not queries.get(label)]):
        raise ParamsError(f"params.yaml: snapshot.queries.{silent[0]}: {asked_in_words[0]} needs a query; write one")
