"""The rules of the house: who may import whom, and that DVC knows what every stage depends on."""

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from irisline.core.params import Params
from irisline.release.packaging import bento
from irisline.release.publishing import import_closure
from tests.imports import ROOT, files_of, modules_of

LIBRARY = sorted((ROOT / "irisline").rglob("*.py"))
STAGES = sorted(file for file in (ROOT / "pipelines").glob("*.py") if file.stem != "__init__")
SERVICE = sorted((ROOT / "service").glob("*.py"))
ROOMS = (  # each may import those before it
    "core", "whole_picture", "eyes", "domains", "dataset", "validation", "collection", "networks", "inference", "labels",
    "training", "evaluation", "release.tracking", "release.signatures", "release.publishing", "release.promotion",
    "release.packaging", "release.serving", "new_project", "cli",
)  # fmt: skip
FILES = 18  # of a room
SERVING_NEVER_LOADS = {
    "torch",
    "torchvision",
    "fastai",
    "mlflow",
    "dvc",
    "great_expectations",
    "pandas",
    "pyarrow",
}
NO_OUTPUT_DEPENDS_ON = {"execution"}
SECTIONS = {field.alias or name for name, field in Params.model_fields.items()}
KEYS = {  # for a stage that uses little of a section
    f"{field.alias or name}.{key}"
    for name, field in Params.model_fields.items()
    for key in field.annotation.model_fields
}
DVC: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
PRETRAIN: dict[str, Any] = yaml.safe_load((ROOT / "pretrain" / "dvc.yaml").read_text())["stages"]


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def rank(parts: tuple[str, ...]) -> int:
    """Return how far up a module of irisline lies: its room's place among them, -1 for what holds rooms."""
    rooms = [
        number for number, room in enumerate(ROOMS) if parts[1 : 1 + len(room.split("."))] == tuple(room.split("."))
    ]
    assert rooms or parts[1:] in ((), ("release",), ("__init__",), ("release", "__init__")), f"{parts} lies in no room"
    return rooms[0] if rooms else -1


def outside(file: Path) -> set[str]:
    """Return the top names of what a file imports."""
    return {name.split(".")[0] for name in modules_of(file)}


@pytest.mark.parametrize("file", LIBRARY, ids=name_of)
def test_imports_flow_one_way(file: Path) -> None:
    own = rank(file.relative_to(ROOT).with_suffix("").parts)
    imported = [parts for name in modules_of(file) if (parts := tuple(name.split(".")))[0] == "irisline"]
    above = [".".join(parts) for parts in imported if rank(parts) > own]
    assert not above, f"{name_of(file)} may not import {above}"
    assert not {"pipelines", "pretrain", "service", "tests"} & outside(file)


OF_A_DOMAIN = re.compile(
    r"\b(eyes?|iris(es)?|pupils?|faces?|skin|lashes|eyelids?|sclera|glasses|spectacles|makeup|hair|shirts?|recolou?r\w*"
    r"|blue|brown|hazel|green)\b"
)
OF_SUBJECTS = re.compile(r"(^|_)(persons?|people|eyes?|iris|faces?)(_|$)")  # in names; sentences call readers people
DOMAINS = ROOMS[ROOMS.index("core") + 1 : ROOMS.index("domains")]
PARAMS = (ROOT / "irisline/core/params.py").read_text(encoding="utf-8")
EXEMPT = ("np.eye", *re.findall(r"^Crop = .*$", PARAMS, re.MULTILINE))
GENERIC = [
    file
    for file in (*LIBRARY, *STAGES, *SERVICE)
    if not {"domains", *DOMAINS} & set(file.relative_to(ROOT).parts) and file.name != "deprecated.py"
]


@pytest.mark.parametrize("file", GENERIC, ids=name_of)
def test_what_serves_any_pictures_names_no_domain(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    for phrase in EXEMPT:
        text = text.replace(phrase, "")
    assert not [line for line in text.splitlines() if OF_A_DOMAIN.search(line)], "say it in irisline/eyes/"
    tree = [*ast.walk(ast.parse(text))]
    names = {node.id for node in tree if isinstance(node, ast.Name)} | {
        node.attr for node in tree if isinstance(node, ast.Attribute)
    }
    assert not {name for name in names if OF_SUBJECTS.search(name)}
    assert not {name.split(".")[1] for name in modules_of(file) if "." in name} & {*DOMAINS}, "ask through domains/"


def test_no_room_is_crowded() -> None:
    folders = Counter(file.parent for file in LIBRARY if file.stem != "__init__")
    assert not {name_of(folder): count for folder, count in folders.items() if count > FILES}


@pytest.mark.parametrize("file", LIBRARY, ids=name_of)
def test_heavy_libraries_stay_in_their_room(file: Path) -> None:
    room = file.relative_to(ROOT).parts[1]
    if room not in ("networks", "training") and file.stem != "torch_runtime":
        assert not {"torch", "torchvision", "fastai"} & outside(file)
    if room != "release":
        assert "mlflow" not in outside(file)
    if name_of(file) != "irisline/validation/great_expectations.py":
        assert "great_expectations" not in outside(file)


@pytest.mark.parametrize("file", LIBRARY, ids=name_of)
def test_a_module_says_what_it_owns_and_is_short(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= 250


@pytest.mark.parametrize("file", STAGES, ids=name_of)
def test_a_stage_is_one_public_function_of_its_name_and_imports_no_stage(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert [name for name in functions if not name.startswith("_")] == [file.stem]
    assert ast.get_docstring(tree)
    assert "pipelines" not in outside(file)


def test_every_stage_has_a_file_and_every_file_a_stage() -> None:
    assert {file.stem for file in STAGES} == set(DVC)
    assert {name: stage["cmd"] for name, stage in DVC.items()} == {name: f"python -m pipelines.{name}" for name in DVC}


@pytest.mark.parametrize("file", STAGES, ids=name_of)
def test_dvc_knows_the_files_a_stage_imports(file: Path) -> None:
    listed = {name for name in DVC[file.stem]["deps"] if name.endswith(".py")}
    imported = {name_of(target) for target in files_of(file)}
    assert listed == imported, f"add {sorted(imported - listed)}, drop {sorted(listed - imported)} in dvc.yaml"


@pytest.mark.parametrize("file", STAGES, ids=name_of)
def test_dvc_knows_the_params_a_stage_uses(file: Path) -> None:
    whole = [target for target in files_of(file) if "irisline.core.params.Params" in modules_of(target)]
    whole = [
        target for target in whole if "release" not in target.parts
    ]  # what is shown to MLflow is no output of DVC's
    used = {named for target in whole for named in re.findall(r"\bparams\.(\w+)(?:\.(\w+))?", target.read_text())}
    used = {(section.rstrip("_"), key) for section, key in used}
    listed = set(DVC[file.stem].get("params", SECTIONS if "params.yaml" in DVC[file.stem]["deps"] else []))
    missing = {
        f"{section}.{key}".rstrip(".")
        for section, key in used
        if section in SECTIONS - NO_OUTPUT_DEPENDS_ON and not {section, f"{section}.{key}"} & listed
    }
    assert not missing, f"list {sorted(missing)}, or their sections, among the params of {file.stem} in dvc.yaml"
    assert listed <= SECTIONS | KEYS


def test_training_depends_on_every_file_of_rendered_weights_and_no_run_on_what_makes_them() -> None:
    tracked = {name_of(file.with_suffix("")) for file in (ROOT / "pretrain" / "weights").glob("*.dvc")}
    assert tracked
    assert {dep for dep in DVC["train"]["deps"] if dep.endswith(".safetensors")} == tracked
    made = {path for stage in PRETRAIN.values() for out in stage["outs"] for path in out}
    assert not made & {dep for stage in DVC.values() for dep in stage["deps"]}


@pytest.mark.parametrize("name", PRETRAIN)
def test_dvc_knows_what_the_stages_of_the_pre_training_import(name: str) -> None:
    listed = {dep for dep in PRETRAIN[name]["deps"] if dep.endswith(".py")}
    imported = {name_of(target) for target in files_of(ROOT / "pretrain" / f"{name}.py")}
    assert listed == imported, f"add {sorted(imported - listed)}, drop {sorted(listed - imported)} in pretrain/dvc.yaml"
    assert PRETRAIN[name]["wdir"] == ".."
    assert [options["push"] for out in PRETRAIN[name]["outs"] for options in out.values()] == [False]


@pytest.mark.parametrize("name", DVC)
def test_dvc_knows_the_folders_a_stage_reads(name: str) -> None:
    makers = {f"artifacts/{other}" for other in DVC} | {"data"}
    if name == "publish":  # shows all there is
        makers |= {"params.yaml"} | {path for stage in DVC.values() for out in _made(stage) for path in out}
    listed = {dep for dep in DVC[name]["deps"] if not dep.endswith((".py", ".npz", ".safetensors"))}
    assert listed
    assert listed <= makers - {f"artifacts/{name}"}
    reads = {
        "POOL": "data",
        "COLLECTED": "collect",
        "ACCEPTED": "validate",
        "LABELLED": "labels",
        "AUGMENTED": "augment",
        "TRAINED": "train",
    }
    text = "".join(file.read_text() for file in {ROOT / "pipelines" / f"{name}.py", *_own_nouns(name)})
    for constant, folder in reads.items():
        if re.search(rf"paths\.{constant}\b", text) and folder != name:
            assert folder in listed or f"artifacts/{folder}" in listed, folder


def _made(stage: dict[str, Any]) -> list[dict[str, Any]]:
    return [*stage.get("outs", []), *stage.get("metrics", [])]


def _own_nouns(name: str) -> set[Path]:
    """Return the files that read artifacts on a stage's behalf."""
    return {ROOT / "irisline" / "training" / "training.py"} if name == "train" else set()


@pytest.mark.parametrize("name", [name for name in DVC if name != "publish"])
def test_how_things_are_shown_and_registered_decides_no_result(name: str) -> None:
    assert not [dep for dep in DVC[name]["deps"] if dep.startswith("irisline/release/")]


def test_what_is_published_is_all_that_the_stages_make_to_be_read() -> None:
    reports = {path for stage in DVC.values() for out in _made(stage) for path in out if path.startswith("reports/")}
    reports -= {"reports/validate/refused.png"}  # of pictures that are in no version
    assert reports <= set(DVC["publish"]["deps"])


def test_what_a_run_makes_is_never_pushed_to_the_embedded_remote() -> None:
    for stage in DVC.values():
        for out in stage.get("outs", []):
            assert [options["push"] for options in out.values()] == [False], out
        for metrics in stage.get("metrics", []):
            assert [options["cache"] for options in metrics.values()] == [False], metrics


def test_the_prediction_path_loads_nothing_heavy() -> None:
    closure = files_of(ROOT / "irisline" / "inference" / "classifier.py")
    assert not set().union(*map(outside, closure)) & SERVING_NEVER_LOADS
    code = "import sys, irisline.inference.classifier; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "onnxruntime" in loaded
    assert not loaded & (SERVING_NEVER_LOADS | {"scipy", "sklearn", "matplotlib", "yaml", "rich"})


def test_the_service_loads_nothing_heavy_and_no_registry() -> None:
    closure = {found for file in SERVICE for found in files_of(file)}
    assert not set().union(*map(outside, closure)) & SERVING_NEVER_LOADS
    assert not {file for file in closure if "release" in file.parts}
    assert not {file for file in closure if file.parent.name in ("pipelines", "tests")}


def test_what_the_service_starts_by_name_is_in_its_image() -> None:
    packed = {name_of(found) for found in import_closure.files_of([ROOT / name for name in bento.CPU.modules], ROOT)}
    named = re.compile(r'"(irisline(?:\.\w+)+)"')
    for name in packed:
        for module in named.findall((ROOT / name).read_text(encoding="utf-8")):
            started = f"{module.replace('.', '/')}.py"
            assert started in packed or started in bento.Kind(gpu=True, follow=True).modules, (name, started)
    assert {
        "irisline/core/isolation.py",
        "irisline/dataset/untrusted_crops.py",
        "irisline/dataset/untrusted_images.py",
    } <= packed
    assert "irisline/inference/prover.py" in packed


@pytest.mark.parametrize("file", SERVICE, ids=name_of)
def test_a_module_of_the_service_says_what_it_owns_and_prepares_no_picture(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= 250
    assert not {"PIL", "cv2"} & outside(file)


def test_stages_that_need_no_heavy_library_load_none() -> None:
    code = "import sys, pipelines.collect, pipelines.augment; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"torch", "fastai", "mlflow", "great_expectations", "dvc"}
