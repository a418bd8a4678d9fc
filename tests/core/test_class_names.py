"""Any text is the name of a class, unless no folder can have it; what MLflow takes of it is told apart from any other."""

from pathlib import Path

import pytest
from hypothesis import given
from mlflow.utils.validation import MAX_ENTITY_KEY_LENGTH, path_not_unique, validate_param_and_metric_name

from irisline.core import class_names, params
from tests.hostile_names import CLASSES, NAMES
from tests.planted import ROOT, document


def test_any_text_is_a_class_and_stays_as_it_is() -> None:
    assert params.parse(document(base__classes=list(CLASSES))).base.classes == list(CLASSES)


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "a/b", "a\0", "a\nb", " a", "a ", "\xa0", "a\u202eb", "é" * 128]
)
def test_what_no_folder_can_show_is_none(name: str) -> None:
    assert class_names.fault(name)


@pytest.mark.parametrize(
    ("written", "classes"),
    [
        ("[No, Yes]", ["No", "Yes"]),
        ("[0, 1]", ["0", "1"]),
        ("[007, 1_0, 12:30, 1.50, null, ~]", ["007", "1_0", "12:30", "1.50", "null", "~"]),
        ("\n    - light blue\n    - caf\u0065\u0301", ["light blue", "caf\u00e9"]),
    ],
)
def test_a_class_is_named_as_it_is_written(written: str, classes: list[str], tmp_path: Path) -> None:
    file, queries = tmp_path / "params.yaml", "".join(f"\n    {name}: [a]" for name in ("No", "007"))
    shipped = (ROOT / "params.yaml").read_text()
    start, end = shipped.index("  queries:"), shipped.index("  licences:")
    text = f"{shipped[:start]}  queries:{queries}\n{shipped[end:]}".replace("[blue, brown]", written)
    file.write_text(text, encoding="utf-8")
    found = params.read(file)
    assert found.base.classes == classes
    assert list(found.snapshot.queries) == ["No", "007"]


def test_keys_are_readable_where_mlflow_reads_them() -> None:
    shown = {"light blue": "light blue", "蓝": "蓝", "a-b_c": "a-b_c", "a+b": "a.2b.b", "a.b": "a.2e.b"}
    assert {name: class_names.key(name) for name in shown} == shown


@given(NAMES, NAMES)
def test_mlflow_takes_every_key_and_no_two_names_have_one(one: str, other: str) -> None:
    key = f"evaluate/precision/{class_names.key(one)}/high"
    assert validate_param_and_metric_name(key)  # type: ignore[no-untyped-call]
    assert not path_not_unique(key)  # type: ignore[no-untyped-call]
    assert len(key) <= MAX_ENTITY_KEY_LENGTH
    assert (class_names.key(one) == class_names.key(other)) == (one == other)


@given(NAMES)
def test_a_slug_is_its_own(text: str) -> None:
    slug = class_names.slug(text)[: class_names.LONGEST_SLUG].strip("-_")
    assert params.parse(document(base__name=slug)).base.name == slug
