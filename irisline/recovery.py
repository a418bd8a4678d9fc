"""DVC's own files after a kill: what it left torn is set aside, so that the same command goes on.

DVC writes its files in place, so a kill may leave only the beginning of one, and DVC then refuses every command. Knows nothing
of what they say.
"""

import fcntl
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from irisline import console, paths
from irisline.errors import IrislineError

AT_WORK, LOCK, PIN = Path(".dvc/tmp/rwlock"), Path("dvc.lock"), Path("data.dvc")
HELD = (Path(".dvc/tmp/lock"), Path(".dvc/tmp/rwlock.lock"))  # by a DVC that may be writing one of them
ASIDE = Path(".dvc/tmp/torn")
CONFLICT = b"<<<<<<< "  # git's mark: a person is at work
_NEXT = {
    AT_WORK: "DVC begins a new one",
    LOCK: "what is missing in it is made again, or comes from DVC's cache",
    PIN: f"type dvc add {paths.POOL} if the pool is newer",
}


def mend() -> list[Path]:
    """Give the files that DVC could not read. They lie in ASIDE now; in their place is what the last commit has, if anything.

    A file with a conflict of git's stays, and all stay while a DVC may be writing one. Raise IrislineError when the disk fails.
    """
    if not AT_WORK.parent.is_dir():
        return []
    with paths.disk_errors(AT_WORK.parent), _undisturbed() as undisturbed:
        torn = [file for file in _NEXT if undisturbed and file.is_file() and not _is_read(file, file.read_bytes())]
        for file in torn:
            _set_aside(file)
    return torn


@contextmanager
def _undisturbed() -> Iterator[bool]:
    """Say whether no DVC holds a lock; none gets one meanwhile."""
    with ExitStack() as opened:
        try:
            for lock in HELD:
                fcntl.flock(opened.enter_context(lock.open("ab")), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _set_aside(file: Path) -> None:
    ASIDE.mkdir(exist_ok=True)
    shutil.copy(file, ASIDE / file.name)
    committed = _committed(file)
    if committed is None:
        file.unlink()
    else:
        paths.write_whole(file, committed)
    there = "without one" if committed is None else "with the last commit's"
    console.fail(f"{file}: torn, as by a kill; it lies in {ASIDE} now, and work goes on {there}; {_NEXT[file]}")


def _committed(file: Path) -> bytes | None:
    """Give the file as the last commit has it; nothing when it has none that DVC reads, or git does not tell."""
    if shutil.which("git") is None:
        return None
    shown = subprocess.run(["git", "show", f"HEAD:./{file}"], capture_output=True, check=False)
    return shown.stdout if shown.returncode == 0 and _is_read(file, shown.stdout) else None


def _is_read(file: Path, data: bytes) -> bool:
    """Say whether DVC reads a file, or will tell a person of the conflict in it."""
    if file == AT_WORK:
        return _is_json(data)
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA, COMPILED_SINGLE_STAGE_SCHEMA
    from dvc.utils.serialize import ParseError, parse_yaml
    from voluptuous import Invalid

    try:
        document = parse_yaml(data.decode(), str(file))
        (COMPILED_LOCKFILE_SCHEMA if file == LOCK else COMPILED_SINGLE_STAGE_SCHEMA)(document)
    except (ParseError, Invalid, UnicodeDecodeError):
        return CONFLICT in data
    return file == LOCK or [out.get("path") for out in document.get("outs") or []] == [str(paths.POOL)]


def _is_json(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data), dict)
    except ValueError:
        return False


if __name__ == "__main__":
    try:
        mend()
    except IrislineError as error:
        console.fail(str(error))
        sys.exit(1)
