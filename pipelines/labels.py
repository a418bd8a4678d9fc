"""Stage 3 of 7: which labels may be wrong, by models that did not see the picture; people decide (irisline labels)."""

import json

from irisline.core import console, paths, stage
from irisline.core.params import Params
from irisline.dataset import shards
from irisline.labels import confident_learning, features, suspects


def labels(params: Params) -> None:
    """Read artifacts/validate/ into artifacts/labels/ and reports/labels/."""
    rows = list(shards.stream(paths.ACCEPTED, confident_learning.COLUMNS))
    pictures = (row["image"] for row in shards.stream(paths.ACCEPTED, ["image"]))
    found = []
    with console.progress("labels", len(rows)) as advance:
        for described in features.of_pictures(pictures, params):
            found.append(described)
            advance(1)
    judged, accuracy = confident_learning.of_rows(rows, found, params.base.classes, params.base.seed)
    limits, precision = params.labels, None
    if accuracy is not None and accuracy >= limits.min_accuracy:
        precision = confident_learning.precision(rows, found, params.base.classes, params.base.seed, limits.threshold)
    trusted = precision is not None and precision >= limits.min_precision
    judged = suspects.ranked(judged, trusted, limits.threshold)
    shards.write(paths.LABELLED, shards.LABELLED, params.collect.shard_rows, suspects.table(judged))
    counts = suspects.metrics(judged, accuracy, precision)
    suspects.draw(judged, paths.ACCEPTED, paths.LABELS_REPORT / suspects.SHEET)
    paths.write_whole(paths.LABELS_REPORT / suspects.TABLE, suspects.as_csv(judged))
    paths.write_whole(paths.LABELS_REPORT / "metrics.json", json.dumps(counts, indent=2) + "\n")
    console.say(suspects.sentence(counts, limits))


if __name__ == "__main__":
    stage.run(labels)
