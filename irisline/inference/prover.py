"""The process that proves a version: its network is run only when it is made of what a network may be made of.

It answers its golden pictures as when it was registered, and the largest batch that will be asked of it.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path

import numpy as np

from irisline.core import isolated_worker
from irisline.core.errors import IrislineError, MissingInput, in_a_line
from irisline.domains import regions
from irisline.inference import golden, saliency
from irisline.inference.classifier import Classifier
from irisline.inference.proof import ADVICE
from irisline.networks import bundle, onnx_operators, version_limits
from irisline.networks.bundle import NETWORKS, Precision


def main() -> None:
    """Prove a version and tell how that went as JSON: FOLDER NAME PRECISION PICTURES BYTES SECONDS WALL_SECONDS."""
    folder, name, precision, *limits = sys.argv[1:]
    pictures, memory, seconds, wall = map(int, limits)
    result = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no result
    isolated_worker.confine(memory, version_limits.NICE)
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
        return {"refused": f"{name}: its proof takes more memory than it may; {ADVICE}"}
    except Exception as error:  # onnxruntime's own errors share no base class, and what is hostile may raise any
        reason = in_a_line(error)
        return {"refused": f"{name}: cannot be run: {reason}; {ADVICE}"}


def _proven(folder: Path, name: str, precision: Precision, pictures: int) -> int:
    onnx_operators.check(bundle.find(NETWORKS[precision], [folder]))
    classifier = Classifier.load(folder, precision=precision, threads=1)
    count = golden.replay(classifier, folder, name)
    facts = classifier.preprocess
    most = pictures * regions.max_per_picture(facts.crop)
    for squares in (1, min(version_limits.BATCH, max(most, saliency.BATCH))):
        classifier.logits(np.zeros((squares, 3, facts.size, facts.size), np.uint8))
    return count


if __name__ == "__main__":
    main()
