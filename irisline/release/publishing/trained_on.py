"""Which registered versions were made from a picture, and where the store still holds its bytes.

The table of a version's pictures lies with the run that was shown first; the version's tag says where, and its digest is
part of the version itself, through model.json. Versions older than such tables say nothing: they are named as unknown.
"""

import json
import tempfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from irisline.core import paths
from irisline.core.errors import NotFound, in_a_line
from irisline.core.params import Params
from irisline.dataset import shards, take_downs, training_set
from irisline.networks import version_limits
from irisline.networks.bundle import ANSWERS
from irisline.release.publishing.run_contents import Made
from irisline.release.tracking import artifacts, store, versions
from irisline.release.tracking.version_tags import Facts, Pictures
from irisline.release.tracking.versions import Version

if TYPE_CHECKING:
    import pyarrow as pa
    from mlflow import MlflowClient

FOLDER, FILE = "pictures", "pictures.parquet"  # among the run's artifacts
SPLITS = ("train", "valid", "test")
_LARGEST = 2**31  # bytes of the table


class _Answer(TypedDict, total=False):
    sha256: str


_ANSWERS = TypeAdapter(list[_Answer])


@dataclass(frozen=True)
class Use:
    """What a version has to do with some pictures: their ids by split, and those it keeps the bytes of."""

    version: Version
    splits: dict[str, list[str]]
    golden: tuple[str, ...] = ()
    unknown: str = ""  # why nothing can be said; then the rest is empty

    def document(self) -> dict[str, Any]:
        """Return it for a program."""
        named = {"version": self.version.number, "aliases": list(self.version.aliases), "run_id": self.version.run_id}
        return named | ({"unknown": self.unknown} if self.unknown else {**self.splits, "golden": list(self.golden)})


@dataclass(frozen=True)
class _Wanted:
    ids: frozenset[str]
    sha256s: frozenset[str]
    page: str | None

    def fits(self, row: shards.Row) -> bool:
        same_page = self.page is not None and take_downs.address(row["page_url"] or "") == self.page
        return row["id"] in self.ids or row["sha256"] in self.sha256s or same_page


def record(client: "MlflowClient", run_id: str, model: Made) -> tuple[str, bool]:
    """Keep the table of a model's pictures with its run, unless it is there; return what to tell of it, and if it was added.

    A workspace whose accepted pictures are not, or no longer, those of model.json has none to keep: nothing is told.
    """
    wanted = model.get("data_pictures")
    if wanted is None or not paths.ACCEPTED.is_dir():
        return "", False
    pictures = training_set.of(shards.table(paths.ACCEPTED))
    if training_set.digest(pictures) != wanted:
        return "", False
    told = json.dumps({"digest": wanted, "run": run_id, **training_set.counts(pictures, "split")})
    if client.get_run(run_id).data.tags.get(versions.PICTURES) == told:
        return told, False
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / FILE
        file.write_bytes(training_set.packed(pictures))
        client.log_artifact(run_id, str(file), FOLDER)
    client.set_tag(run_id, versions.PICTURES, told)
    return told, True


def counts(told: Facts) -> dict[str, Any]:
    """Return how many pictures of each split a version was made from, for a person."""
    named: dict[str, Any] = {**told.pictures} if told.pictures else {}
    return {part: named[part] for part in SPLITS} if named else {"unknown": "not recorded when it was published"}


def uses(params: Params, ids: Collection[str], sha256s: Collection[str], page: str = "") -> list[Use]:
    """Return what each version has to do with pictures of these ids, pixels or page, newest first; those without are left out.

    Each counts: an id tells a file whose pixels cannot be read, the pixels a picture that had another name then, the page
    one that left the pool before.
    """
    client, found = store.client(), []
    wanted = _Wanted(frozenset(ids), frozenset(sha256s), take_downs.address(page) if page else None)
    with store.one_line_failures():
        tables: dict[str, pa.Table] = {}  # many versions are made from the same pictures
        for version in versions.every(client, params.base.name):
            use = _use(client, params.base.name, version, wanted, tables)
            if use.unknown or use.splits:
                found.append(use)
    return found


def _use(
    client: "MlflowClient",
    model: str,
    version: Version,
    wanted: "_Wanted",
    tables: dict[str, "pa.Table"],
) -> Use:
    told = version.facts.pictures
    if not told:
        return Use(version, {}, unknown=version.broken or "its pictures were not recorded when it was published")
    try:
        pictures = tables.get(told["digest"]) or _table(told)
    except NotFound as error:
        return Use(version, {}, unknown=str(error))
    tables[told["digest"]] = pictures
    rows = [row for row in pictures.to_pylist() if wanted.fits(row)]
    splits = {part: [row["id"] for row in rows if row["split"] == part] for part in SPLITS}
    tested = {row["sha256"]: row["id"] for row in rows if row["split"] == "test"}
    golden = tuple(tested[sha256] for sha256 in _golden(model, version, tested) if sha256 in tested) if tested else ()
    return Use(version, {part: named for part, named in splits.items() if named}, golden)


def _table(told: Pictures) -> "pa.Table":
    """Return the table a tag tells of; raise NotFound when it is not what was kept."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            arrived = artifacts.bring(f"runs:/{told['run']}/{FOLDER}", Path(scratch), _LARGEST)
            pictures = training_set.unpacked((arrived / FILE).read_bytes())
        except (NotFound, OSError, ValueError) as error:
            reason = in_a_line(error)
            raise NotFound(f"its table of pictures is not in the store: {reason}") from error
    if training_set.digest(pictures) != told["digest"]:
        raise NotFound("its table of pictures is not the one that was kept")
    return pictures


def _golden(model: str, version: Version, tested: Iterable[str]) -> Iterator[str]:
    """Yield the pixels of the golden pictures, whose bytes are part of the version.

    Those of tested pictures where the version does not tell: any may be among them.
    """
    folder, _, file = ANSWERS["float32"].rpartition("/")
    with tempfile.TemporaryDirectory() as scratch:
        try:
            arrived = versions.part(model, version, f"artifacts/bundle/{folder}", Path(scratch))
            answers = _ANSWERS.validate_json(version_limits.read(arrived / file))
        except (NotFound, OSError):
            return  # its files are gone, and the pictures with them
        except ValidationError:
            answers = [{}]
    told = [answer["sha256"] for answer in answers if "sha256" in answer]
    yield from told if len(told) == len(answers) else tested
