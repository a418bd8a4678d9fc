from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from irisline.core.errors import MissingInput
from irisline.core.params import Execution
from irisline.dataset import images, shards
from irisline.domains import columns
from irisline.validation import image_statistics

LOCAL = Execution(engine="local", workers=1)


def texture(seed: int = 0, size: int = 96) -> Image.Image:
    rough = np.random.default_rng(seed).integers(0, 256, (size // 4, size // 4), dtype=np.uint8)
    return Image.fromarray(rough).resize((size, size), Image.Resampling.BICUBIC)


def row(name: str, image: Image.Image | None, reason: str | None = None) -> shards.Row:
    size = {"width": image.width, "height": image.height, "image": images.encode(image.convert("RGB"))} if image else {}
    return {"id": name, "label": "blue", "reason": reason, **size}


def test_a_flat_picture_has_brightness_and_nothing_else() -> None:
    flat = Image.new("L", (40, 30), 90)
    assert image_statistics.brightness(flat) == 90
    assert image_statistics.contrast(flat) == image_statistics.sharpness(flat) == image_statistics.entropy(flat) == 0


def test_half_black_half_white() -> None:
    halves = Image.fromarray(np.repeat(np.array([[0, 255]], dtype=np.uint8), 8, axis=0))
    assert image_statistics.brightness(halves) == 127.5
    assert image_statistics.contrast(halves) == 127.5
    assert image_statistics.entropy(halves) == 1


@pytest.mark.parametrize(("width", "height"), [(300, 100), (100, 300)])
def test_aspect_does_not_depend_on_which_side_is_longer(width: int, height: int) -> None:
    assert image_statistics.aspect(width, height) == 3


def test_sharpness_falls_with_blur_and_not_with_light_or_contrast() -> None:
    sharp = texture()
    blurred = sharp.filter(ImageFilter.GaussianBlur(6))
    dim = sharp.point(lambda level: level * 0.3 + 20)
    assert image_statistics.sharpness(blurred) < 25 < 60 < image_statistics.sharpness(sharp)
    assert image_statistics.sharpness(dim) == pytest.approx(image_statistics.sharpness(sharp), abs=5)


def test_sharpness_of_one_pixel_is_none() -> None:
    assert image_statistics.sharpness(Image.new("L", (1, 1))) == 0


def test_table_keeps_order_and_leaves_unreadable_rows_without_facts(tmp_path: Path) -> None:
    rows = [row("b.jpg", texture()), row("a.jpg", None, "damaged"), row("c.jpg", texture(1))]
    shards.write(tmp_path / "collect", shards.COLLECTED, 2, rows)
    table = image_statistics.table(tmp_path / "collect", LOCAL, "none")
    assert table["id"].tolist() == ["b.jpg", "a.jpg", "c.jpg"]
    assert table.loc[1, list(image_statistics.NAMES)].isna().all()
    assert table.drop(1)[list(set(image_statistics.NAMES) - set(columns.COLUMNS))].notna().all(axis=None)
    assert table[list(columns.COLUMNS)].isna().all(axis=None)
    assert "image" not in table


def test_table_of_an_empty_pool_has_its_columns(tmp_path: Path) -> None:
    shards.write(tmp_path / "collect", shards.COLLECTED, 2, [])
    assert set(image_statistics.NAMES) < set(image_statistics.table(tmp_path / "collect", LOCAL, "eyes").columns)


def test_table_without_shards_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="collect: no shards here"):
        image_statistics.table(tmp_path / "collect", LOCAL, "eyes")
