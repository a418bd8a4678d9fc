"""The evidence for a promotion: what was signed, what is proven now, and the champion on the same pictures.

Judges nothing and moves nothing.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from irisline.core import console, paths
from irisline.core.errors import MissingInput, ModelError, ReleaseError
from irisline.core.params import Params
from irisline.dataset import shards
from irisline.evaluation import gate
from irisline.inference import golden
from irisline.release.promotion import journal, proven_version
from irisline.release.signatures import signed
from irisline.release.tracking import versions

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from numpy.typing import NDArray


def of(client: "MlflowClient", params: Params, version: signed.SignedVersion, champion: int | None) -> list[gate.Check]:
    """Return all checks: the signed verdict, the proof of the version's files, the champion on the same pictures."""
    checks = [gate.Check(**check.model_dump()) for check in version.signed.manifest.gate.checks]
    checks.append(proof(client, params.base.name, version))
    if champion is not None:
        checks += _against(client, params, version, champion)
    return checks


def proof(client: "MlflowClient", model: str, version: signed.SignedVersion) -> gate.Check:
    """Return the check of a version's files and golden set; raise ReleaseError, which no force passes by."""
    signed.fetch(client, model, version, fresh=True)
    count = proven_version.prove(client, model, version)
    line = f"golden: {count} of {count} pictures answered as when version {version.number} was registered"
    return gate.Check("golden", 0.0, golden.TOLERANCE[version.precision], passed=True, line=line)


def marked(check: gate.Check) -> str:
    """Return a check's line with a mark in front that says whether it passed."""
    return f"{journal.PASSED if check.passed else journal.FAILED} {check.line}"


def _against(
    client: "MlflowClient", params: Params, candidate: signed.SignedVersion, champion: int
) -> list[gate.Check]:
    """Return the checks against the champion; one that cannot be made has failed, so that only --force passes it by."""
    confidence, seed = params.gate.champion_confidence, params.base.seed
    try:
        registered = versions.get(client, params.base.name, champion)
        rival = signed.verified(client, params.base.name, registered, console.fail)
        proven_version.prove(client, params.base.name, rival)
        ours, theirs = (_mistakes(client, params, version) for version in (candidate, rival))
    except (ReleaseError, MissingInput, ModelError) as error:
        line = f"champion: cannot be compared with: {error}"
        return [gate.Check("champion", 1.0, confidence, passed=False, line=line)]
    errors = gate.compare(ours, theirs, params.evaluate.bootstrap_samples, confidence, seed)
    if params.gate.max_flip_rate != "auto":
        return [errors]
    return [errors, *gate.compare_flips(candidate.signed.manifest.metrics, rival.signed.manifest.metrics)]


def _mistakes(client: "MlflowClient", params: Params, version: signed.SignedVersion) -> "NDArray[np.bool_]":
    """Return for each test picture of the workspace whether a proven version is wrong about it; memory stays bounded."""
    model = proven_version.load(client, params.base.name, version)
    labels: list[str] = []

    def pictures() -> Iterator[bytes]:
        for row in shards.of_split(paths.ACCEPTED, "test"):
            labels.append(row["label"])
            yield row["image"]

    read = model.read(pictures())
    given = [model.reader.picture(views, outputs).label if views else None for views, outputs in read]
    if not labels:
        raise MissingInput(f"{paths.ACCEPTED}: no test pictures here; type dvc repro validate")
    return np.array([answer != label for answer, label in zip(given, labels, strict=True)])
