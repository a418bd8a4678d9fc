"""Plain fastai on the split of a project, for so many seconds of processor: prints its error rate on the test split."""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from irisline.core import params as parameters
from irisline.core import paths
from irisline.dataset import shards
from irisline.networks import architectures

SIZE, BATCH, RATE = 96, 64, 3e-3  # as fastai's own examples, but for pictures of this size


def main(project: Path, seed: int, seconds: float) -> None:
    """Train until the time is over, and print the share of the test split that is wrong."""
    settings = parameters.read(project / paths.PARAMS)
    architectures.build("resnet18", 2, "scratch", seed)  # fastai.vision can be imported once a network has been built
    from fastai.data.transforms import Normalize
    from fastai.learner import Learner
    from fastai.losses import CrossEntropyLossFlat
    from fastai.metrics import error_rate
    from fastai.torch_core import set_seed
    from fastai.vision.augment import Resize, aug_transforms
    from fastai.vision.data import ImageDataLoaders
    from torchvision.models import resnet18

    with TemporaryDirectory() as scratch:
        for row in shards.stream(project / paths.ACCEPTED, ["label", "split", "sha256", "image"]):
            place = Path(scratch, row["split"], str(settings.base.classes.index(row["label"])))
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{row['sha256']}.jpg").write_bytes(row["image"])
        tried: list[float] = []
        for epochs in (1, None):
            set_seed(seed, reproducible=True)
            loaders = ImageDataLoaders.from_folder(
                scratch,
                valid="valid",
                item_tfms=Resize(SIZE, method="squish"),
                batch_tfms=[
                    *aug_transforms(size=SIZE),
                    Normalize.from_stats(architectures.MEAN, architectures.DEVIATION),
                ],
                bs=BATCH,
                device="cpu",
                num_workers=0,
            )
            learner = Learner(
                loaders, resnet18(num_classes=len(settings.base.classes)), CrossEntropyLossFlat(), metrics=error_rate
            )
            with learner.no_bar(), learner.no_logging():
                began = time.process_time()
                learner.fit_one_cycle(epochs or max(1, int(seconds / tried[0])), RATE)
                tried.append(time.process_time() - began)
        files = sorted(Path(scratch, "test").rglob("*.jpg"))
        truth = np.array([loaders.vocab.o2i[file.parent.name] for file in files])
        with learner.no_bar(), learner.no_logging():
            given, _ = learner.get_preds(dl=loaders.test_dl(files))
        print(f"{float((given.argmax(1).numpy() != truth).mean()):.6f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
