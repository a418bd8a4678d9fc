"""A store of the bench's own with two versions of the workspace's model: the same network, another temperature.

Both cost the same to run and answer every picture differently, so that an answer tells which version gave it. The
project's own store is left alone. Run as a program in an empty folder with the path of a workspace.
"""

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import _project
from irisline.core import params as parameters
from irisline.core import paths
from irisline.core.params import Params
from irisline.inference.classifier import Classifier
from irisline.inference.identity import NAME, Identity

WANTED = (paths.PARAMS, "data.dvc", paths.TRAINED, paths.CALIBRATED, paths.ACCEPTED, paths.REPORTS)
WHY = "a version of the bench"
WARMER = 1.25  # how much the second version's temperature is above the first's


@dataclass(frozen=True)
class Store:
    """A project's folder with two versions; 2 is the champion, 1 was before. Folders of both as a service starts from."""

    project: Path
    address: str

    def folder(self, version: int) -> Path:
        """Return the folder a service of this version is started from."""
        return self.project / f"v{version}"

    def in_float32(self) -> Classifier:
        """Return the classifier of version 2 as training left it, whatever a service of it runs."""
        return Classifier.load(self.project / paths.TRAINED, self.project / paths.CALIBRATED)

    @property
    def about(self) -> str:
        """What is served, in words."""
        facts, served = json.loads((self.folder(2) / "model.json").read_text()), Identity.read(self.folder(2) / NAME)
        return f"{facts.get('arch', facts['name'])} at {facts['preprocess']['size']} pixels in {served.precision}"

    @property
    def model(self) -> str:
        """The model's name in the registry."""
        return parameters.read(self.project / paths.PARAMS).base.name


def of_the_workspace(project: Path) -> Store:
    """Make the store in an empty folder; raise SystemExit when the working directory has no trained model."""
    if not (paths.TRAINED / "model.json").is_file():
        raise SystemExit(
            f"bench: {paths.TRAINED}/model.json: not here; type make repro to train a model, in the project's root"
        )
    project.mkdir(parents=True)
    _project.run(sys.executable, "-m", "bench._store", str(Path.cwd()), folder=project)
    return Store(project, f"sqlite:///{project / 'mlflow.db'}")


def main() -> None:
    """Fill the working directory."""
    workspace = Path(sys.argv[1])
    for wanted in WANTED:
        (shutil.copytree if (workspace / wanted).is_dir() else shutil.copy)(workspace / wanted, wanted)
    params = parameters.read(paths.PARAMS)
    _publish(params, 1)
    _warm(paths.CALIBRATED)
    _publish(params, 2)


def _publish(params: Params, number: int) -> None:
    from irisline.release.packaging import version_folder
    from irisline.release.promotion import registry
    from irisline.release.publishing import publishing
    from irisline.release.tracking import store

    version = publishing.publish(params).version
    registry.promote(params, version, WHY, force=True)
    version_folder.export(store.client(), params.base.name, registry.find(params, version), Path(f"v{number}"))


def _warm(folder: Path) -> None:
    """Raise the temperature, and change what the golden set was answered accordingly."""
    file = folder / "calibration.json"
    calibrated = json.loads(file.read_text())
    file.write_text(json.dumps(calibrated | {"temperature": calibrated["temperature"] * WARMER}))
    for answers in (folder / "golden").glob("*.json"):
        said = json.loads(answers.read_text())
        answers.write_text(json.dumps([_warmer(one, calibrated["unsure_threshold"]) for one in said]))


def _warmer(answer: dict[str, Any], threshold: float) -> dict[str, Any]:
    powers = {name: share ** (1 / WARMER) for name, share in answer["probabilities"].items()}
    shares = {name: power / sum(powers.values()) for name, power in powers.items()}
    return answer | {"probabilities": shares, "unsure": max(shares.values()) < threshold}


if __name__ == "__main__":
    main()
