"""Stage 2 of 7: keep the pictures that meet the data contract, split them for good, stop when the pool does not."""

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd

from irisline.core import console, paths, stage
from irisline.core.params import Params
from irisline.dataset import shards
from irisline.validation import (
    broken_contract,
    data_contract,
    data_docs,
    great_expectations,
    image_statistics,
    picture_limits,
    refused_sheet,
    split,
)
from irisline.validation import rejected as quarantine


def validate(params: Params) -> None:
    """Judge artifacts/collect/, write what is accepted to artifacts/validate/ and the findings to reports/validate/."""
    table = image_statistics.table(paths.COLLECTED, params.execution, params.preprocess.crop)
    table = data_contract.with_shared_pixels(table, params)
    limits = picture_limits.of(params.validate_, table)
    with paths.whole_folder(paths.VALIDATE_REPORT) as report:
        judge = great_expectations.Judge(params, limits, report / data_docs.FOLDER)
        failures = judge.failures(table)
        table = data_contract.with_outcome(
            split.divide(table, {failure.id for failure in failures}, params), params.base.classes
        )
        broken = judge.broken(table)
        data_docs.take_offline(report / data_docs.FOLDER)
        paths.write_whole(report / "index.html", data_docs.ENTRY)
        quarantine.write(report, failures + quarantine.set_aside(table))
        quarantine.write_nothing_found(report, table)
        refused_sheet.write(report / refused_sheet.FILE, paths.COLLECTED, failures)
        chosen = {f"auto_{key}": limit.value for key, limit in limits.items() if limit.auto}
        metrics = _metrics(table, params.base.classes) | {"expectations_evaluated": judge.meant} | chosen
        paths.write_whole(report / "metrics.json", json.dumps(metrics, indent=2) + "\n")
    broken_contract.stop_if(broken, table, failures, judge.of_images)
    shards.write(paths.ACCEPTED, shards.ACCEPTED, params.collect.shard_rows, _accepted(table))
    console.say(
        "validate: {accepted} of {images} images accepted, {rejected} rejected{aside}; "
        "{train} train, {valid} valid, {test} test".format(**metrics, aside=quarantine.told_aside(table))
    )


def _accepted(table: pd.DataFrame) -> Iterator[shards.Row]:
    """Yield the accepted rows with their bytes: a second pass over the shards, so that the bytes never all lie in memory."""
    added = [*image_statistics.NAMES, "group", "split"]
    accepted = table[table["split"].notna()].set_index("id")[added].astype(object)
    kept = accepted.where(accepted.notna(), None).to_dict("index")
    for row in shards.stream(paths.COLLECTED):
        if row["id"] in kept:
            known = row | kept[row["id"]]
            yield {name: known[name] for name in shards.ACCEPTED.names}


def _metrics(table: pd.DataFrame, classes: list[str]) -> dict[str, Any]:
    accepted = table[table["split"].notna()]
    rejected = int(table["rejected"].sum())
    return {
        "images": len(table),
        "accepted": len(accepted),
        "rejected": rejected,
        "rejected_share": round(rejected / max(len(table), 1), 6),
        "set_aside": len(table) - len(accepted) - rejected,
        "conflicts": int(table["conflict"].notna().sum()),
        "nothing_found": int((table["found"] == 0).sum()),
        "near_duplicate_groups": int((table["group"].value_counts() > 1).sum()),
        **{name: int((accepted["split"] == name).sum()) for name in split.NAMES},
        "rarest_class": min(int((accepted["label"] == name).sum()) for name in classes),
    }


if __name__ == "__main__":
    stage.run(validate)
