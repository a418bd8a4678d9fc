"""A version that is fit to answer: its files are what was signed, its golden answers are the same, its network is warm.

Knows nothing of HTTP or registries; the folder may come from an image, a disk or a store.
"""

import math
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from irisline.inference import proof, signature_check
from irisline.inference.identity import Identity
from irisline.networks import version_limits
from service import memory
from service.settings import Settings

if TYPE_CHECKING:
    from irisline.inference.classifier import Classifier

CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")  # "quota period" in microseconds, or "max period" (cgroup v2)


@dataclass(frozen=True)
class Live:
    """A version, its classifier, and since when it answers."""

    identity: Identity
    classifier: "Classifier"
    loaded: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def load(cls, folder: Path, settings: Settings) -> Self:
        """Return the version of a folder, proven and warm.

        Raise MissingInput or ModelError when the files are absent or not those that a trusted key has signed, or when a golden
        picture gets another answer than it did then, or when the version takes more than it may.
        """
        memory.keep_large_blocks_apart()
        proven = signature_check.verify(folder, settings.keys)
        name = f"{proven.name} version {proven.version}"
        proof.prove(folder, name, proven.precision, settings.max_batch)
        from irisline.inference import golden  # a second of imports, which the app does while the proof runs
        from irisline.inference.classifier import Classifier

        classifier = Classifier.load(folder, device=settings.device, precision=proven.precision, threads=1)
        if classifier.runtime.device != "cpu":  # the proof was the CPU's
            golden.replay(classifier, folder, name)
        _warm(classifier, settings.max_batch)
        memory.trim()
        return cls(proven, classifier)


def threads(settings: Settings, cgroup: Path = CGROUP_QUOTA) -> int:
    """Return how many threads answer: the settings' number, else one per core that this process may use."""
    if settings.threads:
        return settings.threads
    cores = len(os.sched_getaffinity(0))
    quota, period = cgroup.read_text().split() if cgroup.is_file() else ("max", "1")
    return cores if quota == "max" else max(1, min(cores, math.ceil(int(quota) / int(period))))


def _warm(classifier: "Classifier", max_batch: int) -> None:
    """Run the network once at each end of the batch sizes, so that no request waits for memory to be laid out."""
    import numpy as np

    size = classifier.preprocess.size
    for batch in (min(max_batch, version_limits.BATCH), 1):
        classifier.logits(np.zeros((batch, 3, size, size), np.uint8))
