"""DVC's own files after a kill: what it left torn is set aside, whom it lists as at work and is not is dropped.

DVC writes its files in place, so a kill may leave only the beginning of one, and DVC then refuses every command. It lists who
is at work by process id alone, so that a dead one blocks it for as long as another program has that id.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from irisline.core import console, locks, paths
from irisline.core.bounded import plain_files
from irisline.core.errors import IrislineError

AT_WORK, LOCK, PIN = Path(".dvc/tmp/rwlock"), Path("dvc.lock"), Path("data.dvc")
EXPERIMENTS = Path(".dvc/tmp/exps/rwlock")  # the same as AT_WORK, of what is queued
LISTS = (AT_WORK, EXPERIMENTS)
HELD = (Path(".dvc/tmp/lock"), Path(".dvc/tmp/rwlock.lock"))  # by a DVC that may be writing one of them
ASIDE = Path(".dvc/tmp/torn")
CONFLICT = b"<<<<<<< "  # git's mark: a person is at work
_READ = (paths.PARAMS, Path("dvc.yaml"))  # by DVC too, which would wait for a pipe in a file's place
_NEXT = {
    AT_WORK: "DVC begins a new one",
    EXPERIMENTS: "DVC begins a new one",
    LOCK: "what is missing in it is made again, or comes from DVC's cache",
    PIN: f"type dvc add {paths.POOL} if the pool is newer",
}


def recover() -> list[Path]:
    """Return the files that DVC could not read. They lie in ASIDE now; in their place is what the last commit has, if anything.

    A file with a conflict of git's stays, and all stay while a DVC may be writing one. Raise IrislineError when the disk
    fails, or in place of a file that DVC reads is none.
    """
    for file in (*_READ, *_NEXT):
        if file.exists():
            plain_files.opened(file).close()
    if not AT_WORK.parent.is_dir():
        return []
    with paths.disk_errors(AT_WORK.parent):
        with _locked(*HELD) as undisturbed:
            torn = [file for file in _NEXT if undisturbed and file.is_file() and not _is_read(file, file.read_bytes())]
            for file in torn:
                _set_aside(file)
        for file in LISTS:
            if file.is_file():
                _drop_the_dead(file)
    return torn


@contextmanager
def _locked(*files: Path) -> Iterator[bool]:
    """Yield whether all of these could be locked, without waiting; they are until the block ends."""
    with ExitStack() as held:
        try:
            for file in files:
                held.enter_context(locks.held(file, wait=False))
        except locks.Held:
            yield False
        else:
            yield True


def _drop_the_dead(file: Path) -> None:
    """Drop whom a list names that is not at work any more, whoever has its process id now, unless a DVC writes the list."""
    with _locked(file.with_name(f"{file.name}.lock")) as locked:
        if not locked or not _is_list(data := file.read_bytes()):
            return
        listed, written = json.loads(data), file.stat().st_mtime
        living = {
            "write": {path: one for path, one in listed.get("write", {}).items() if _is_at_work(one, written)},
            "read": {
                path: left
                for path, many in listed.get("read", {}).items()
                if (left := [one for one in many if _is_at_work(one, written)])
            },
        }
        if any(living[mode] != listed.get(mode, {}) for mode in living):
            paths.write_whole(file, json.dumps(living))


def _is_at_work(listed: dict[str, Any], written: float) -> bool:
    """Return whether a process that DVC lists may be the one that was listed, in a list last written at this time.

    Not one that began later, is no Python, or was called with other words: DVC notes its own, but for how it was found.
    """
    import psutil

    try:
        process = psutil.Process(listed["pid"])
        began, words = process.create_time(), process.cmdline()  # a zombie has no words left
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
    program, own = Path(words[0]).name if words else "", listed["cmd"].partition(" ")[2]
    return began <= written and ("python" in program or "dvc" in program) and " ".join(words).endswith(own)


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
    """Return the file as the last commit has it; nothing when it has none that DVC reads, or git does not tell."""
    if shutil.which("git") is None:
        return None
    shown = subprocess.run(["git", "show", f"HEAD:./{file}"], capture_output=True, check=False)
    return shown.stdout if shown.returncode == 0 and _is_read(file, shown.stdout) else None


def _is_read(file: Path, data: bytes) -> bool:
    """Return whether DVC reads a file, or will tell a person of the conflict in it."""
    if file in LISTS:
        return _is_list(data)
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA, COMPILED_SINGLE_STAGE_SCHEMA
    from dvc.utils.serialize import ParseError, parse_yaml
    from voluptuous import Invalid

    try:
        document = parse_yaml(data.decode(), str(file))
        (COMPILED_LOCKFILE_SCHEMA if file == LOCK else COMPILED_SINGLE_STAGE_SCHEMA)(document)
    except (ParseError, Invalid, UnicodeDecodeError):
        return CONFLICT in data
    return file == LOCK or [out.get("path") for out in document.get("outs") or []] == [str(paths.POOL)]


def _is_list(data: bytes) -> bool:
    """Return whether DVC reads a list of who is at work."""
    from dvc.rwlock import SCHEMA
    from voluptuous import Invalid

    try:
        SCHEMA(json.loads(data))
    except (ValueError, RecursionError, Invalid):
        return False
    return True


if __name__ == "__main__":
    try:
        recover()
    except IrislineError as error:
        console.fail(str(error))
        sys.exit(1)
