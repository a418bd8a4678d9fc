"""The golden set: pictures kept with a version, and the answers they got when it was registered.

Asked again before a version is promoted, rolled back to, or served. Knows nothing of registries.
"""

import json
from pathlib import Path

from irisline.errors import ModelError
from irisline.model.classifier import Classifier

TOLERANCE = 1e-4  # of a probability: other processors round differently, other models differ by far more


def replay(classifier: Classifier, folder: Path, name: str) -> int:
    """Ask a version's golden pictures again; give how many, raise ModelError when an answer is another now."""
    answers = json.loads((folder / "golden" / "answers.json").read_text())
    pictures = [(folder / "golden" / answer["file"]).read_bytes() for answer in answers]
    for answer, now in zip(answers, classifier.predict(pictures), strict=True):
        drift = max(abs(now.probabilities[label] - share) for label, share in answer["probabilities"].items())
        if drift > TOLERANCE or now.unsure != answer["unsure"]:
            raise ModelError(
                f"{name}: answers {answer['file']} of its golden set differently than when it was registered "
                f"(by {drift:.2g}, limit {TOLERANCE:g}); compare onnxruntime's version with the run's packages"
            )
    return len(answers)
