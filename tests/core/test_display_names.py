"""Names of any kind: shown in one line, literal in Markdown and figures, files named after them distinct and short enough."""

import io
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from PIL import Image

from irisline.cli import output
from irisline.core import console, display_names, paths
from irisline.dataset import contact_sheet, pool, shards, tables
from irisline.evaluation import figures, model_card
from irisline.evaluation.figures import Mistake
from tests import planted
from tests.evaluation.test_model_card import subject
from tests.hostile_names import HOSTILE, NAMES
from tests.planted import CLASSES, picture, saved

READER = MarkdownIt("gfm-like", {"html": True, "linkify": False})
SQUARE = np.zeros((3, 8, 8), np.uint8)


@given(NAMES)
def test_a_name_is_shown_in_one_line_that_does_nothing(name: str) -> None:
    shown = display_names.shown(name)
    assert shown.replace("\u200c", "").replace("\u200d", "").isprintable()
    assert len(display_names.short(name, 20)) <= 20
    assert display_names.shown("blue/1 é 眼.jpg") == "blue/1 é 眼.jpg"


@given(st.lists(NAMES, min_size=1, max_size=12))
def test_files_named_after_others_are_distinct_and_short_enough(given_names: list[str]) -> None:
    made = list(display_names.distinct(given_names, ".png"))
    assert len({display_names.same(name).casefold() for name in made}) == len(given_names)
    assert all(len(os.fsencode(name)) <= display_names.LONGEST and name.endswith(".png") for name in made)


def test_a_file_is_named_after_its_picture_where_that_can_be() -> None:
    assert list(display_names.distinct(["a", "A", "a-2", "a", "b"], ".png")) == [
        "a.png",
        "A-2.png",
        "a-2-2.png",
        "a-3.png",
        "b.png",
    ]
    assert list(display_names.distinct(["眼" * 85] * 2, ".png")) == ["眼" * 83 + ".png", "眼" * 83 + "-2.png"]


@given(NAMES)
def test_a_card_shows_a_name_as_code_and_as_nothing_else(name: str) -> None:
    test = subject().test
    test.ids[1], test.ids[4] = f"red/{name}", f"green/{name}"
    made = subject().made | {"data_licences": {name: 3}, "data_providers": {name: 3}}
    text = model_card.text(subject(test=test, made=made))
    marks = [mark for block in READER.parse(text) for mark in (block, *(block.children or ()))]
    plain = {
        mark.type for block in READER.parse(model_card.text(subject())) for mark in (block, *(block.children or ()))
    }
    assert {mark.type for mark in marks} <= plain
    code = [mark.content for mark in marks if mark.type == "code_inline"]
    assert [f"red/{display_names.shown(name)}" in code, f"green/{display_names.shown(name)}" in code] == [True, True]


@settings(max_examples=40)
@given(NAMES, NAMES)
def test_a_figure_draws_any_name_as_it_is(name: str, other: str) -> None:
    found = [Mistake(SQUARE, f"blue/{each}", "blue", "brown", 0.9, 2.3) for each in (name, other)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of glyphs that a font lacks
        drawn = Image.open(io.BytesIO(figures.mistakes(found, "The biggest errors")))
    assert all(150 < side < 1600 for side in drawn.size)


@pytest.mark.parametrize("name", ["a$b$", "a_b", "x^2", "\\alpha", "$x$"])
def test_names_that_differ_are_drawn_differently(name: str) -> None:
    def drawn(shown: str) -> bytes:
        return figures.mistakes([Mistake(SQUARE, shown, "blue", "brown", 0.9, 2.3)], "Errors")

    assert drawn(name) not in {drawn(name.replace(sign, "")) for sign in "$_^\\" if sign in name}


@given(st.lists(NAMES, min_size=1, max_size=6))
def test_a_sheet_and_a_table_take_any_name(tmp_path_factory: pytest.TempPathFactory, found: list[str]) -> None:
    folder = tmp_path_factory.getbasetemp()
    contact_sheet.write([[(saved(picture()), f"blue: {name}") for name in found]], "Names", folder / "sheet.png")
    paths.write_whole(folder / "table.csv", tables.as_csv(["id", "other"], [(name, name) for name in found]))
    assert [line["id"] for _, line in tables.read(folder / "table.csv", ["id"])] == found


def test_collect_keeps_every_name_with_what_is_known_of_it(project: Path) -> None:
    for label in CLASSES:
        (project / "data" / label).mkdir(parents=True)
    for number, name in enumerate(HOSTILE):
        (project / "data" / CLASSES[number % 2] / name).write_bytes(saved(picture("blue", number)))
    ids = [f"{CLASSES[number % 2]}/{display_names.same(name)}" for number, name in enumerate(HOSTILE)]
    lines = [{"id": name, "licence": "CC-BY-NC-4.0", "author": name} for name in ids]
    tables.write(project / "data/sources.csv", ["id", "licence", "author"], lines)
    items = pool.items(paths.POOL, list(CLASSES), planted.settings().collect)
    rows = {row["id"]: row for row in map(pool.read, items)}
    assert rows.keys() == {*ids}
    assert [(row["licence"], row["author"]) for name, row in rows.items()] == [("CC-BY-NC-4.0", name) for name in rows]
    shards.write(paths.COLLECTED, shards.COLLECTED, 8, rows.values())
    assert {row["id"] for row in shards.stream(paths.COLLECTED)} == {*ids}


@pytest.mark.parametrize("name", [*HOSTILE, os.fsdecode(b"not\xffutf-8.jpg")])
def test_a_terminal_and_a_pipe_show_a_name_in_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    output.show_table(("file", "label"), [(name, "blue")])
    console.say(name.replace("\n", " "))
    output.show_json({"file": name})
    told = capsys.readouterr().out
    table, said = told.split("\n")[:2], told.split("\n")[2]
    assert table == ["file\tlabel", f"{display_names.shown(name)}\tblue"]
    assert said == display_names.shown(name.replace("\n", " "))
    assert "\x1b" not in told


@given(NAMES)
def test_a_file_of_any_name_is_written_whole(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "written"
    paths.write_whole(folder / name, b"whole")
    assert (folder / name).read_bytes() == b"whole"
