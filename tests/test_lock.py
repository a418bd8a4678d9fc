"""The lock holds what pyproject.toml asks for, and the lists of the images are parts of it; if not: `make lock`."""

import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from irisline.release.packaging.bento import Kind
from irisline.release.publishing import import_closure
from tests.clones import BIN
from tests.imports import ROOT
from tests.locked import LOCK, needed, pins

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
KINDS = [Kind(gpu, follow) for gpu in (False, True) for follow in (False, True)]
NOT_TO_SERVE = {"irisline", "scipy", "yaml", "service", "sqlalchemy"}  # imported only where a model is made, or our own
NEVER_SERVED = {"fastai", "mlflow", "mlflow-skinny", "dvc", "great-expectations", "pandas", "pyarrow", "spacy", "torch"}
FOR_FOLLOWING = {"mlflow-skinny"}
IMAGE = Path("irisline/release/packaging/image")
LISTS = [LOCK, *sorted((ROOT / IMAGE).glob("requirements*.txt")), ROOT / "deploy/mlflow/requirements.txt"]


def test_all_that_pyproject_asks_for_is_locked_within_its_limits() -> None:
    lock = pins()
    for text in [*PROJECT["dependencies"], *(line for lines in EXTRAS.values() for line in lines)]:
        wanted = Requirement(text)
        name = canonicalize_name(wanted.name)
        assert name in lock, f"{text}: type make lock"
        assert lock[name] in wanted.specifier, f"{text}: type make lock"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"image{kind.suffix}")
def test_an_image_installs_what_its_extras_need_as_the_lock_says(kind: Kind) -> None:
    own = dict(line.split("==") for line in kind.requirements)
    assert own.items() <= pins().items()
    extras = ["serve", *["cuda"] * kind.gpu, *["follow"] * kind.follow]
    here = needed([*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])])
    installed = {canonicalize_name(each.name) for each in metadata.distributions()}
    assert here == own.keys() & installed
    absent = own.keys() - here
    assert kind.gpu or not absent
    assert all(re.match(r"nvidia-|cuda-|triton$", name) for name in absent)  # not with torch's CPU wheel


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"image{kind.suffix}")
def test_an_image_installs_whatever_its_code_imports_and_nothing_that_trains(kind: Kind) -> None:
    installs = {canonicalize_name(line.split("==")[0]) for line in kind.requirements}
    files = import_closure.travelling([ROOT / name for name in kind.modules], ROOT)
    loaded = {name.split(".")[0] for file in files if file.suffix == ".py" for name in import_closure.modules_of(file)}
    by_module = metadata.packages_distributions()
    foreign = {name for name in loaded & by_module.keys() if name not in sys.stdlib_module_names}
    absent = {name for name in foreign if not {canonicalize_name(each) for each in by_module[name]} & installs}
    assert absent <= NOT_TO_SERVE
    assert not installs & (
        NEVER_SERVED - ({"torch"} if kind.gpu else set()) - (FOR_FOLLOWING if kind.follow else set())
    )


@pytest.mark.parametrize("file", LISTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_list_names_an_index_or_a_wheel_of_one_machine(file: Path) -> None:
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9][a-z0-9.]*", line)] == []


@pytest.mark.slow
@pytest.mark.network
def test_to_lock_anew_changes_nothing(tmp_path: Path) -> None:
    shutil.copytree(ROOT / IMAGE, tmp_path / IMAGE)
    shutil.copytree(ROOT / "deploy" / "mlflow", tmp_path / "deploy" / "mlflow")
    for name in ("Makefile", "README.md", "pyproject.toml", LOCK.name):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv").symlink_to(BIN.parent)
    done = subprocess.run(["make", "lock"], cwd=tmp_path, capture_output=True, text=True, check=False)
    if "Failed to fetch" in done.stderr:
        pytest.skip("no package index answers")
    assert done.returncode == 0, done.stderr
    assert [file.name for file in LISTS if (tmp_path / file.relative_to(ROOT)).read_bytes() != file.read_bytes()] == []
