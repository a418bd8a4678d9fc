"""A version as MLflow's pyfunc: rows of image bytes in, answers out. MLflow runs this file; nothing is pickled.

Copied into each version together with irisline's code, so that `mlflow models serve` and `predict` need no checkout.
"""

import base64
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from irisline.inference import proof
from irisline.inference.classifier import Classifier
from irisline.inference.predictions import Prediction


class Served(PythonModel):
    """The classifier behind a table: column "image" in; label, confidence, unsure and probability_<class> out."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the classifier from the version's own files, once they are proven."""
        bundle = Path(context.artifacts["bundle"])
        proof.prove(bundle, "the version")
        self.classifier = Classifier.load(bundle)

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Return one row of answers per picture; raise UnreadableImage for one that cannot be decoded."""
        pictures = [_bytes(cell) for cell in model_input["image"]]
        return pd.DataFrame([_row(answer) for answer in self.classifier.predict(pictures)])


def _bytes(cell: bytes | str) -> bytes:
    """Take bytes as they are; MLflow's JSON may deliver them in base64."""
    return base64.b64decode(cell) if isinstance(cell, str) else cell


def _row(answer: Prediction) -> dict[str, str | float | bool]:
    shares = {f"probability_{name}": share for name, share in answer.probabilities.items()}
    return {"label": answer.label, "confidence": answer.confidence, "unsure": answer.unsure, **shares}


set_model(Served())
