"""Planted defects: what goes wrong in a pool of pictures from the web, put in on purpose, with the answer key.

Knows how to spoil pictures that `pool` has drawn; draws only what no good picture may be.
"""

import io
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from PIL import Image

from irisline.core.errors import DataError
from irisline.core.seeding import generator
from irisline.eyes.rendering.camera import encode
from irisline.eyes.rendering.picture import render, render_spectacles
from irisline.eyes.rendering.sampling import sample
from irisline.eyes.rendering.scene import Scene

WRONG_LABEL_SHARE = 0.04

BOMB_SIDE = 30_000
"""Width and height that the decompression bomb claims: 900 million pixels."""

COUNTS = MappingProxyType(
    {
        "exact_duplicate": 3,
        "near_duplicate": 5,
        "truncated": 1,
        "not_an_image": 1,
        "bomb": 1,
        "too_small": 2,
        "too_dark": 3,
        "blurred": 3,
        "mixed_eyes": 2,
        "no_eye": 2,
    }
)
"""How often each defect is planted; wrong labels come on top as a share of the pool."""

HTML = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>\n"


@dataclass(frozen=True)
class Slot:
    """One file of the pool before it is drawn."""

    index: int
    label: str
    file: str
    key: str

    @property
    def query(self) -> str:
        """What someone would search for to find such a picture."""
        return f"{self.label} eyes"


@dataclass(frozen=True)
class Answer:
    """One row of the answer key: the file, its defect, and the other file or class it concerns."""

    file: str
    defect: str
    detail: str


@dataclass(frozen=True)
class Plan:
    """A defect to plant at a slot; `source` is the slot whose picture it repeats."""

    answer: Answer
    source: Slot | None = None


def plan(slots: Sequence[Slot], seed: int) -> dict[int, Plan]:
    """Which slots carry which defect, by slot index. Raises DataError for a pool too small to hold them."""
    wrong = round(WRONG_LABEL_SHARE * len(slots))
    needed = sum(COUNTS.values()) + wrong + COUNTS["exact_duplicate"] + COUNTS["near_duplicate"]
    if len(slots) < 2 * needed:
        raise DataError(f"a pool of {len(slots)} pictures cannot hold its defects: draw at least {2 * needed}")
    order = [slots[i] for i in generator(f"{seed}", "defects").permutation(len(slots))]
    taken, sources = iter(order), iter(order[::-1])
    plans = [_wrong_label(next(taken), slots) for _ in range(wrong)]
    for defect, count in COUNTS.items():
        plans += [_planned(defect, number, next(taken), sources) for number in range(count)]
    return {slot.index: planned for slot, planned in zip(order, plans, strict=False)}


def _wrong_label(slot: Slot, slots: Sequence[Slot]) -> Plan:
    other = next(one.label for one in slots if one.label != slot.label)
    return Plan(Answer(slot.file, "wrong_label", other))


def _planned(defect: str, number: int, slot: Slot, sources: Iterator[Slot]) -> Plan:
    """Duplicates name their source; the first exact duplicate lies under another label than its source."""
    if defect not in ("exact_duplicate", "near_duplicate"):
        return Plan(Answer(_file_name(slot, defect), defect, ""))
    across = defect == "exact_duplicate" and number == 0
    source = next(one for one in sources if (one.label != slot.label) == across)
    return Plan(Answer(slot.file, defect, source.file), source)


def _file_name(slot: Slot, defect: str) -> str:
    return slot.file.removesuffix(".jpg") + ".png" if defect == "bomb" else slot.file


def spoiled(slot: Slot, planned: Plan) -> bytes:
    """The bytes of a slot with its planned defect."""
    return SPOILERS[planned.answer.defect](slot, planned)


def good(slot: Slot) -> bytes:
    """The bytes of a slot without defect."""
    return _jpeg(sample(slot.key, slot.label))


def _jpeg(scene: Scene) -> bytes:
    return encode(render(scene), scene.camera.quality)


def _wrong(slot: Slot, planned: Plan) -> bytes:
    return _jpeg(sample(slot.key, planned.answer.detail))


def _exact_duplicate(slot: Slot, planned: Plan) -> bytes:
    return good(_source(planned))


def _near_duplicate(slot: Slot, planned: Plan) -> bytes:
    """The source cropped by one to two percent, resized, a little brighter and encoded again."""
    random, picture = generator(slot.key, "near duplicate"), Image.open(io.BytesIO(good(_source(planned))))
    margins = [int(side * random.uniform(0.005, 0.01)) for side in (picture.width, picture.height)]
    cropped = picture.crop((margins[0], margins[1], picture.width - margins[0], picture.height - margins[1]))
    share = random.uniform(0.85, 1.0)
    resized = cropped.resize((round(cropped.width * share), round(cropped.height * share)), Image.Resampling.BICUBIC)
    brighter = np.clip(np.asarray(resized, dtype=np.float32) * random.uniform(1.0, 1.08), 0, 255)
    return encode(brighter.astype(np.uint8), int(random.integers(55, 80)))


def _source(planned: Plan) -> Slot:
    if planned.source is None:
        raise ValueError(f"{planned.answer.file}: a duplicate needs a source")
    return planned.source


def _truncated(slot: Slot, planned: Plan) -> bytes:
    whole = good(slot)
    return whole[: len(whole) * 2 // 5]


def _not_an_image(slot: Slot, planned: Plan) -> bytes:
    return HTML


def _bomb(slot: Slot, planned: Plan) -> bytes:
    """A well-formed PNG of `BOMB_SIDE` squared black pixels, one bit each, packed without holding them in memory.

    Format: PNG specification, third edition (W3C), chunks IHDR, IDAT and IEND.
    """
    header = struct.pack(">IIBBBBB", BOMB_SIDE, BOMB_SIDE, 1, 0, 0, 0, 0)
    packer, row = zlib.compressobj(9), bytes(1 + BOMB_SIDE // 8)
    data = b"".join(packer.compress(row) for _ in range(BOMB_SIDE)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _too_small(slot: Slot, planned: Plan) -> bytes:
    return encode(np.asarray(Image.open(io.BytesIO(good(slot))).resize((24, 24), Image.Resampling.BOX)), 80)


def _too_dark(slot: Slot, planned: Plan) -> bytes:
    """Exposed far too short: the mean stays below 8 of 255."""
    scene = sample(slot.key, slot.label)
    picture = render(scene).astype(np.float32)
    return encode((picture * (5.0 / picture.mean())).astype(np.uint8), scene.camera.quality)


def _blurred(slot: Slot, planned: Plan) -> bytes:
    """So far out of focus that nothing can be told."""
    scene = sample(slot.key, slot.label)
    camera = replace(scene.camera, defocus=max(2.0 * scene.framing.scale, 14.0), noise=0.001)
    return _jpeg(replace(scene, camera=camera))


def _mixed_eyes(slot: Slot, planned: Plan) -> bytes:
    """One eye blue, one brown, both in the picture."""
    scene = sample(slot.key, "blue", "brown")
    scale = scene.framing.width / (scene.person.pupil_distance + 7.0)
    framing = replace(
        scene.framing, kind="eyes", scale=scale, tilt=0.0, centre=(0.0, min(scene.framing.centre[1], 3.0))
    )
    light, things = replace(scene.light, shadow=0.0), replace(scene.things, glasses="none")
    return _jpeg(replace(scene, framing=framing, light=light, things=things))


def _no_eye(slot: Slot, planned: Plan) -> bytes:
    """Spectacles on a table."""
    scene = sample(slot.key, slot.label)
    framing = replace(scene.framing, scale=scene.framing.width / 26.0, centre=(0.0, 0.5))
    glasses = "round" if slot.index % 2 else "square"
    things = replace(scene.things, glasses=glasses)
    return encode(render_spectacles(replace(scene, framing=framing, things=things)), scene.camera.quality)


SPOILERS: MappingProxyType[str, Callable[[Slot, Plan], bytes]] = MappingProxyType(
    {
        "wrong_label": _wrong,
        "exact_duplicate": _exact_duplicate,
        "near_duplicate": _near_duplicate,
        "truncated": _truncated,
        "not_an_image": _not_an_image,
        "bomb": _bomb,
        "too_small": _too_small,
        "too_dark": _too_dark,
        "blurred": _blurred,
        "mixed_eyes": _mixed_eyes,
        "no_eye": _no_eye,
    }
)
