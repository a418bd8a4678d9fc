"""Drawn people whose eyes are found: pictures to change, nothing hanging over an eye."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from PIL import Image

from irisline.dataset import images
from irisline.dataset.shards import Row
from irisline.eyes import finder
from irisline.eyes.rendering import render, sample


@cache
def faces(label: str, count: int) -> tuple[Image.Image, ...]:
    """Return so many pictures of a face with eyes of a colour, both found and well lit."""
    return tuple(itertools.islice(_faces(label), count))


def _faces(label: str) -> Iterator[Image.Image]:
    for number in itertools.count():
        scene = sample(f"behaviour/{label}/{number}", label)
        if scene.framing.kind == "face" and scene.person.hair_style == "short":
            bare = replace(scene, light=replace(scene.light, shadow=0.0), things=replace(scene.things, glasses="none"))
            picture = Image.fromarray(render(bare))
            found = finder.find(picture).faces
            if [(len(face.eyes), face.framing) for face in found] == [(2, "face")] and _white(picture, found[0]) > 0.55:
                yield picture


def _white(picture: Image.Image, face: finder.Face) -> float:
    return min(finder.visibility(finder.crop(picture, eye, face.tilt, 64)).white for eye in face.eyes)


def row(label: str, picture: Image.Image, key: object, split: str) -> Row:
    """Return an accepted row of a picture."""
    digest = images.pixel_digest(picture)
    return {
        "id": f"{label}/{split}-{key}.jpg", "label": label, "split": split, "group": digest, "sha256": digest,
        "width": picture.width, "height": picture.height, "format": "JPEG", "licence": "own",
        "image": images.encode(picture),
    }  # fmt: skip


def two_people() -> Image.Image:
    """Return two drawn people side by side, the eyes of one blue and those of the other brown."""
    pictures = [Image.fromarray(render(sample("two/3", colour))) for colour in ("blue", "brown")]
    both = Image.new("RGB", (2 * pictures[0].width, pictures[0].height))
    for number, picture in enumerate(pictures):
        both.paste(picture, (number * picture.width, 0))
    return both
