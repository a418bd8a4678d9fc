"""params.yaml: every mistake is one line that names the key."""

from pathlib import Path

import pytest
import yaml

from irisline.core import params, wrong_params
from irisline.core.errors import ParamsError
from tests.planted import ROOT, document


def test_shipped_params_are_valid_and_frozen() -> None:
    found = params.read(ROOT / "params.yaml")
    assert found.base.classes == ["blue", "brown"]
    assert found.model_dump(by_alias=True) == yaml.safe_load((ROOT / "params.yaml").read_text())
    with pytest.raises(ValueError, match="frozen"):
        found.base.seed = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train__epoch": 3}, r"^params.yaml: train.epoch: unknown key; valid here: arch, init, .*epochs, .*device$"),
        ({"train__epochs": "3"}, r"^params.yaml: train.epochs: Input should be a valid integer, or auto, given '3'$"),
        ({"train__epochs": 0}, r"^params.yaml: train.epochs: Input should be greater than 0, or auto, given 0$"),
        ({"train__init": "hub:x"}, r"^params.yaml: train.init: String should match pattern .*, given 'hub:x'$"),
        ({"split__train": 0.8}, r"^params.yaml: split: train \+ valid \+ test is 1.1, must be 1$"),
        ({"base__classes": ["a", "a"]}, r"^params.yaml: base: classes has 'a' twice; name each class once$"),
        ({"base__classes": ["é", "e\u0301"]}, r"^params.yaml: base: classes has 'é' twice; name each class once$"),
        ({"base__classes": ["../up", "b"]}, r"^params.yaml: base.classes.0: '../up' has a / in it, .*; write '..-up'$"),
        ({"snapshot__queries": {"a/b": []}}, r"^params.yaml: snapshot.queries.a/b.\[key\]: 'a/b' has a / in it"),
        ({"base__name": "Eye colour!"}, r"^params.yaml: base.name: 'Eye colour!' would name .*; write Eye-colour$"),
        ({"base__name": "蓝"}, r"^params.yaml: base.name: '蓝' would name files, .*; write model$"),
        ({"base__name": "x" * 64}, rf"^params.yaml: base.name: .*63 at most.*; write {'x' * 63}$"),
        (
            {"validate__min_side": 1.5},
            r"^params.yaml: validate.min_side: Input should be a valid integer, or auto, given 1.5$",
        ),
        ({"validate__max_aspect": "any"}, r"^params.yaml: validate.max_aspect: .* valid number, or auto, given 'any'$"),
        ({"validate__min_entropy": 9.0}, r"^params.yaml: validate.min_entropy: .* equal to 8, or auto, given 9.0$"),
        ({"validate__min_per_class": "auto"}, r"^params.yaml: validate.min_per_class: .* valid integer, given 'auto'$"),
        ({"gate__max_ece": float("nan")}, r"^params.yaml: gate.max_ece: Input should be"),
        (
            {"gate__max_flip_rate": "often"},
            r"^params.yaml: gate.max_flip_rate: Input should be a valid number, or auto, given 'often'$",
        ),
        (
            {"gate__max_error_rate": 1.5},
            r"^params.yaml: gate.max_error_rate: Input should be less than or equal to 1, or ",
        ),
        ({"gate__max_parity": float("inf")}, r"^params.yaml: gate.max_parity: Input should be a finite number"),
        (
            {"validate__min_brightness": 90.0, "validate__max_brightness": 90.0},
            r"^params.yaml: validate: min_brightness is 90, must be below max_brightness, 90$",
        ),
    ],
    ids=str,
)
def test_a_wrong_value_names_its_key(change: dict[str, object], message: str) -> None:
    with pytest.raises(ParamsError, match=message) as caught:
        params.parse(document(**change))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("old", wrong_params.RENAMED)
def test_a_key_of_before_is_refused_with_its_new_name(old: str) -> None:
    new, (section, key) = wrong_params.RENAMED[old], old.split(".")
    with pytest.raises(ParamsError, match=rf"^params.yaml: {old}: is called {new} now, rename it(; .*)?$"):
        params.parse(document(**{f"{section}__{key}": 0.5}))
    section, key = new.split(".")
    named_now = params.Params.model_fields["validate_" if section == "validate" else section].annotation
    assert key in named_now.model_fields


@pytest.mark.parametrize("off", ["null", "off", "false"])
def test_pictures_need_not_be_compared(off: str) -> None:
    text = yaml.safe_dump(document(split__near_duplicate_distance=yaml.safe_load(off)))
    assert params.parse(yaml.safe_load(text)).split.near_duplicate_distance is None
    with pytest.raises(ParamsError, match=r"split.near_duplicate_distance: Input should be .* 16, given 17"):
        params.parse(document(split__near_duplicate_distance=17))


def test_an_unknown_section_lists_the_valid_ones() -> None:
    with pytest.raises(ParamsError, match=r"^params.yaml: trian: unknown key; valid here: base, .*validate, split"):
        params.parse(document() | {"trian": {}})


def test_a_missing_section_and_a_missing_key_are_named() -> None:
    without = document()
    del without["gate"]
    with pytest.raises(ParamsError, match=r"^params.yaml: gate: Field required$"):
        params.parse(without)
    del (short := document())["base"]["seed"]
    with pytest.raises(ParamsError, match=r"^params.yaml: base.seed: Field required$"):
        params.parse(short)


@pytest.mark.parametrize("text", ["base: [1", "a: b: c", "\t- x", "base: \ud800"])
def test_text_that_is_not_yaml_is_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ParamsError, match=r"^params.yaml: not YAML: .+") as caught:
        params.read(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "just words", "[1, 2]"])
def test_yaml_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(text)
    with pytest.raises(ParamsError, match=r"^params.yaml: the file: "):
        params.read(file)


def test_a_missing_file_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"^params.yaml: not found in .*; run from the project's root$"):
        params.read(tmp_path / "params.yaml")


def test_yaml_runs_no_code(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(f"!!python/object/apply:pathlib.Path.touch [{tmp_path / 'touched'}]")
    with pytest.raises(ParamsError, match="not YAML"):
        params.read(file)
    assert not (tmp_path / "touched").exists()


def test_yaml_that_stands_for_a_text_without_end_is_one_short_line(tmp_path: Path) -> None:
    lines = ["- &0 [x, x, x, x, x, x, x, x]", *(f"- &{n} [{', '.join([f'*{n - 1}'] * 8)}]" for n in range(1, 12))]
    (tmp_path / "params.yaml").write_text("\n".join(["many:", *lines, "base: *11", ""]))
    with pytest.raises(ParamsError, match=r"^params\.yaml: base: Input should be .*, given \[\[\[\.\.\.\], ") as told:
        params.read(tmp_path / "params.yaml")
    assert len(str(told.value)) < 500
    (tmp_path / "params.yaml").write_text("[" * 5000)
    with pytest.raises(ParamsError, match=r"^params\.yaml: not YAML: maximum recursion depth"):
        params.read(tmp_path / "params.yaml")
