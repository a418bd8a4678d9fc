"""What belongs together: groups that sources.csv names, and frames of a clip, found by name and look."""

import hashlib

import imagehash
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from irisline.dataset import thumbnails
from irisline.validation import groups
from tests.planted import ROOT

OTHER = next((folder for above in ROOT.parents if (folder := above / "shared" / "other_pictures").is_dir()), None)


def scene(key: int) -> Image.Image:
    coarse = np.random.default_rng(key).integers(0, 256, (12, 24, 3)).astype(np.uint8)
    return Image.fromarray(coarse).resize((480, 240), Image.Resampling.BICUBIC)


def frames(key: int, count: int) -> list[Image.Image]:
    """Return a clip: the camera turns, each frame shows the scene a little farther on."""
    whole = scene(key)
    return [whole.crop((4 * number, 0, 4 * number + 240, 240)) for number in range(count)]


def sha(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def table(shown: dict[str, Image.Image], **named: str) -> pd.DataFrame:
    """Return rows of pictures by id; named gives the group of those whose file has that stem."""
    rows = [
        {
            "id": name,
            "sha256": sha(name),
            "phash": str(imagehash.phash(image)),
            "thumbnail": thumbnails.of(image),
            "given_group": named.get(name.split("/")[-1].split(".")[0]),
        }
        for name, image in shown.items()
    ]
    return pd.DataFrame(rows)


def of(rows: pd.DataFrame) -> dict[str, str]:
    return dict(zip(rows["id"], groups.units(rows), strict=True))


def test_frames_of_a_clip_are_drawn_by_the_first_in_any_order() -> None:
    shown = {f"ant/walk_{number}.png": frame for number, frame in enumerate(frames(0, 12), 3)}
    rows = table(shown)
    assert set(of(rows).values()) == {sha("ant/walk_3.png")}
    assert of(rows.sample(frac=1, random_state=1)) == of(rows)


def test_frames_that_come_later_move_nothing() -> None:
    shown = {f"ant/{number:04}.png": frame for number, frame in enumerate(frames(0, 12))}
    after = of(table(shown))
    assert all(after[name] == unit for name, unit in of(table(dict(list(shown.items())[:5]))).items())


def test_a_clip_whose_frames_lie_in_two_classes_is_one() -> None:
    shown = {f"{('open', 'shut')[number % 2]}/s1_{number}.png": frame for number, frame in enumerate(frames(1, 8))}
    assert set(of(table(shown)).values()) == {sha("open/s1_0.png")}


def test_pictures_that_are_numbered_and_look_different_are_no_clip() -> None:
    shown = {f"ant/IMG_{number}.png": scene(number) for number in range(8)}
    assert of(table(shown)) == {name: sha(name) for name in shown}


def test_pictures_that_look_alike_and_are_not_numbered_are_no_clip() -> None:
    shown = dict(zip(("ant/a.png", "ant/b.png", "ant/c.png"), frames(0, 3), strict=True))
    assert of(table(shown)) == {name: sha(name) for name in shown}


def test_a_named_group_is_drawn_by_its_name_with_the_clip_that_one_of_it_is_in() -> None:
    shown = {f"ant/walk_{number}.png": frame for number, frame in enumerate(frames(0, 4))} | {
        "bee/x.png": scene(5),
        "bee/y.png": scene(6),
    }
    found = of(table(shown, walk_2="ann", x="ann"))
    assert found == dict.fromkeys(list(shown)[:5], "group ann") | {"bee/y.png": sha("bee/y.png")}


@pytest.mark.slow
@pytest.mark.skipif(OTHER is None, reason="needs shared/other_pictures")
@pytest.mark.parametrize("name", ["sign_digits", "groceries"])
def test_photographs_that_a_camera_numbered_are_no_clips(name: str) -> None:
    assert OTHER is not None
    shown = {
        file.relative_to(OTHER).as_posix(): Image.open(file).convert("RGB") for file in OTHER.glob(f"{name}/**/*.jpg")
    }
    assert len(shown) > 400
    assert of(table(shown)) == {name: sha(name) for name in shown}
