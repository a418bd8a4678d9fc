"""Which pictures a model was made from: a table small enough to keep with every version, and the digest that ties the two.

Neither bytes nor authors: it is kept for good, and is there to tell which versions a picture went into. Knows nothing of
models or of where the table is kept.
"""

import hashlib
import io
import json
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq

from irisline.core.errors import in_a_line
from irisline.dataset import shards

COLUMNS = ("id", "sha256", "split", "provider", "licence", "page_url")  # sha256 is of the pixels, as manifest says
UNKNOWN = "unknown"


def of(accepted: pa.Table) -> pa.Table:
    """Return the table of a model that is made from these accepted rows, as shards.table gives them."""
    return accepted.select(COLUMNS).combine_chunks()


def counts(pictures: pa.Table, column: str) -> dict[str, int]:
    """Return how many pictures have each value of a column, by value; those without one are unknown."""
    values = pictures[column].to_pylist()
    return dict(sorted(Counter(value or UNKNOWN for value in values).items()))


def digest(pictures: pa.Table) -> str:
    """Return the sha256 of what the table says, whatever the file format or its version."""
    said = hashlib.sha256()
    for batch in pictures.to_batches(max_chunksize=shards.ROW_GROUP):
        for row in batch.to_pylist():
            said.update(json.dumps(list(row.values())).encode() + b"\n")
    return said.hexdigest()


def packed(pictures: pa.Table) -> bytes:
    """Return the table as the bytes of a Parquet file: some 70 bytes a picture, most of them its sha256."""
    buffer = io.BytesIO()
    pq.write_table(pictures, buffer, compression="zstd")
    return buffer.getvalue()


def unpacked(data: bytes) -> pa.Table:
    """Return the table that packed made; raise ValueError when it is none."""
    try:
        return pq.read_table(io.BytesIO(data)).select(COLUMNS)
    except (pa.ArrowInvalid, KeyError) as error:
        raise ValueError(in_a_line(error, 100)) from error
