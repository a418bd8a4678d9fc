"""What people decide about labels: kept whole, applied again to the same pixels, and never two decisions about one picture."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from irisline.core.errors import DataError
from irisline.labels import decisions
from irisline.labels.decisions import Patch, Patches
from tests.planted import CLASSES, row

HEAD = "id,sha256,action,label\n"
PATCH = Patch(
    "blue/1.jpg", "a" * 64, "set", "brown", "blue", "ada", "2026-01-01T00:00:00Z", 'a "reason", with a comma', "0.02"
)


@pytest.fixture
def file(project: Path) -> Path:
    return project / "data" / "label_patches.csv"


def test_what_is_added_is_read_again(file: Path) -> None:
    other = Patch("brown/2.jpg", "b" * 64, "reject", why="no eye")
    assert decisions.read(file, CLASSES) == []
    assert decisions.append(file, [PATCH], CLASSES) == [PATCH]
    assert decisions.append(file, [PATCH, other], CLASSES) == [other]
    assert decisions.read(file, CLASSES) == [PATCH, other]
    assert [patch.line for patch in decisions.read(file, CLASSES)] == [2, 3]


def test_adding_what_is_there_leaves_the_file_alone(file: Path) -> None:
    decisions.append(file, [PATCH], CLASSES)
    before = file.stat().st_mtime_ns, file.read_bytes()
    assert decisions.append(file, [replace(PATCH, who="bob")], CLASSES) == []
    assert (file.stat().st_mtime_ns, file.read_bytes()) == before


def test_another_decision_about_a_picture_is_refused_unless_it_replaces(file: Path) -> None:
    decisions.append(file, [PATCH], CLASSES)
    changed = replace(PATCH, id="blue/renamed.jpg", action="accept", label="blue")
    with pytest.raises(
        DataError, match=r"label_patches.csv: line 2 says set brown of blue/1.jpg already \(ada, 2026.*give --replace"
    ):
        decisions.append(file, [changed], CLASSES)
    assert decisions.read(file, CLASSES) == [PATCH]
    assert decisions.append(file, [changed], CLASSES, replace=True) == [changed]
    assert decisions.read(file, CLASSES) == [changed]


def test_a_column_a_person_added_stays(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("id,sha256,action,label,mood\nblue/2.jpg,,accept,blue,sunny\n")
    decisions.append(file, [PATCH], CLASSES)
    assert "blue/2.jpg,,accept,blue,,,,,,sunny\n" in file.read_text()


def test_nobody_loses_a_decision_that_is_made_at_the_same_time(file: Path) -> None:
    def decide(number: int) -> None:
        decisions.append(file, [Patch(f"blue/{number}.jpg", f"{number:064x}", "accept", "blue")], CLASSES)

    deciding = [threading.Thread(target=decide, args=[number]) for number in range(8)]
    for thread in deciding:
        thread.start()
    for thread in deciding:
        thread.join()
    assert len(decisions.read(file, CLASSES)) == 8


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            f"blue/1.jpg,{'a' * 64},accept,blue\nblue/2.jpg,{'a' * 64},set,brown\n",
            r"lines 2 and 3 decide differently about blue/2.jpg \(accept blue; set brown\); drop one of them$",
        ),
        ("blue/1.jpg,,accept,blue\nblue/1.jpg,,reject,\n", r"lines 2 and 3 decide differently about blue/1.jpg "),
        ("blue/1.jpg,,keep,blue\n", r"line 2: action is 'keep', must be one of accept, reject, set$"),
        ("blue/1.jpg,,set,green\n", r"line 2: label is 'green', must be one of base.classes \(blue, brown\)$"),
        ("blue/1.jpg,,set,\n", r"line 2: label is '', must be one of base.classes"),
        (",,reject,\n", r"line 2: neither sha256 nor id; say which picture it is about, or drop it$"),
        ("blue/1.jpg,,reject,,more,than\n", r"line 2: more cells than columns; put quotes around a cell with a comma$"),
        ('blue/1.jpg,,"reject\n', r"line 2: .*; correct or drop that line$"),
    ],
)
def test_a_line_that_decides_nothing_is_named(file: Path, lines: str, message: str) -> None:
    file.parent.mkdir()
    file.write_text(HEAD + lines)
    with pytest.raises(DataError, match=message):
        decisions.read(file, CLASSES)


def test_a_table_that_is_none_is_named(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("id,label\n")
    with pytest.raises(DataError, match=r"no column action, sha256; its first line names the columns$"):
        decisions.read(file, CLASSES)
    file.write_bytes(HEAD.encode() + b"\xff")
    with pytest.raises(DataError, match=r"label_patches.csv: not UTF-8: .*; save it as UTF-8$"):
        decisions.read(file, CLASSES)


def test_a_decision_follows_the_pixels_and_one_by_hand_the_file(file: Path) -> None:
    seen = row("blue", 1, "train")
    by_pixels = Patches(file, [Patch("blue/elsewhere.jpg", seen["sha256"], "set", "brown", who="ada")])
    assert by_pixels.applied(seen) == seen | {"label": "brown", "reviewed": "set by ada"}
    assert by_pixels.unused == 0
    by_hand = Patches(file, [Patch(seen["id"], "", "reject")])
    assert by_hand.applied(seen) == seen | {"reason": "rejected by a person: no reason given", "image": None}
    other = Patches(file, [Patch(seen["id"], "0" * 64, "reject")])
    assert other.applied(seen) == seen  # another picture lies there now
    assert other.unused == 1


def test_what_cannot_be_read_stays_as_it_is(file: Path) -> None:
    unreadable = {"id": "blue/1.jpg", "label": "blue", "reason": "damaged"}
    assert Patches(file, [Patch("blue/1.jpg", "", "set", "brown")]).applied(unreadable) == unreadable


def test_a_line_by_hand_and_one_for_the_pixels_may_not_differ(file: Path) -> None:
    seen = row("blue", 1, "train")
    lines = [Patch(seen["id"], seen["sha256"], "reject", line=2), Patch(seen["id"], "", "accept", "blue", line=3)]
    with pytest.raises(DataError, match=r"lines 2 and 3 decide differently about blue/1.jpg \(reject; accept blue\)"):
        Patches(file, lines).applied(seen)


def test_a_line_by_id_and_one_by_pixels_are_about_one_picture(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(f"{HEAD}blue/1.jpg,,set,brown\n")
    accepting = replace(PATCH, action="accept", label="blue")
    with pytest.raises(DataError, match=r"line 2 says set brown of blue/1.jpg already .*give --replace"):
        decisions.append(file, [accepting], CLASSES)
    assert decisions.append(file, [accepting], CLASSES, replace=True) == [accepting]
    assert decisions.read(file, CLASSES) == [accepting]


def test_two_decisions_in_one_go_are_refused(file: Path) -> None:
    with pytest.raises(DataError, match=r"^blue/1.jpg: named twice, with different decisions; name it once$"):
        decisions.append(file, [PATCH, replace(PATCH, action="reject", label="")], CLASSES)
    assert not file.exists()
