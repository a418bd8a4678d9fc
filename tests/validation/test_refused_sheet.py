"""The sheet of refused pictures: which are on it, in which order, and which are never shown."""

from pathlib import Path

from PIL import Image

from irisline.dataset import contact_sheet, images, shards
from irisline.validation import refused_sheet
from irisline.validation.great_expectations import Failure

AUTO = "must be at least 35 (auto)"


def failure(name: str, expectation: str = "sharp", column: str = "sharpness", value: str = "3.84444") -> Failure:
    return Failure(f"cat/{name}.jpg", "cat", expectation, column, value, AUTO)


def names(failures: list[Failure]) -> list[list[str]]:
    return [[shown.id[4:-4] for shown in line] for line in refused_sheet.lines(failures)]


def test_a_picture_is_shown_once_by_the_first_expectation_it_failed() -> None:
    failures = [
        failure("a", "not a strip", "aspect", "5"),
        failure("a"),
        failure("b"),
        failure("c"),
        failure("d", "not a strip", "aspect", "9"),
        failure("e", "not a strip", "aspect", "4.5"),
    ]
    assert names(failures) == [["e", "a", "d"], ["b", "c"]]


def test_those_nearest_to_the_limit_come_first_and_sixteen_are_enough() -> None:
    failures = [failure(f"{number:02}", value=str(number)) for number in range(30)]
    assert names(failures) == [[f"{number:02}" for number in range(29, 21, -1)], [f"{n:02}" for n in range(21, 13, -1)]]


def test_what_may_not_be_used_or_cannot_be_read_is_not_shown() -> None:
    failures = [
        failure("a", "licence is accepted", "refused_licence", "CC-BY-ND-4.0"),
        failure("a"),
        failure("b", "readable", "reason", "damaged"),
        failure("c", "licence is known", "licence", ""),
    ]
    assert names(failures) == []


def test_a_caption_says_value_limit_and_name_whatever_the_name() -> None:
    assert refused_sheet.caption(failure("a")) == f"sharpness 3.84\n{AUTO}\na"
    copy = Failure("cat/a\nb.jpg", "cat", "not an exact copy", "copy_of", "cat/c.jpg", "must be empty")
    assert refused_sheet.caption(copy) == "copy_of cat/c.jpg\nmust be empty\na\\nb"


def test_the_sheet_holds_the_pictures_and_is_a_title_where_there_are_none(tmp_path: Path) -> None:
    rows = [
        {"id": f"cat/{name}.jpg", "label": "cat", "image": images.encode(Image.new("RGB", (20, 20), colour))}
        for name, colour in (("a", "red"), ("b", "blue"))
    ]
    shards.write(tmp_path / "collect", shards.COLLECTED, 8, rows)
    refused_sheet.write(tmp_path / "some.png", tmp_path / "collect", [failure("b")])
    refused_sheet.write(tmp_path / "none.png", tmp_path / "collect", [])
    margin = contact_sheet.CELL // 4 + contact_sheet.GAP
    with Image.open(tmp_path / "none.png") as sheet:
        assert sheet.height == margin
    with Image.open(tmp_path / "some.png") as sheet:
        lines = contact_sheet.CAPTION + 2 * contact_sheet.NEXT
        assert sheet.height == margin + contact_sheet.CELL + lines + contact_sheet.GAP
        assert sheet.convert("RGB").getpixel((contact_sheet.CELL // 2, contact_sheet.CELL // 2)) == (0, 0, 254)
