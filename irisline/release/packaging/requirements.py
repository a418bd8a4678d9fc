"""The locked packages that a few extras of this project need, and no other: what an image installs.

Names and extras come from pyproject.toml, versions from constraints.txt, and who needs whom from the packages that are
installed here. Knows nothing of images.
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from irisline.core.errors import MissingInput

PROJECT = Path("pyproject.toml")
LOCK = Path("constraints.txt")

_NEVER_FROZEN = {"pip", "setuptools", "wheel"}  # pip freeze leaves them out; whoever needs one says within which limits

# The image is Linux with CPython 3.11 whatever this machine is.
_IMAGE = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"}


def locked(extras: Sequence[str]) -> list[str]:
    """Return "name==version" of all that the base and these extras need, sorted; raise MissingInput for one not locked."""
    project = tomllib.loads(_text(PROJECT))["project"]
    wanted = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return [f"{name}=={version}" for name, version in sorted(_versions(_closure(map(Requirement, wanted))).items())]


def _closure(wanted: Iterable[Requirement]) -> set[str]:
    """Return the names of all that is needed, directly or not."""
    waiting, seen = list(wanted), set[tuple[str, frozenset[str]]]()
    while waiting:
        requirement = waiting.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key not in seen:
            seen.add(key)
            waiting += _needs(*key)
    return {name for name, _ in seen}


def _needs(name: str, extras: frozenset[str]) -> list[Requirement]:
    """Return what an installed package needs on the image's system."""
    try:
        listed = [Requirement(line) for line in metadata.requires(name) or ()]
    except metadata.PackageNotFoundError as error:
        raise MissingInput(
            f"{name}: not installed here, and its needs are read from there; type make install"
        ) from error
    chosen: list[dict[str, str]] = [{**_IMAGE, "extra": extra} for extra in ("", *extras)]
    return [one for one in listed if one.marker is None or any(one.marker.evaluate(dict(case)) for case in chosen)]


def _versions(names: set[str]) -> dict[str, str]:
    lines = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)$", _text(LOCK), re.M)
    pinned: dict[str, str] = {canonicalize_name(name): version for name, version in lines}
    absent = sorted(set(names) - pinned.keys() - _NEVER_FROZEN)
    if absent:
        raise MissingInput(f"{LOCK}: does not pin {absent[0]}; add the version that pip freeze shows")
    return {name: pinned[name] for name in names if name in pinned}


def _text(file: Path) -> str:
    if not file.is_file():
        raise MissingInput(f"{file}: not here; run from the project's root")
    return file.read_text(encoding="utf-8")
