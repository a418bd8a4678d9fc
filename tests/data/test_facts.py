import numpy as np
import pytest
from PIL import Image, ImageFilter

from irisline.data import eye_facts, facts, images, manifest
from irisline.errors import MissingInput
from irisline.params import Execution

LOCAL = Execution(engine="local", workers=1)


def texture(seed: int = 0, size: int = 96) -> Image.Image:
    rough = np.random.default_rng(seed).integers(0, 256, (size // 4, size // 4), dtype=np.uint8)
    return Image.fromarray(rough).resize((size, size), Image.Resampling.BICUBIC)


def row(name: str, image: Image.Image | None, reason: str | None = None) -> manifest.Row:
    size = {"width": image.width, "height": image.height, "image": images.encode(image.convert("RGB"))} if image else {}
    return {"id": name, "label": "blue", "reason": reason, **size}


def test_a_flat_picture_has_brightness_and_nothing_else():
    flat = Image.new("L", (40, 30), 90)
    assert facts.brightness(flat) == 90
    assert facts.contrast(flat) == facts.sharpness(flat) == facts.entropy(flat) == 0


def test_half_black_half_white():
    halves = Image.fromarray(np.repeat(np.array([[0, 255]], dtype=np.uint8), 8, axis=0))
    assert facts.brightness(halves) == 127.5
    assert facts.contrast(halves) == 127.5
    assert facts.entropy(halves) == 1


@pytest.mark.parametrize(("width", "height"), [(300, 100), (100, 300)])
def test_aspect_does_not_depend_on_which_side_is_longer(width, height):
    assert facts.aspect(width, height) == 3


def test_sharpness_falls_with_blur_and_not_with_light_or_contrast():
    sharp = texture()
    blurred = sharp.filter(ImageFilter.GaussianBlur(6))
    dim = sharp.point(lambda level: level * 0.3 + 20)
    assert facts.sharpness(blurred) < 25 < 60 < facts.sharpness(sharp)
    assert facts.sharpness(dim) == pytest.approx(facts.sharpness(sharp), abs=5)


def test_sharpness_of_one_pixel_is_none():
    assert facts.sharpness(Image.new("L", (1, 1))) == 0


def test_table_keeps_order_and_leaves_unreadable_rows_without_facts(tmp_path):
    rows = [row("b.jpg", texture()), row("a.jpg", None, "damaged"), row("c.jpg", texture(1))]
    manifest.write(tmp_path / "collect", manifest.COLLECTED, 2, rows)
    table = facts.table(tmp_path / "collect", LOCAL, with_eyes=False)
    assert table["id"].tolist() == ["b.jpg", "a.jpg", "c.jpg"]
    assert table.loc[1, list(facts.NAMES)].isna().all()
    assert table.drop(1)[list(set(facts.NAMES) - set(eye_facts.NAMES))].notna().all(axis=None)
    assert table[list(eye_facts.NAMES)].isna().all(axis=None)
    assert "image" not in table


def test_table_of_an_empty_pool_has_its_columns(tmp_path):
    manifest.write(tmp_path / "collect", manifest.COLLECTED, 2, [])
    assert set(facts.NAMES) < set(facts.table(tmp_path / "collect", LOCAL, with_eyes=True).columns)


def test_table_without_shards_names_the_folder(tmp_path):
    with pytest.raises(MissingInput, match="collect: no shards here"):
        facts.table(tmp_path / "collect", LOCAL, with_eyes=True)
