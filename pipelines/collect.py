"""Stage 1 of 5: decode the pool into shards, one row per picture, unreadable ones included with the reason."""

import json

from irisline import console, paths, stage
from irisline.data import manifest, pool
from irisline.execution import map_ordered
from irisline.params import Params


def collect(params: Params) -> None:
    """Read data/ into artifacts/collect/."""
    items = pool.items(paths.POOL, params.base.classes, params.collect)
    unreadable = 0
    with (
        manifest.writer(paths.COLLECTED, manifest.COLLECTED, params.collect.shard_rows) as target,
        console.progress("collect", len(items)) as advance,
    ):
        for row in map_ordered(pool.read, items, params.execution):
            target.add(row)
            unreadable += row.get("reason") is not None
            advance(1)
    report = {"images": len(items), "unreadable": unreadable}
    paths.write_whole(paths.COLLECT_REPORT / "metrics.json", json.dumps(report, indent=2) + "\n")
    console.say(f"collect: {len(items)} images, {unreadable} unreadable, in {paths.COLLECTED}/")


if __name__ == "__main__":
    stage.run(collect)
