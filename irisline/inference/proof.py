"""A version from a store is proven in a process of its own before it is loaded where anything else is done.

The process may take so many seconds and so much memory; its network is run only when it is made of what a network may be
made of. It answers its golden pictures as when it was registered, and the largest batch that will be asked of it.
What runs there is prover.py; nothing of it is imported here. Knows nothing of registries.
"""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

from irisline.core import isolation
from irisline.core.errors import MissingInput, ModelError, Overloaded
from irisline.networks import version_limits
from irisline.networks.bundle import Precision

ADVICE = "leave this version; irisline versions shows the others"

_running: set["subprocess.Popen[bytes]"] = set()
_ended = threading.Event()  # this process stops, and begins no proof any more


def prove(folder: Path, name: str, precision: Precision = "float32", pictures: int = version_limits.BATCH) -> int:
    """Return how many golden pictures a version answers as it did, once all of it is proven; pictures go through it at once.

    Raise MissingInput or ModelError when it is not, or takes more than it may; Overloaded when the machine has no room for it.
    """
    memory = version_limits.MEMORY + version_limits.MEMORY_TIMES * version_limits.check(folder)
    said, code = _run(folder, name, precision, pictures, memory)
    if (
        not said and code == -signal.SIGKILL and not _ended.is_set()
    ):  # not by a limit of ours: whoever was short of memory
        said, code = _run(folder, name, precision, pictures, memory)
    if not said and code in (-signal.SIGKILL, -signal.SIGALRM):
        raise Overloaded(f"{name}: {_why_ended(code, memory)}; try again when the machine does less")
    told = json.loads(said) if said else {"refused": f"{name}: {_why_ended(code, memory)}; {ADVICE}"}
    if "missing" in told:
        raise MissingInput(told["missing"])
    if "refused" in told:
        raise ModelError(told["refused"])
    return int(told["proven"])


def _run(folder: Path, name: str, precision: Precision, pictures: int, memory: int) -> tuple[bytes, int]:
    """Return what the process tells and how it ended."""
    limits = map(str, (pictures, memory, version_limits.SECONDS, version_limits.WALL_SECONDS))
    words = (sys.executable, "-m", "irisline.inference.prover", str(folder.absolute()), name, precision, *limits)
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=isolation.environment()
    ) as process:
        _running.add(process)
        if _ended.is_set():
            process.kill()
        try:
            said, _ = process.communicate(timeout=version_limits.WALL_SECONDS)
        except subprocess.TimeoutExpired:
            return b"", -signal.SIGALRM
        finally:
            process.kill()
            _running.discard(process)
    return said, process.wait()


def end() -> None:
    """End the proofs under way and those that would begin after them; who waits for one gets a ModelError."""
    _ended.set()
    for process in [*_running]:
        process.kill()


def _why_ended(code: int, memory: int) -> str:
    if code == -signal.SIGXCPU:
        return f"its proof takes more than {version_limits.SECONDS} seconds of processor"
    if code == -signal.SIGALRM:
        return f"its proof takes more than {version_limits.WALL_SECONDS} seconds"
    ended = signal.strsignal(-code) if code < 0 else f"code {code}"
    return (
        f"its proof ended early ({ended}); it may take {memory // 2**20} MB and {version_limits.WALL_SECONDS} seconds"
    )
