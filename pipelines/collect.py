"""Stage 1 of 7: decode the pool into shards, one row per picture, unreadable ones included with the reason."""

import json

from irisline.core import console, paths, stage
from irisline.core.execution import map_ordered
from irisline.core.params import Params
from irisline.dataset import pool, shards
from irisline.labels import decisions


def collect(params: Params) -> None:
    """Read data/ into artifacts/collect/."""
    items = pool.items(paths.POOL, params.base.classes, params.collect)
    patches = decisions.Patches.read(paths.POOL / paths.LABEL_PATCHES, params.base.classes)
    unreadable = 0
    with (
        shards.writer(paths.COLLECTED, shards.COLLECTED, params.collect.shard_rows) as target,
        console.progress("collect", len(items)) as advance,
    ):
        for row in map_ordered(pool.read, items, params.execution):
            target.add(patches.applied(row))
            unreadable += row.get("reason") is not None
            advance(1)
    lost = pool.without_picture(paths.POOL, items)
    report = {"images": len(items), "unreadable": unreadable, "patched": len(patches) - patches.unused}
    report["lines_without_picture"] = len(lost)
    paths.write_whole(paths.COLLECT_REPORT / "metrics.json", json.dumps(report, indent=2) + "\n")
    if patches.unused:
        console.say(
            f"collect: {patches.file}: {patches.unused} of {len(patches)} decisions found no picture in the pool"
        )
    if lost:
        console.say(
            f"collect: {paths.POOL / paths.SOURCES}: {len(lost)} lines name no picture in the pool, such as {lost[0]}"
        )
    console.say(f"collect: {len(items)} images, {unreadable} unreadable, in {paths.COLLECTED}/")


if __name__ == "__main__":
    stage.run(collect)
