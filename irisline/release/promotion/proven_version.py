"""A version of the registry, fetched and proven before anything of it is run. Knows nothing of gates or the journal."""

from typing import TYPE_CHECKING

from irisline.core.errors import MissingInput, ModelError, ReleaseError
from irisline.inference import proof
from irisline.inference.classifier import Classifier
from irisline.release.signatures import signed
from irisline.release.signatures.signed import SignedVersion

if TYPE_CHECKING:
    from mlflow import MlflowClient


def prove(client: "MlflowClient", model: str, version: SignedVersion) -> int:
    """Return how many golden pictures a version answers as it did, once it is proven; raise ReleaseError when it is not."""
    folder = signed.fetch(client, model, version)
    try:
        return proof.prove(folder, f"{model} version {version.number}", version.precision)
    except (ModelError, MissingInput) as error:
        raise ReleaseError(str(error)) from error


def load(client: "MlflowClient", model: str, version: SignedVersion) -> Classifier:
    """Return the classifier of a version that is proven, as the CPU serves it."""
    return Classifier.load(signed.fetch(client, model, version), precision=version.precision)
