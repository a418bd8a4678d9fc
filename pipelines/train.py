"""Stage 5 of 7: train the network of params.yaml, and export it as safetensors, ONNX and JSON."""

import json

from irisline.core import console, paths, stage
from irisline.core.params import Params
from irisline.training import export, history, no_better, tracking, training


def train(params: Params) -> None:
    """Read artifacts/validate/ and artifacts/augment/ into artifacts/train/ and reports/train/."""
    init = tracking.initial(params)
    key = training.key(params, init)
    progress = paths.SCRATCH / "train" / f"{key}.pt"
    with tracking.LiveRun(params, key) as live:
        trained = training.run(params, init, progress, lambda epoch: live.epoch(int(epoch["epoch"]), epoch))
        with paths.whole_folder(paths.TRAINED) as folder:
            facts = training.facts(params, len(trained.history))
            described = export.write(trained.network, trained.validation.pixels, facts, params.gate.max_parity, folder)
        last = {name: trained.history[-1][name] for name in ("train_loss", "valid_loss", "error_rate")}
        paths.write_whole(paths.TRAIN_REPORT / "history.tsv", history.as_tsv(trained.history))
        paths.write_whole(paths.TRAIN_REPORT / "curves.png", history.curves(trained.history))
        paths.write_whole(paths.TRAIN_REPORT / "metrics.json", json.dumps(last, indent=2) + "\n")
        live.finish(described["digest"])
    progress.unlink()
    console.say(
        f"train: {len(trained.history)} epochs, validation error rate {last['error_rate']:.1%}, "
        f"ONNX and torch agree within {described['parity']:.1g}"
    )
    if warning := no_better.warning(trained.history, trained.validation.classes.tolist(), params):
        console.warn(f"train: {warning}")


if __name__ == "__main__":
    stage.run(train)
