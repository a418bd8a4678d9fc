"""The table every stage reads and writes: Parquet shards, one row per image, its bytes in the row.

Owns the columns and the way to disk with bounded memory. Knows nothing of how a column is computed.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from irisline.core import paths
from irisline.core.errors import MissingInput
from irisline.domains import columns

Row = dict[str, Any]

ROW_GROUP = 64  # rows held in memory while writing or reading

_SOURCE = [
    pa.field("id", pa.string(), nullable=False),  # the file below data/
    pa.field("label", pa.string(), nullable=False),
]
_IMAGE = [
    pa.field("sha256", pa.string()),  # of the pixels; null when unreadable
    pa.field("image", pa.binary()),
]
_FACTS = [
    pa.field("aspect", pa.float64()),
    pa.field("brightness", pa.float64()),
    pa.field("contrast", pa.float64()),
    pa.field("sharpness", pa.float64()),
    pa.field("entropy", pa.float64()),
    *(pa.field(name, pa.type_for_alias(kind)) for name, kind in columns.COLUMNS.items()),
]

COLLECTED = pa.schema(
    [
        *_SOURCE,
        pa.field("reason", pa.string()),  # why it is unreadable; null when it is not
        pa.field("reviewed", pa.string()),  # "accept by ada", "set by ada"; null when nobody looked
        pa.field("phash", pa.string()),  # 64-bit perceptual hash of grey, 16 hex digits
        pa.field("thumbnail", pa.binary()),  # 16 × 16 RGB, to tell what looks the same
        pa.field("given_group", pa.string()),  # as sources.csv has it: a patient, a clip, an author
        pa.field("given_split", pa.string()),
        pa.field("width", pa.int32()),  # of the file as it came
        pa.field("height", pa.int32()),
        pa.field("format", pa.string()),
        pa.field("provider", pa.string()),
        pa.field("licence", pa.string()),
        pa.field("author", pa.string()),
        pa.field("page_url", pa.string()),
        *_IMAGE,
    ]
)
_ONLY_COLLECTED = ("reason", "thumbnail", "given_group", "given_split", "image")
ACCEPTED = pa.schema(
    [
        *(field for field in COLLECTED if field.name not in _ONLY_COLLECTED),
        *_FACTS,
        pa.field("group", pa.string(), nullable=False),  # near-duplicates, frames of a clip and given groups share it
        pa.field("split", pa.string(), nullable=False),  # train, valid or test
        COLLECTED.field("image"),
    ]
)
LABELLED = pa.schema(
    [
        *_SOURCE,
        pa.field("sha256", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("reviewed", pa.string()),
        pa.field(
            "suggested", pa.string()
        ),  # the likeliest label, by models that did not see the picture; null when not judged
        pa.field("confidence", pa.float64()),  # theirs in the given label, 0..1
        pa.field("suspect", pa.bool_(), nullable=False),
        pa.field("rank", pa.int32()),  # from 1, the least confidence first
    ]
)
AUGMENTED = pa.schema(
    [
        *_SOURCE,
        pa.field("variant", pa.int32(), nullable=False),  # from 1
        *_IMAGE,  # sha256 is the source picture's
    ]
)


class Writer:
    """Adds rows to numbered shards of a folder."""

    def __init__(self, folder: Path, schema: pa.Schema, shard_rows: int) -> None:
        self.folder, self.schema, self.shard_rows = folder, schema, shard_rows
        self.count = 0
        self._pending: list[Row] = []
        self._shard: pq.ParquetWriter | None = None

    def add(self, row: Row) -> None:
        """Add one row; columns the schema lacks are an error, columns the row lacks are null."""
        unknown = row.keys() - set(self.schema.names)
        if unknown:
            raise KeyError(f"columns not in the schema: {sorted(unknown)}")
        self._pending.append(row)
        self.count += 1
        if len(self._pending) == ROW_GROUP:
            self._flush()
        if self.count % self.shard_rows == 0:
            self.close()

    def close(self) -> None:
        """Write what is pending and end the shard."""
        if self._pending:
            self._flush()
        if self._shard:
            self._shard.close()
            self._shard = None

    def _flush(self) -> None:
        if self._shard is None:
            number = (self.count - 1) // self.shard_rows
            self._shard = pq.ParquetWriter(self.folder / f"shard-{number:05d}.parquet", self.schema, compression="zstd")
        self._shard.write_table(pa.Table.from_pylist(self._pending, self.schema))
        self._pending = []


@contextmanager
def writer(folder: Path, schema: pa.Schema, shard_rows: int) -> Iterator[Writer]:
    """Yield a Writer whose shards become the folder when the block ends without an error."""
    with paths.whole_folder(folder) as partial:
        target = Writer(partial, schema, shard_rows)
        yield target
        target.close()
        if target.count == 0:
            pq.write_table(schema.empty_table(), partial / "shard-00000.parquet")


def stream(folder: Path, columns: Sequence[str] | None = None) -> Iterator[Row]:
    """Yield the rows of a folder one at a time, in the order they were written; raise MissingInput when there are none."""
    for shard in _shards(folder):
        with pq.ParquetFile(shard) as file:
            for batch in file.iter_batches(ROW_GROUP, columns=list(columns) if columns else None):
                yield from batch.to_pylist()


def table(folder: Path) -> pa.Table:
    """Return all columns but the bytes, as one table in memory."""
    shards = _shards(folder)
    columns = [name for name in pq.read_schema(shards[0]).names if name != "image"]
    return pa.concat_tables([pq.read_table(shard, columns=columns) for shard in shards])


def count(folder: Path) -> int:
    """Return the number of rows, from the shards' footers."""
    return sum(pq.read_metadata(shard).num_rows for shard in _shards(folder))


def of_split(folder: Path, split: str) -> Iterator[Row]:
    """Return the rows of one split."""
    return (row for row in stream(folder) if row["split"] == split)


def write(folder: Path, schema: pa.Schema, shard_rows: int, rows: Iterable[Row]) -> int:
    """Write rows as a whole folder of shards; give how many there were."""
    with writer(folder, schema, shard_rows) as target:
        for row in rows:
            target.add(row)
    return target.count


def _shards(folder: Path) -> list[Path]:
    shards = sorted(folder.glob("shard-*.parquet"))
    if not shards:
        raise MissingInput(f"{folder}: no shards here; type dvc repro to make them")
    return shards
