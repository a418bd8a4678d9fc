"""A version from a store is proven in a process of its own before it is loaded where anything else is done.

The process may take so many seconds and so much memory; its network is run only when it is made of what a network may be
made of. It answers its golden pictures as when it was registered, and the largest batch that will be asked of it.
Knows nothing of registries.
"""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from irisline import isolation
from irisline.data.views import MOST_PEOPLE
from irisline.errors import IrislineError, MissingInput, ModelError
from irisline.model import bounds, bundle, golden, operators
from irisline.model.bundle import NETWORKS, Precision
from irisline.model.classifier import BATCH, Classifier

_ADVICE = "leave this version; irisline versions shows the others"

_running: set["subprocess.Popen[bytes]"] = set()


def prove(folder: Path, name: str, precision: Precision = "float32", pictures: int = BATCH) -> int:
    """Return how many golden pictures a version answers as it did, once all of it is proven; pictures go through it at once.

    Raise MissingInput or ModelError when it is not, or takes more than it may.
    """
    memory = bounds.MEMORY + bounds.MEMORY_TIMES * bounds.check(folder)
    limits = map(str, (pictures, memory, bounds.SECONDS, bounds.WALL_SECONDS))
    words = (sys.executable, "-m", "irisline.model.proof", str(folder.absolute()), name, precision, *limits)
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=isolation.environment()
    ) as process:
        _running.add(process)
        try:
            said, _ = process.communicate(timeout=bounds.WALL_SECONDS)
        except subprocess.TimeoutExpired:
            said = b""
        finally:
            process.kill()
            _running.discard(process)
    told = json.loads(said) if said else {"refused": f"{name}: {_why_ended(process.wait(), memory)}; {_ADVICE}"}
    if "missing" in told:
        raise MissingInput(told["missing"])
    if "refused" in told:
        raise ModelError(told["refused"])
    return int(told["proven"])


def end() -> None:
    """End the proofs under way; who waits for one gets a ModelError."""
    for process in [*_running]:
        process.kill()


def _why_ended(code: int, memory: int) -> str:
    if code == -signal.SIGXCPU:
        return f"its proof takes more than {bounds.SECONDS} seconds of processor"
    if code == -signal.SIGALRM:
        return f"its proof takes more than {bounds.WALL_SECONDS} seconds"
    ended = signal.strsignal(-code) if code < 0 else f"code {code}"
    return f"its proof ended early ({ended}); it may take {memory // 2**20} MB and {bounds.WALL_SECONDS} seconds"


def main() -> None:
    """Prove a version and tell how that went as JSON: FOLDER NAME PRECISION PICTURES BYTES SECONDS WALL_SECONDS."""
    folder, name, precision, *limits = sys.argv[1:]
    pictures, memory, seconds, wall = map(int, limits)
    result = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no result
    isolation.confine(memory, bounds.NICE)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    signal.alarm(wall)
    result.write(json.dumps(_told(Path(folder), name, "int8" if precision == "int8" else "float32", pictures)))
    result.close()


def _told(folder: Path, name: str, precision: Precision, pictures: int) -> dict[str, object]:
    try:
        return {"proven": _proven(folder, name, precision, pictures)}
    except MissingInput as error:
        return {"missing": str(error)}
    except IrislineError as error:
        return {"refused": str(error) if str(error).startswith(name) else f"{name}: {error}"}
    except MemoryError:
        return {"refused": f"{name}: its proof takes more memory than it may; {_ADVICE}"}
    except Exception as error:  # onnxruntime's own errors share no base class, and what is hostile may raise any
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        return {"refused": f"{name}: cannot be run: {reason}; {_ADVICE}"}


def _proven(folder: Path, name: str, precision: Precision, pictures: int) -> int:
    operators.check(bundle.find(NETWORKS[precision], [folder]))
    classifier = Classifier.load(folder, precision=precision, threads=1)
    count = golden.replay(classifier, folder, name)
    facts = classifier.preprocess
    most = pictures * (1 if facts.crop == "none" else 2 * MOST_PEOPLE)
    for squares in (1, max(most, BATCH)):  # explanations take BATCH
        classifier.logits(np.zeros((squares, 3, facts.size, facts.size), np.uint8))
    return count


if __name__ == "__main__":
    main()
