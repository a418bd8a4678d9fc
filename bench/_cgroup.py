"""A control group of Linux: a bound on the memory of processes, what they took at most, and their seconds of processor.

Version 1 or 2, whichever is mounted; it takes the right to make one, which root has. Knows nothing of who runs in it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Group:
    """Folders of a group: one for both, or one each."""

    memory: Path
    processor: Path

    @property
    def joined_by(self) -> tuple[str, ...]:
        """What a shell does before a command to be in the group."""
        return tuple(f"echo $$ > {folder}/cgroup.procs" for folder in {self.memory, self.processor})

    def seconds(self) -> float:
        """Return the seconds of processor that all its processes have taken, those that have ended too."""
        if (self.processor / "cpuacct.usage").is_file():
            return int((self.processor / "cpuacct.usage").read_text()) / 1e9
        told = dict(line.split() for line in (self.processor / "cpu.stat").read_text().splitlines())
        return int(told["usage_usec"]) / 1e6

    def peak(self) -> int:
        """Return the bytes that were in use at most, those of sockets too; version 1 counts these apart."""
        names = ("memory.max_usage_in_bytes", "memory.kmem.tcp.max_usage_in_bytes", "memory.peak")
        return sum(int((self.memory / name).read_text()) for name in names if (self.memory / name).is_file())

    def killed(self) -> int:
        """Return how many processes the kernel has ended for want of memory."""
        names = ("memory.oom_control", "memory.events")
        told = next((self.memory / name).read_text() for name in names if (self.memory / name).is_file())
        return int(dict(line.split() for line in told.splitlines()).get("oom_kill", 0))


@contextmanager
def bounded(most: int) -> Iterator[Group]:
    """Yield a group of so many bytes; raise SystemExit where none can be made."""
    name = f"irisline-bench-{os.getpid()}"
    one = (ROOT / "cgroup.controllers").is_file()
    group = Group(ROOT / name, ROOT / name) if one else Group(ROOT / "memory" / name, ROOT / "cpuacct" / name)
    try:
        for folder in {group.memory, group.processor}:
            folder.mkdir()
        for bound in ("memory.max",) if one else ("memory.limit_in_bytes", "memory.kmem.tcp.limit_in_bytes"):
            (group.memory / bound).write_text(str(most))
    except OSError as error:
        raise SystemExit(
            f"bench: no control group can be made ({error}); run as root where {ROOT} is writable"
        ) from error
    try:
        yield group
    finally:
        for folder in {group.memory, group.processor}:
            with suppress(OSError):
                folder.rmdir()
