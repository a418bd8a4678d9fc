"""A data set is understood however its authors lay it out, and what was understood is said."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest

from irisline.core.errors import DataError
from irisline.new_project import layout
from irisline.new_project.layout import Layout


def laid_out(folder: Path, names: Iterable[str]) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def seen(found: Layout) -> set[tuple[str, str, str]]:
    return {(picture.label, picture.name, picture.split) for picture in found.pictures}


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    found = layout.read(laid_out(tmp_path, ["10/a.jpg", "9/b.PNG", "9/.hidden.jpg", ".cache/x.jpg", "README.md"]))
    assert seen(found) == {("10", "a.jpg", ""), ("9", "b.PNG", "")}
    assert found.classes == ["9", "10"]
    assert not found.notes


def test_nested_folders_are_classes_at_the_deepest_level_that_all_have(tmp_path: Path) -> None:
    laid_out(tmp_path, ["fruit/pear/1.jpg", "fruit/apple/red/1.jpg", "fruit/apple/green/1.jpg", "packs/milk/a.jpg"])
    found = layout.read(tmp_path)
    assert seen(found) == {
        ("pear", "1.jpg", ""), ("apple", "red/1.jpg", ""), ("apple", "green/1.jpg", ""), ("milk", "a.jpg", ""),
    }  # fmt: skip
    assert found.notes == ("the class is the folder at level 2: 3 classes (2 at level 1, 2 at level 3: --class-level)",)
    assert layout.read(tmp_path, class_level=1).classes == ["fruit", "packs"]
    with pytest.raises(DataError, match=r"fruit/pear/1.jpg: lies in no class folder at level 3; "):
        layout.read(tmp_path, class_level=3)


def test_classes_that_end_alike_are_told_apart_by_what_is_above_them(tmp_path: Path) -> None:
    found = layout.read(laid_out(tmp_path, ["fruit/other/1.jpg", "packs/other/1.jpg", "packs/milk/1.jpg"]))
    assert found.classes == ["fruit-other", "milk", "packs-other"]


def test_folders_of_splits_are_kept_as_splits(tmp_path: Path) -> None:
    found = layout.read(laid_out(tmp_path, ["train/ants/1.jpg", "train/bees/1.jpg", "valid/ants/2.jpg"]))
    assert seen(found) == {
        ("ants", "train/1.jpg", "train"), ("bees", "train/1.jpg", "train"), ("ants", "valid/2.jpg", "valid"),
    }  # fmt: skip
    assert found.notes == ("the folders of splits are kept as splits (train/ is train, valid/ is valid)",)


def test_a_file_of_one_name_in_two_splits_is_two_pictures(tmp_path: Path) -> None:
    found = layout.read(laid_out(tmp_path, ["train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg", "val/b/1.jpg"]))
    assert len({(picture.label, picture.name) for picture in found.pictures}) == 4


def test_a_class_called_train_is_a_class_where_other_folders_are_none_of_splits(tmp_path: Path) -> None:
    assert layout.read(laid_out(tmp_path, ["train/1.jpg", "bus/1.jpg"])).classes == ["bus", "train"]


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet"])
def test_a_table_of_labels(tmp_path: Path, ending: str) -> None:
    laid_out(tmp_path, ["train/001.jpg", "train/002.jpg", "train/003.jpg", "test/004.jpg"])
    table = pd.DataFrame({"id": ["001", "002", "003", "777"], "breed": ["pug", "café", "pug", "pug"]})
    file = tmp_path / f"labels{ending}"
    if ending == ".parquet":
        table.to_parquet(file)
    else:
        table.to_csv(file, index=False, sep="\t" if ending == ".tsv" else ",")
    found = layout.read(tmp_path)
    assert seen(found) == {("pug", "train/001.jpg", ""), ("café", "train/002.jpg", ""), ("pug", "train/003.jpg", "")}
    assert found.notes == (
        f"classes are those of labels{ending}: column breed, files in column id",
        f"1 lines of labels{ending} name no picture in {tmp_path} or no class, such as 777",
        f"1 pictures have no line in labels{ending} and stay out",
    )
    assert layout.read(tmp_path, labels=file) == found


def test_a_table_may_give_splits_and_one_that_is_none_is_refused(tmp_path: Path) -> None:
    laid_out(tmp_path, ["a.jpg", "b.jpg"])
    table = tmp_path / "mine.csv"
    table.write_text("file,label,split\na.jpg,x,train\nb.jpg,y,Validation\n")
    assert seen(layout.read(tmp_path, labels=table)) == {("x", "a.jpg", "train"), ("y", "b.jpg", "valid")}
    table.write_text("file,label\na.jpg,x\na.jpg,y\n")
    with pytest.raises(DataError, match=r"mine.csv: a.jpg has several lines; a picture has one class$"):
        layout.read(tmp_path, labels=table)
    table.write_text("width,height\n1,2\n")
    with pytest.raises(DataError, match=r"mine.csv: no table of labels: it needs a column of files \(file, "):
        layout.read(tmp_path, labels=table)


def test_what_is_no_picture_is_counted(tmp_path: Path) -> None:
    found = layout.read(laid_out(tmp_path, ["a/1.jpg", "b/1.jpg", "b/2.bmp", "b/3.bmp", "b/clip.mp4", "b/notes.txt"]))
    assert found.notes == ("3 other files stay out (2 of .bmp, 1 of .mp4): pictures are JPEG, PNG or WebP files",)


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ([], "no pictures in it"),
        (["a/1.jpg", "a/2.jpg"], "all 2 pictures are of class a"),
        (["1.jpg", "a/2.jpg"], "1.jpg: lies in no class folder at level 1"),
    ],
)
def test_what_no_classifier_can_be_made_of_is_one_line(tmp_path: Path, names: list[str], why: str) -> None:
    with pytest.raises(DataError, match=why) as told:
        layout.read(laid_out(tmp_path / "mine", names) if names else tmp_path)
    assert "\n" not in str(told.value)
    with pytest.raises(DataError, match="no such folder"):
        layout.read(tmp_path / "absent")
