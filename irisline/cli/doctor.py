"""What is installed, which device and stores are used, what is missing and how to get it. Looks; changes nothing."""

import configparser
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from irisline.core import class_names, params, paths
from irisline.core.bounded import plain_files
from irisline.core.errors import IrislineError, in_a_line

PACKAGES = (
    "bentoml",
    "dvc",
    "fastai",
    "great-expectations",
    "mlflow",
    "numpy",
    "onnxruntime",
    "pillow",
    "pydantic",
    "torch",
    "torchvision",
)
TOOLS = {"git": "install git", "make": "install make, or type the commands of the Makefile"}
CONTAINER_TOOLS = ("podman", "docker")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    found: str
    well: bool
    advice: str = ""  # what to type or install

    @property
    def mark(self) -> str:
        """The sign people see first."""
        return "ok" if self.well and not self.advice else "note" if self.well else "MISSING"


def examine() -> list[Finding]:
    """Return every finding, in the order in which a person would fix them."""
    return [*_installed(), *_tools(), _device(), *_project(), *_signing(), _tracking(), *_remotes()]


def _installed() -> Iterator[Finding]:
    supported = sys.version_info[:2] == (3, 11)
    yield Finding("python", platform.python_version(), supported, "" if supported else "make a venv with Python 3.11")
    for name in PACKAGES:
        try:
            yield Finding(name, metadata.version(name), well=True)
        except metadata.PackageNotFoundError:
            yield Finding(name, "not installed", well=False, advice="make install")


def _tools() -> Iterator[Finding]:
    for name, advice in TOOLS.items():
        found = shutil.which(name)
        yield Finding(name, found or "not found", found is not None, "" if found else advice)
    builder = next(filter(shutil.which, CONTAINER_TOOLS), None)
    advice = "" if builder else "install podman or docker, only to build a container"
    yield Finding("container builder", builder or "none", well=True, advice=advice)


def _device() -> Finding:
    cpu = f"CPU, {len(os.sched_getaffinity(0))} cores"
    listing = _output("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
    if not listing:
        return Finding("device", cpu, well=True)
    advice = "pip install torch==2.13.0, a CUDA build, to train on it" if "+cpu" in _version("torch") else ""
    return Finding("device", f"{listing.splitlines()[0]}; {cpu}", well=True, advice=advice)


def _project() -> Iterator[Finding]:
    from irisline.domains import perturbations  # it brings OpenCV

    try:
        found = params.read(paths.PARAMS)
        perturbations.chosen(found)
        yield Finding("params.yaml", f"{found.base.name}: {class_names.some(found.base.classes)}", well=True)
        yield from _weights(found)
    except IrislineError as error:
        yield Finding("params.yaml", str(error), well=False, advice="correct the key it names")
    pool = paths.POOL.is_dir()
    yield Finding("pool", str(paths.POOL) if pool else "not fetched", pool, "" if pool else "dvc pull data.dvc")
    trained = (paths.TRAINED / "model.onnx").exists()
    yield Finding(
        "model", str(paths.TRAINED) if trained else "none yet", well=True, advice="" if trained else "make repro"
    )
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    yield Finding("disk", f"{free:.0f} GB free", free > 1, "" if free > 1 else "free some: dvc gc --workspace")


def _weights(given: params.Params) -> Iterator[Finding]:
    """Look for the weights to start from, where they are a file of the project."""
    if given.train.init == "rendered":
        file = paths.RENDERED / f"{given.train.arch}.safetensors"
        there, known = file.is_file(), file.with_name(f"{file.name}.dvc").is_file()
        advice = "make data" if known else "train.init: scratch, or another train.arch: none were made for this one"
        yield Finding("weights to start from", str(file) if there else "none here", there, "" if there else advice)


def _signing() -> Iterator[Finding]:
    """Look for the key that signs versions here, and for those that are trusted."""
    from irisline.release.signatures import signed, signing

    try:
        key, trusted = signing.known(), signed.trusted()
    except IrislineError as error:
        yield Finding("signing", str(error), well=False, advice="correct the key it names")
        return
    told = f"{key.where} ({key.public.fingerprint[:12]})" if key else f"{signing.own_file()}, made at the first publish"
    yield Finding("signing key", told, well=True)
    names = ", ".join(map(str, trusted)) or "none yet"
    known = key is None or key.public.fingerprint in {each.fingerprint for each in trusted}
    yield Finding("trusted keys", names, well=True, advice="" if known else "irisline publish adds yours")


def _tracking() -> Finding:
    from irisline.release.tracking import store

    address = store.address()
    if address == f"sqlite:///{store.home() / store.DATABASE}" and not (store.home() / store.DATABASE).exists():
        return Finding("MLflow", f"{address}, not made yet", well=True, advice="make repro")
    try:
        store.client()
    except IrislineError as error:
        return Finding("MLflow", str(error), well=False, advice="irisline publish, once it is fixed")
    return Finding("MLflow", store.shown_address(), well=True)


def _remotes() -> Iterator[Finding]:
    config = configparser.ConfigParser()
    for file in filter(Path.exists, map(Path, (".dvc/config", ".dvc/config.local"))):
        try:
            config.read_string(plain_files.read(file).decode())
        except (IrislineError, OSError, ValueError, configparser.Error) as error:
            yield Finding("DVC remote", in_a_line(error), well=False, advice=f"correct {file}")
            return
    addresses = [f"{config[section]['url']}" for section in config.sections() if "remote" in section]
    if not addresses:
        yield Finding("DVC remote", "none", well=True, advice="dvc remote add -d NAME URL, to share data")
    for address in addresses:
        yield Finding("DVC remote", address, well=True)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _output(*words: str) -> str:
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
