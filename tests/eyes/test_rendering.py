"""Drawn eyes: the same key gives the same picture, the label moves nothing but the iris, the answer key is true.

Run: pytest tests/eyes/test_rendering.py
"""

import csv
import hashlib
import io
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from irisline.collection.drawn_pool import draw_pool
from irisline.core.errors import DataError, TooCostly
from irisline.dataset import images
from irisline.eyes.rendering import COLOURS, Answer, encode, render, sample, true_irises
from irisline.eyes.rendering.colour import black_body, skin
from irisline.eyes.rendering.defects import BOMB_SIDE, HTML, Slot, plan

ANSWERS = Path(__file__).with_name("pool_answers.csv")
COUNT, SEED = 300, 20260101
CLASSES = ("blue", "brown")
FEW = 68
"""The smallest pool that holds every defect."""


def read_answers() -> list[Answer]:
    with ANSWERS.open(newline="") as file:
        return [Answer(**row) for row in csv.DictReader(file)]


def default_slots() -> list[Slot]:
    labels = [("blue", "brown")[index % 2] for index in range(COUNT)]
    names = [f"{label}/{label}-{index // 2 + 1:04d}.jpg" for index, label in enumerate(labels)]
    return [Slot(index, labels[index], names[index], f"{SEED}/{index}") for index in range(COUNT)]


def digest(key: str) -> str:
    return hashlib.sha256(render(sample(key, "blue")).tobytes()).hexdigest()


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Answer]]:
    out = tmp_path_factory.mktemp("pool")
    return out, draw_pool(out, FEW, 5, CLASSES)


def file_of(pool: tuple[Path, list[Answer]], defect: str) -> bytes:
    out, answers = pool
    return (out / next(answer.file for answer in answers if answer.defect == defect)).read_bytes()


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=np.float32)


def test_the_same_key_gives_the_same_bytes_in_any_order_and_thread() -> None:
    keys = [f"order/{i}" for i in range(4)]
    alone = {key: digest(key) for key in keys}
    with ThreadPoolExecutor(2) as threads:
        together = dict(zip(reversed(keys), threads.map(digest, reversed(keys)), strict=True))
    assert together == alone
    assert len(set(alone.values())) == len(keys)


@pytest.mark.parametrize("key", ["recolour/0", "recolour/1", "recolour/2", "recolour/3"])
def test_recolouring_changes_only_the_irises(key: str) -> None:
    scene = sample(key, "blue")
    blue, brown = render(scene).astype(int), render(sample(key, "brown")).astype(int)
    rows, columns = np.mgrid[: blue.shape[0], : blue.shape[1]]
    near = np.zeros(blue.shape[:2], dtype=bool)
    for iris in true_irises(scene):
        reach = iris.radius * 1.12 + 5 * scene.camera.defocus + scene.camera.motion + 2
        near |= np.hypot(columns - iris.x, rows - iris.y) < reach
    changed = np.abs(blue - brown).max(axis=2) > 0
    assert changed.any()
    assert not (changed & ~near).any()


def test_no_nuisance_differs_by_label() -> None:
    scenes = [sample("nuisance", colour) for colour in COLOURS]
    for field in fields(scenes[0]):
        values = {repr(getattr(scene, field.name)) for scene in scenes}
        assert len(values) == (len(COLOURS) if field.name == "irises" else 1), field.name


def test_labels_keep_a_gap_of_melanin() -> None:
    blue = max(sample(f"gap/{i}", "blue").irises[0].melanin for i in range(60))
    brown = min(sample(f"gap/{i}", "brown").irises[0].melanin for i in range(60))
    assert brown > 5 * blue


def test_a_blue_iris_is_bluer_than_a_brown_one_of_the_same_scene() -> None:
    key = next(f"ring/{i}" for i in range(50) if sample(f"ring/{i}", "blue").framing.kind == "eye")
    ratios = {}
    for colour in ("blue", "brown"):
        scene = sample(key, colour)
        scene = replace(
            scene, things=replace(scene.things, glasses="none"), light=replace(scene.light, catchlight_gain=0.0)
        )
        iris = next(iris for iris in true_irises(scene) if iris.visible)
        assert iris.colour == colour
        picture = render(scene).astype(float)
        rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
        share = np.hypot(columns - iris.x, rows - iris.y) / iris.radius
        red, _, blue = picture[(share > 0.6) & (share < 0.85)].mean(axis=0)
        ratios[colour] = blue / red
    assert ratios["blue"] > 1.15 * ratios["brown"]


def test_an_unknown_colour_is_refused() -> None:
    with pytest.raises(KeyError, match="violet"):
        sample("key", "violet")


def test_warm_light_is_red_and_cold_light_blue() -> None:
    warm, cold = black_body(2500.0), black_body(9000.0)
    assert warm[0] > 1.5 * warm[1] > 3.0 * warm[2]
    assert cold[2] > cold[1] > cold[0]
    assert skin(0.0, 0.3) > skin(1.0, 0.3) > skin(2.9, 0.3)


def test_mixed_eyes_differ_between_left_and_right() -> None:
    left, right = true_irises(sample("mixed", "blue", "brown"))
    assert (left.colour, right.colour) == ("blue", "brown")
    assert left.x < right.x


def test_the_same_pool_twice(pool: tuple[Path, list[Answer]], tmp_path: Path) -> None:
    out, answers = pool
    told: list[tuple[int, int]] = []
    assert draw_pool(tmp_path, FEW, 5, CLASSES, progress=lambda done, count: told.append((done, count))) == answers
    files = sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert all((out / file).read_bytes() == (tmp_path / file).read_bytes() for file in files)
    assert told[-1] == (FEW, FEW)


def test_sources_name_every_file_and_its_bytes(pool: tuple[Path, list[Answer]]) -> None:
    out, _ = pool
    with (out / "sources.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["id"] for row in rows} == {str(path.relative_to(out)) for path in out.glob("*/*")}
    for row in rows:
        data = (out / row["id"]).read_bytes()
        assert (row["sha256"], row["bytes"]) == (hashlib.sha256(data).hexdigest(), str(len(data)))
        assert (row["provider"], row["licence"], row["status"]) == ("drawn", "CC0-1.0", "fetched")
    assert Counter(row["id"].split("/")[0] for row in rows) == {"blue": FEW // 2, "brown": FEW // 2}


def test_the_bomb_claims_more_than_it_holds(pool: tuple[Path, list[Answer]]) -> None:
    data = file_of(pool, "bomb")
    assert data.startswith(b"\x89PNG")
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    assert width * height == BOMB_SIDE**2 > 500_000_000
    assert len(data) < 200_000
    with pytest.raises(TooCostly, match="is more than 250000000 pixels"):
        images.decode(data, 640, 250_000_000)


def test_broken_files_are_broken(pool: tuple[Path, list[Answer]]) -> None:
    with pytest.raises(OSError, match="truncated"):
        Image.open(io.BytesIO(file_of(pool, "truncated"))).load()
    assert file_of(pool, "not_an_image") == HTML
    with pytest.raises(UnidentifiedImageError, match="cannot identify"):
        Image.open(io.BytesIO(HTML))


def test_small_dark_and_blurred_files_are_worse_than_every_good_one(pool: tuple[Path, list[Answer]]) -> None:
    out, answers = pool
    spoilt = {answer.file for answer in answers}
    good = [pixels(path.read_bytes()) for path in out.glob("*/*") if str(path.relative_to(out)) not in spoilt]
    assert max(pixels(file_of(pool, "too_small")).shape) < 32 < min(min(picture.shape[:2]) for picture in good)
    assert pixels(file_of(pool, "too_dark")).mean() < 8 < 35 < min(picture.mean() for picture in good)
    assert 2 * sharpness(pixels(file_of(pool, "blurred"))) < min(sharpness(picture) for picture in good)


def sharpness(picture: np.ndarray) -> float:
    """Variance of the Laplacian of the grey picture."""
    grey = picture.mean(axis=2)
    edges = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    return float(edges.var())


def test_duplicates_look_like_their_source(pool: tuple[Path, list[Answer]]) -> None:
    out, answers = pool
    exact = [answer for answer in answers if answer.defect == "exact_duplicate"]
    assert all((out / answer.file).read_bytes() == (out / answer.detail).read_bytes() for answer in exact)
    assert any(answer.file.split("/")[0] != answer.detail.split("/")[0] for answer in exact)
    for answer in answers:
        if answer.defect == "near_duplicate":
            assert (out / answer.file).read_bytes() != (out / answer.detail).read_bytes()
            assert thumbnails_agree(out / answer.file, out / answer.detail)


def thumbnails_agree(*files: Path) -> bool:
    small = [Image.open(file).convert("L").resize((16, 16), Image.Resampling.BOX) for file in files]
    return bool(np.corrcoef([np.asarray(picture, dtype=float).ravel() for picture in small])[0, 1] > 0.97)


def test_the_answer_key_is_the_plan_of_the_default_pool() -> None:
    planned = sorted((one.answer for one in plan(default_slots(), SEED).values()), key=lambda answer: answer.file)
    assert planned == read_answers()
    counts = Counter(answer.defect for answer in planned)
    assert counts["wrong_label"] == round(0.04 * COUNT)
    assert counts == {
        "wrong_label": 12,
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


def test_no_source_of_a_duplicate_is_spoilt_itself() -> None:
    answers = read_answers()
    sources = [answer.detail for answer in answers if answer.defect.endswith("_duplicate")]
    assert len(set(sources)) == len(sources)
    assert not set(sources) & {answer.file for answer in answers}


def test_a_pool_too_small_for_its_defects_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="draw at least"):
        draw_pool(tmp_path, 10, 1, CLASSES)
    assert draw_pool(tmp_path, 2, 1, CLASSES, defects=False) == []
    assert sorted(path.name for path in tmp_path.rglob("*.jpg")) == ["blue-0001.jpg", "brown-0001.jpg"]


def test_jpeg_keeps_the_size_of_the_picture() -> None:
    picture = render(sample("jpeg", "green"))
    opened = Image.open(io.BytesIO(encode(picture, 80)))
    assert (opened.format, opened.size) == ("JPEG", picture.shape[1::-1])
