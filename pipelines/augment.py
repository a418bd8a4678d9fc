"""Stage 4 of 7: seeded variants of the training pictures, and of no other."""

import json
from functools import partial

from irisline.core import console, paths, stage
from irisline.core.execution import map_ordered
from irisline.core.params import Params
from irisline.dataset import augmentation, contact_sheet, shards


def augment(params: Params) -> None:
    """Read the train split of artifacts/validate/ into artifacts/augment/."""
    make = partial(augmentation.variants, seed=params.base.seed, strengths=params.augment)
    originals = shards.of_split(paths.ACCEPTED, "train")
    with (
        shards.writer(paths.AUGMENTED, shards.AUGMENTED, params.collect.shard_rows) as target,
        console.progress("augment", None) as advance,
    ):
        for rows in map_ordered(make, originals, params.execution):
            for row in rows:
                target.add(row)
            advance(len(rows))
    contact_sheet.variants(paths.ACCEPTED, paths.AUGMENTED, paths.AUGMENT_REPORT / "variants.png")
    paths.write_whole(paths.AUGMENT_REPORT / "metrics.json", json.dumps({"variants": target.count}, indent=2) + "\n")
    console.say(f"augment: {target.count} variants in {paths.AUGMENTED}/")


if __name__ == "__main__":
    stage.run(augment)
