"""DVC's own files after a kill: what it left torn is put back, so that the same command goes on.

DVC writes its files in place, so a kill may leave the beginning of one, and everything is refused because of it. Knows nothing
of what they say.
"""

import fcntl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, Field, ValidationError

from irisline import console, paths

AT_WORK, LOCK, PIN = Path(".dvc/tmp/rwlock"), Path("dvc.lock"), Path("data.dvc")
HELD = (Path(".dvc/tmp/lock"), Path(".dvc/tmp/rwlock.lock"))  # by a DVC that may be writing one of them
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def mend() -> list[Path]:
    """Give the files that were torn and are now as the last commit has them, or gone; none while a DVC is at work."""
    with _nobody_at_work() as nobody:
        torn = [
            file for file, is_whole in _WHOLE.items() if nobody and file.is_file() and not is_whole(file.read_bytes())
        ]
        for file in torn:
            _put_back(file)
    return torn


@contextmanager
def _nobody_at_work() -> Iterator[bool]:
    """Say whether no DVC holds one of its locks; none gets one meanwhile."""
    with ExitStack() as opened, suppress(FileNotFoundError):
        try:
            for lock in filter(Path.exists, HELD):
                fcntl.flock(opened.enter_context(lock.open("r+b")), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _put_back(file: Path) -> None:
    committed = subprocess.run(["git", "show", f"HEAD:./{file}"], capture_output=True, check=False)
    if committed.returncode == 0 and _WHOLE[file](committed.stdout):
        paths.write_whole(file, committed.stdout)
        console.say(f"{file}: torn by a kill; it is now as the last commit has it, and what is missing is made again")
    else:
        file.unlink()


class _Entry(BaseModel):
    path: str
    md5: str = Field("", min_length=3)  # as DVC asks
    hash: str = ""
    size: int = 0
    nfiles: int = 0


class _Stage(BaseModel):
    cmd: str | list[str]
    deps: list[_Entry] = []
    params: dict[str, dict[str, Any]] = {}
    outs: list[_Entry] = []


class _Lock(BaseModel):
    version: str = Field(alias="schema")
    stages: dict[str, _Stage] = {}


class _Pin(BaseModel):
    outs: list[_Entry] = Field(min_length=1)


class _AtWork(BaseModel):
    read: dict[str, Any] = {}
    write: dict[str, Any] = {}


def _is(shape: type[BaseModel], data: bytes) -> bool:
    """Say whether a file's text is YAML, or JSON, which is YAML too, of a shape that DVC reads."""
    try:
        shape.model_validate(yaml.load(data, Loader=_Loader))  # noqa: S506 - a safe loader, in C where there is one
    except (yaml.YAMLError, ValidationError):
        return False
    return True


_WHOLE: dict[Path, Callable[[bytes], bool]] = {
    AT_WORK: partial(_is, _AtWork), LOCK: partial(_is, _Lock), PIN: partial(_is, _Pin),
}  # fmt: skip


if __name__ == "__main__":
    mend()
