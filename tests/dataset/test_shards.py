"""What goes to disk comes back, in order, in shards, or not at all."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irisline.core.errors import MissingInput
from irisline.dataset import shards as manifest
from tests import planted

TEXT = st.text(max_size=20)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"id": TEXT, "label": TEXT, "variant": st.integers(-(2**31), 2**31 - 1)},
        optional={"sha256": st.none() | TEXT, "image": st.none() | st.binary(max_size=50)},
    ),
    max_size=150,
)


@given(ROWS, st.integers(1, 140))
@settings(max_examples=30)
def test_rows_come_back_as_they_went(rows: list[manifest.Row], shard_rows: int) -> None:
    nothing = dict.fromkeys(manifest.AUGMENTED.names)
    with TemporaryDirectory() as place:
        folder = Path(place) / "made"
        assert manifest.write(folder, manifest.AUGMENTED, shard_rows, rows) == len(rows)
        assert list(manifest.stream(folder)) == [nothing | row for row in rows]
        assert manifest.count(folder) == manifest.table(folder).num_rows == len(rows)


@pytest.mark.parametrize(
    ("rows", "shard_rows", "shards"),
    [(0, 10, [0]), (9, 10, [9]), (10, 10, [10]), (11, 10, [10, 1]), (200, 100, [100, 100]), (130, 64, [64, 64, 2])],
)
def test_shards_hold_so_many_rows(tmp_path: Path, rows: int, shard_rows: int, shards: list[int]) -> None:
    made = ({"id": str(number), "label": "blue", "variant": number} for number in range(rows))
    manifest.write(tmp_path / "made", manifest.AUGMENTED, shard_rows, made)
    files = sorted((tmp_path / "made").iterdir())
    assert [file.name for file in files] == [f"shard-{number:05d}.parquet" for number in range(len(shards))]
    assert [pq.read_metadata(file).num_rows for file in files] == shards
    assert [row["variant"] for row in manifest.stream(tmp_path / "made")] == list(range(rows))


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        planted.accept(tmp_path / name, {"train": 3})
    one, two = ((tmp_path / name / "shard-00000.parquet").read_bytes() for name in ("one", "two"))
    assert one == two


def test_a_split_and_columns_can_be_chosen(tmp_path: Path) -> None:
    rows = planted.accept(tmp_path / "made", {"train": 2, "test": 1})
    assert [row["id"] for row in manifest.of_split(tmp_path / "made", "test")] == [row["id"] for row in rows[-2:]]
    assert list(manifest.stream(tmp_path / "made", ["label"])) == [{"label": row["label"]} for row in rows]
    assert "image" not in manifest.table(tmp_path / "made").column_names


def test_unknown_columns_and_missing_values_are_refused(tmp_path: Path) -> None:
    row = {"id": "a", "label": "blue", "variant": 1}
    with pytest.raises(KeyError, match=r"columns not in the schema: .'colour'"):
        manifest.write(tmp_path / "made", manifest.AUGMENTED, 10, [row | {"colour": "blue"}])
    with pytest.raises(ValueError, match="label"):
        manifest.write(tmp_path / "made", manifest.AUGMENTED, 10, [{"id": "a", "label": None, "variant": 1}])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("reader", [lambda folder: list(manifest.stream(folder)), manifest.table, manifest.count])
def test_an_empty_folder_says_how_to_fill_it(tmp_path: Path, reader: object) -> None:
    with pytest.raises(MissingInput, match=r"made: no shards here; type dvc repro to make them$"):
        reader(tmp_path / "made")  # type: ignore[operator]


_WRITE = """
import sys, time
from pathlib import Path
from irisline.dataset import shards as manifest
def rows():
    for number in range(100):
        yield {"id": str(number), "label": "blue", "variant": number}
    print("half way", flush=True)
    time.sleep(60)
manifest.write(Path("made"), manifest.AUGMENTED, 10, rows())
"""


def test_a_kill_while_writing_leaves_no_folder(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(planted.ROOT)}
    process = subprocess.Popen([sys.executable, "-c", _WRITE], cwd=tmp_path, stdout=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline() == b"half way\n"
    process.kill()
    process.communicate()
    assert not (tmp_path / "made").exists()
    manifest.write(tmp_path / "made", manifest.AUGMENTED, 10, [])
    assert [folder.name for folder in tmp_path.iterdir()] == ["made"]
