"""Stage: draw pictures by key and keep the squares around their irises."""

from functools import partial

from irisline.core import console
from irisline.core.execution import map_ordered
from irisline.dataset import shards
from pretrain import settings, squares
from pretrain.settings import Settings
from pretrain.table import FOLDER, SCHEMA


def draw(given: Settings) -> int:
    """Fill FOLDER; give how many squares it has. The bytes are the same for any number of workers."""
    wanted = given.draw
    one = partial(squares.rows, seed=wanted.seed, size=wanted.size)
    with (
        console.progress("draw", wanted.pictures) as advance,
        shards.writer(FOLDER, SCHEMA, wanted.shard_rows) as target,
    ):
        for rows in map_ordered(one, range(wanted.pictures), given.execution):
            for row in rows:
                target.add(row)
            advance(1)
    return target.count


if __name__ == "__main__":
    console.say(f"draw: {draw(settings.read())} squares")
