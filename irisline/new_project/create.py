"""A project in a folder of its own: pictures copied into its pool, params chosen, DVC and git begun. Trains nothing."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

from irisline.core import paths
from irisline.core.errors import IrislineError, MissingInput
from irisline.dataset import sources_table
from irisline.new_project import choices, platform
from irisline.new_project.choices import Choice
from irisline.new_project.layout import Layout

TEMPLATE = Path(__file__).with_name("template")
_NAMES = {
    "gitignore": ".gitignore",
    "stages.yaml": "dvc.yaml",
    "dvc_config": ".dvc/config",
    "plots_page.html": ".dvc/plots_page.html",
}
"""Files of the template that would mean something where it lies, or lie elsewhere in a project."""


def check_target(folder: Path) -> None:
    """Raise IrislineError when a project cannot be made in a folder: it is there and not empty, or git is missing."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise IrislineError(f"{folder}: is there already; name a new or an empty folder")
    if shutil.which("git") is None:
        raise MissingInput("git: not found; install it, DVC keeps its history with it")


def project(
    folder: Path,
    layout: Layout,
    chosen: Mapping[str, Choice],
    advance: Callable[[int], object] = lambda _: None,
) -> None:
    """Make a project of the pictures of a layout; the folder appears whole, or not at all."""
    check_target(folder)
    with paths.whole_folder(folder) as made:
        _begin(made)
        paths.write_whole(made / paths.PARAMS, choices.applied(_template("params.yaml"), chosen))
        for picture in layout.pictures:
            target = made / paths.POOL / picture.label / picture.name
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(picture.file, target)
            advance(1)
        _keep_splits(made / paths.POOL, layout)
        _run(made, sys.executable, "-m", "dvc", "add", "--quiet", str(paths.POOL))


def bundled(folder: Path) -> None:
    """Make a project of the pictures and params of the repository; raise MissingInput where they are not there."""
    check_target(folder)
    params, pool, weights = (paths.CODE / part for part in (paths.PARAMS, paths.POOL, paths.RENDERED))
    files = sorted(weights.glob("*.safetensors"))
    if not (params.is_file() and pool.is_dir() and files):
        raise MissingInput(f"{pool}/: not here; make data in a clone of the repository fetches the pictures")
    with paths.whole_folder(folder) as made:
        _begin(made)
        shutil.copyfile(params, made / paths.PARAMS)
        shutil.copytree(pool, made / paths.POOL)
        (made / paths.RENDERED).mkdir(parents=True)
        kept = [str(shutil.copyfile(file, made / paths.RENDERED / file.name).relative_to(made)) for file in files]
        _run(made, sys.executable, "-m", "dvc", "add", "--quiet", str(paths.POOL), *kept)


def _begin(made: Path) -> None:
    """Fill a folder with the template's files, and begin git and DVC in it."""
    _run(made, "git", "init", "--quiet")
    _run(made, sys.executable, "-m", "dvc", "init", "--quiet")
    for file in sorted(TEMPLATE.iterdir()):
        if file.name != "params.yaml":
            paths.write_whole(made / _NAMES.get(file.name, file.name), file.read_bytes())
    paths.write_whole(made / "requirements.txt", f"{_requirement()}\n")
    paths.write_whole(made / "constraints.txt", _installed())
    platform.note(made)
    if sys.prefix != sys.base_prefix:  # the environment that this runs in; make install makes another where it is not
        (made / ".venv").symlink_to(sys.prefix, target_is_directory=True)


def _copy(file: Path, target: Path) -> None:
    try:
        shutil.copyfile(file, target)
    except (FileNotFoundError, PermissionError) as error:
        raise IrislineError(f"{file}: {error.strerror}; it could be listed, but not be read") from error


def _keep_splits(pool: Path, layout: Layout) -> None:
    """Write the splits that a data set came with into sources.csv, where it did."""
    if any(picture.split for picture in layout.pictures):
        lines = (
            {"id": f"{picture.label}/{picture.name}", "provider": "folder", "licence": "own", "split": picture.split}
            for picture in layout.pictures
        )
        sources_table.write(pool / paths.SOURCES, lines)


def _requirement() -> str:
    """Return the platform as pip reads it: from where it was installed, else by its version."""
    text = metadata.distribution("irisline").read_text("direct_url.json")
    if text is None:
        return f"irisline[pipeline,serve]=={metadata.version('irisline')}"
    source = json.loads(text)
    commit = source.get("vcs_info", {}).get("commit_id")
    return "irisline[pipeline,serve] @ " + (f"git+{source['url']}@{commit}" if commit else source["url"])


def _installed() -> str:
    """Return every installed package with its version, without what a build adds to it, one a line."""
    found = {(each.metadata["Name"], each.version.partition("+")[0]) for each in metadata.distributions()}
    return "".join(f"{name}=={version}\n" for name, version in sorted(found, key=str) if name.lower() != "irisline")


def _template(name: str) -> str:
    return (TEMPLATE / name).read_text(encoding="utf-8")


def _run(folder: Path, *words: str) -> None:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        told = " ".join((done.stderr or done.stdout).split())
        raise IrislineError(f"{' '.join(words[-3:])}: {told[-300:]}")
