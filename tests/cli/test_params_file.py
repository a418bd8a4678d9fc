"""A file of params with other numbers in it: nothing else of it changes."""

from pathlib import Path

import pytest

from irisline.cli import params_file
from irisline.core import params
from irisline.core.errors import ParamsError
from tests.planted import ROOT

TEXT = """# each number
other: {min_side: 1, list: [1, 2]}   # kept
validate:
  min_side: 48                # pixels
  max_brightness: 240.0
  "min_entropy": auto # bits

  min_contrast: 5.0           # standard deviation
"""


def test_values_change_and_every_other_sign_stays() -> None:
    values = {"min_side": 8, "max_brightness": 254.5, "min_entropy": 0.06, "min_contrast": 0.5}
    assert params_file.changed(TEXT, "validate", values) == (
        TEXT.replace("48                #", "8                 #")
        .replace("240.0", "254.5")
        .replace("auto #", "0.06 #")
        .replace("5.0  ", "0.5  ")
    )


def test_a_longer_value_takes_blanks_before_its_comment_and_leaves_one() -> None:
    assert (
        params_file.changed("a: {}\nb:\n  c: 1   # why\n  d: 2\n", "b", {"c": 123456})
        == "a: {}\nb:\n  c: 123456 # why\n  d: 2\n"
    )
    assert params_file.changed("b: {c: 1, d: 2}  # why\n", "b", {"c": 0.25}) == "b: {c: 0.25, d: 2}  # why\n"


def test_the_file_of_the_project_changes_in_one_line_and_is_read(tmp_path: Path) -> None:
    file, before = tmp_path / "params.yaml", (ROOT / "params.yaml").read_bytes()
    file.write_bytes(before.replace(b"\n", b"\r\n"))
    params_file.change(file, "validate", {"min_sharpness": 17.5})
    after = file.read_bytes().replace(b"\r\n", b"\n")
    changed = [(old, new) for old, new in zip(before.splitlines(), after.splitlines(), strict=True) if old != new]
    assert [(old.split()[1], new.split()[1]) for old, new in changed] == [(b"35.0", b"17.5")]
    assert changed[0][0].index(b"#") == changed[0][1].index(b"#")
    assert params.read(file).validate_.min_sharpness == 17.5


def test_a_value_that_params_would_not_take_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_bytes((ROOT / "params.yaml").read_bytes())
    with pytest.raises(ParamsError, match=r"params.yaml: validate.min_side: .* greater than 0"):
        params_file.change(file, "validate", {"min_side": -1})
    assert file.read_bytes() == (ROOT / "params.yaml").read_bytes()
