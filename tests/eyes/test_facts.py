"""What is told of drawn people against what they were drawn from: eyes, framing, skin and light."""

import io
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.stats import spearmanr

from irisline.core.params import Execution
from irisline.dataset import images, shards
from irisline.domains.slices import CUTS
from irisline.eyes import facts
from irisline.eyes.columns import COLUMNS
from irisline.eyes.rendering import Scene, encode, render, sample
from irisline.eyes.rendering import colour as palette
from irisline.validation import image_statistics


def photograph(scene: Scene) -> Image.Image:
    return Image.open(io.BytesIO(encode(render(scene), scene.camera.quality))).convert("RGB")


def told(scene: Scene) -> dict[str, float | None]:
    return facts.measure(photograph(scene))


def scenes(kind: str, count: int) -> Iterator[Scene]:
    drawn = (sample(f"facts/{kind}/{i}", ("blue", "brown")[i % 2]) for i in itertools.count())
    return itertools.islice((scene for scene in drawn if scene.framing.kind == kind), count)


def in_light(scene: Scene, kelvin: float) -> Scene:
    light = replace(scene.light, kelvin=kelvin, mix=0.0)
    return replace(scene, light=light, camera=replace(scene.camera, balance=0.5, tint=0.0))


def test_a_picture_without_an_eye_has_no_eyes_and_nothing_of_them() -> None:
    nothing = facts.measure(Image.new("RGB", (200, 150), (200, 170, 150)))
    assert nothing == {"people": 0, "eyes": 0, "eye_radius": None, "skin_tone": None, "light": None, "glasses": None}


@pytest.mark.parametrize(
    ("kind", "eyes", "share"), [("eye", 1, (0.09, 0.25)), ("eyes", 2, (0.05, 0.09)), ("face", 2, (0.03, 0.05))]
)
def test_the_framing_is_told_by_the_number_of_eyes_and_their_size(
    kind: str, eyes: int, share: tuple[float, float]
) -> None:
    found = [told(scene) for scene in scenes(kind, 10)]
    fitting = [
        one for one in found if one["eyes"] == eyes and one["people"] == 1 and share[0] < one["eye_radius"] < share[1]
    ]
    assert len(fitting) >= 8


def angle(scene: Scene) -> float:
    lit = np.array([[palette.skin(scene.person.melanin, scene.person.blood)]], np.float32)
    lightness, _, yellow = cv2.cvtColor(lit, cv2.COLOR_LRGB2Lab)[0, 0]
    return float(np.degrees(np.arctan((lightness - 50) / yellow)))


def test_skin_tone_ranks_people_as_their_skin_does() -> None:
    pairs = [(found["skin_tone"], angle(scene)) for scene in scenes("eyes", 30) if (found := told(scene))["eyes"]]
    assert len(pairs) >= 25
    assert spearmanr(*zip(*pairs, strict=True)).statistic > 0.6


def test_skin_tone_is_hardly_another_in_another_light() -> None:
    changes = []
    for scene in scenes("eyes", 10):
        warm, cold = (told(in_light(scene, kelvin))["skin_tone"] for kelvin in (3000, 8000))
        changes += [abs(warm - cold)] if warm is not None and cold is not None else []
    assert len(changes) >= 8
    assert np.median(changes) < 15


def test_light_tells_warm_from_cold() -> None:
    for scene in scenes("eyes", 5):
        warm, cold = (told(in_light(scene, kelvin))["light"] for kelvin in (3000, 8000))
        assert warm > cold + 0.5


@pytest.mark.parametrize("colour", [(0.01, 0.01, 0.01), (0.9, 0.9, 0.9)])
def test_glasses_are_told_by_their_bridge_whatever_their_colour(colour: tuple[float, float, float]) -> None:
    worn = {"glasses": "round", "glasses_width": 0.4, "glasses_colour": colour}
    limit = next(cut for cut in CUTS if cut.fact == "glasses").limits[0]
    right = []
    for scene in scenes("face", 10):
        without, with_them = (
            told(replace(scene, things=replace(scene.things, **things)))["glasses"]
            for things in ({"glasses": "none"}, worn)
        )
        right += [without < limit < with_them] if without is not None and with_them is not None else []
    assert len(right) >= 8
    assert sum(right) >= 0.85 * len(right)


def test_of_one_eye_nobody_can_tell_whether_there_are_glasses() -> None:
    assert [told(scene)["glasses"] for scene in scenes("eye", 3)] == [None] * 3


def test_the_facts_of_eyes_are_those_of_the_stored_picture(tmp_path: Path) -> None:
    picture = photograph(next(scenes("face", 1)))
    row: shards.Row = {
        "id": "a.jpg",
        "label": "blue",
        "width": picture.width,
        "height": picture.height,
        "image": images.encode(picture),
    }
    shards.write(tmp_path, shards.COLLECTED, 2, [row])
    (found,) = image_statistics.table(tmp_path, Execution(engine="local", workers=1), "eyes").to_dict("records")
    expected = facts.measure(Image.open(io.BytesIO(row["image"])).convert("RGB"))
    assert {name: found[name] for name in COLUMNS} == pytest.approx(expected)
    assert found["eyes"] == 2
