"""Stage 3 of 6: which labels may be wrong, by models that did not see the picture; people decide (irisline labels)."""

import json

from irisline import console, paths, stage
from irisline.data import manifest
from irisline.model import features, label_quality, suspects
from irisline.params import Params


def labels(params: Params) -> None:
    """Read artifacts/validate/ into artifacts/labels/ and reports/labels/."""
    rows = list(manifest.stream(paths.ACCEPTED, label_quality.COLUMNS))
    pictures = (row["image"] for row in manifest.stream(paths.ACCEPTED, ["image"]))
    found = []
    with console.progress("labels", len(rows)) as advance:
        for described in features.of_pictures(pictures, params):
            found.append(described)
            advance(1)
    judged, accuracy = label_quality.of_rows(rows, found, params.base.classes, params.base.seed)
    trusted = accuracy is not None and accuracy >= params.labels.min_accuracy
    judged = suspects.ranked(judged, trusted, params.labels.threshold)
    manifest.write(paths.LABELLED, manifest.LABELLED, params.collect.shard_rows, suspects.table(judged))
    counts = suspects.metrics(judged, accuracy)
    suspects.draw(judged, paths.ACCEPTED, paths.LABELS_REPORT / suspects.SHEET)
    paths.write_whole(paths.LABELS_REPORT / suspects.TABLE, suspects.as_csv(judged))
    paths.write_whole(paths.LABELS_REPORT / "metrics.json", json.dumps(counts, indent=2) + "\n")
    console.say(suspects.sentence(counts, params.labels))


if __name__ == "__main__":
    stage.run(labels)
