"""Stage 4 of 5: train the network of params.yaml, and export it as safetensors, ONNX and JSON."""

import json
from collections import Counter

from irisline import console, paths, stage
from irisline.data import manifest
from irisline.model import export, history, training
from irisline.params import Params
from irisline.release import registry, tracking


def train(params: Params) -> None:
    """Read artifacts/validate/ and artifacts/augment/ into artifacts/train/ and reports/train/."""
    init = registry.initial_weights(params)
    key = training.key(params)
    live = tracking.live_run(params, key)
    scratch = paths.SCRATCH / "train" / f"{key}.pt"
    trained = training.run(params, init, scratch, lambda epoch: live.epoch(int(epoch["epoch"]), epoch))
    licences = Counter(manifest.table(paths.ACCEPTED)["licence"].to_pylist())
    facts = {
        "name": params.base.name,
        "classes": params.base.classes,
        "preprocess": params.preprocess.model_dump(),
        "max_side": params.collect.max_side,
        "max_pixels": params.collect.max_pixels,
        "arch": params.train.arch,
        "init": params.train.init,
        "epochs": params.train.epochs,
        "data_licences": dict(sorted(licences.items())),
    }
    with paths.whole_folder(paths.TRAINED) as folder:
        described = export.write(trained.network, trained.validation.pixels, facts, params.gate.max_parity, folder)
    paths.write_whole(paths.TRAIN_REPORT / "history.tsv", history.as_tsv(trained.history))
    paths.write_whole(paths.TRAIN_REPORT / "curves.png", history.curves(trained.history))
    last = {name: trained.history[-1][name] for name in ("train_loss", "valid_loss", "error_rate")}
    paths.write_whole(paths.TRAIN_REPORT / "metrics.json", json.dumps(last, indent=2) + "\n")
    live.finish(described["digest"])
    scratch.unlink()
    console.say(
        f"train: {len(trained.history)} epochs, validation error rate {last['error_rate']:.1%}, "
        f"ONNX and torch agree within {described['parity']:.1g}"
    )


if __name__ == "__main__":
    stage.run(train)
