"""Tables that people open in a spreadsheet: no cell is run as a formula, and every cell comes back as it was."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irisline.core.errors import DataError
from irisline.dataset import sources_table, tables, take_downs
from irisline.dataset.take_downs import Rule
from irisline.labels import decisions
from irisline.labels.decisions import Patch
from tests.planted import CLASSES

FORMULAS = (
    "=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", '"=1"', "'=1", "''=1", " ' =1", "'\t1",
    '=HYPERLINK("https://evil.example","x")', "＝1", "-", "--5", "-0.5-1", "+49 170 1", "=", "@", "'-0.5",
)  # fmt: skip
HARMLESS = (
    "", "a=1", "'tis", "'", '"quoted"', "blue/-a.jpg", "-0.5", "+3", "1e-5", "-1.5e+3", "2026-01-01T00:00:00Z", "é, ü",
)  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "＝")


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("cell", FORMULAS)
def test_what_a_spreadsheet_would_run_is_written_as_words(cell: str) -> None:
    assert cells(tables.as_csv(["id", cell], [["x", cell]])) == [["id", f"'{cell}"], ["x", f"'{cell}"]]


@pytest.mark.parametrize("cell", HARMLESS)
def test_what_is_no_formula_is_written_as_it_is(cell: str) -> None:
    assert cells(tables.as_csv(["id", "a"], [["x", cell]]))[1][1] == cell


def test_numbers_stay_numbers() -> None:
    row = [-0.5, -3, 1e-7, -2.5e-8, "-0.500000", "+1.5", None, True]
    assert cells(tables.as_csv("abcdefgh", [row]))[1] == [
        "-0.5",
        "-3",
        "1e-07",
        "-2.5e-08",
        "-0.500000",
        "+1.5",
        "",
        "True",
    ]


@given(
    st.lists(
        st.one_of(TEXT, st.sampled_from(FORMULAS + HARMLESS)),
        min_size=2,
        max_size=4,
    ),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda name: name not in "abcd"),
)
def test_every_cell_comes_back_and_none_is_run(
    tmp_path_factory: pytest.TempPathFactory, row: list[str], own: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "table.csv"
    columns = [*"abcd"[: len(row)]]
    line = dict(zip(columns, row, strict=True)) | {own: "of a person"}
    tables.write(file, columns, [line])
    assert [found for _, found in tables.read(file, columns)] == [line]
    for cell in cells(file.read_bytes().decode())[1]:
        assert not cell.lstrip(" \"'").startswith(RUN) or cell.startswith("'") or float(cell) is not None


def test_a_table_of_before_or_by_hand_is_read_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("id,licence\n=x,@y\n-a, =b\n")
    assert [line for _, line in tables.read(file, ["id"])] == [
        {"id": "=x", "licence": "@y"},
        {"id": "-a", "licence": " =b"},
    ]


def test_more_cells_than_columns_are_named(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("id,licence\nblue/1.jpg,own,more\n")
    with pytest.raises(DataError, match=r"table.csv: line 2: more cells than columns; put quotes around a cell"):
        tables.read(file, ["id"])


@pytest.mark.parametrize("words", FORMULAS)
def test_the_tables_beside_the_pool_hold_no_formula_and_lose_nothing(project: Path, words: str) -> None:
    line = dict.fromkeys(sources_table.FIELDS, "") | {
        "id": "blue/1.jpg",
        "title": words,
        "author": words,
        "own column": words,
    }
    sources_table.write(project / "sources.csv", [line])
    assert sources_table.read(project / "sources.csv") == [line]
    patch = Patch("blue/1.jpg", "a" * 64, "accept", "blue", why=words.strip(), who="ada")
    decisions.append(project / "patches.csv", [patch], CLASSES)
    assert decisions.read(project / "patches.csv", CLASSES) == [patch]
    rule = Rule("2026", "id", provider=words, reason=words)
    take_downs.write(project / "take_downs.csv", [rule])
    assert take_downs.read(project / "take_downs.csv").rules == (rule,)
    for file in project.glob("*.csv"):
        for cell in (cell for row in cells(file.read_bytes().decode()) for cell in row):
            assert not cell.startswith(RUN), file


def test_nothing_else_writes_csv() -> None:
    """One place makes a cell harmless: whoever writes a table goes through it."""
    root = Path(__file__).parents[2]
    for file in [found for room in ("irisline", "pipelines", "service") for found in (root / room).rglob("*.py")]:
        text = file.read_text(encoding="utf-8")
        if file.name != "tables.py":
            assert not [word for word in ("csv.writer", "csv.DictWriter", ".to_csv(") if word in text], file
