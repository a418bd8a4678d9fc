"""Training pictures to compare with: distances, the nearest, and a file that is believed only when it is whole."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from irisline.core import seeding
from irisline.core.errors import ModelError
from irisline.inference import out_of_distribution
from irisline.inference.out_of_distribution import NEAREST, Gallery

COUNT, WIDTH = 30, 8


def square(number: int, size: int = 8) -> np.ndarray:
    return np.full((3, size, size), number, np.uint8)


@pytest.fixture
def gallery() -> Gallery:
    """Return a gallery of two squares for each of 15 pictures."""
    features = seeding.generator("gallery").normal(size=(COUNT, WIDTH)).astype(np.float32)
    ids = [f"blue/{number // 2:02d}.jpg" for number in range(COUNT)]
    return Gallery.of(
        5 * features, ids, ["blue"] * COUNT, ["Ann, CC-BY-4.0"] * COUNT, [square(number) for number in range(COUNT)]
    )


def test_the_distance_is_the_cosine_to_the_tenth_nearest(gallery: Gallery) -> None:
    asked = seeding.generator("asked").normal(size=(1, WIDTH)).astype(np.float32)
    cosines = gallery.features @ (asked[0] / np.linalg.norm(asked[0]))
    assert gallery.distance(asked) == pytest.approx(1 - np.sort(cosines)[-NEAREST], abs=1e-6)
    assert gallery.distance(100 * asked) == pytest.approx(gallery.distance(asked), abs=1e-6)


def test_a_person_is_as_far_away_as_the_eyes_are_on_average(gallery: Gallery) -> None:
    near, far = gallery.features[:1], -gallery.features.mean(axis=0, keepdims=True)
    assert gallery.distance(near) < gallery.distance(far)
    mean = (gallery.distance(near) + gallery.distance(far)) / 2
    assert gallery.distance(np.concatenate([near, far])) == pytest.approx(mean)


def test_fewer_squares_than_ten_are_compared_with_all_of_them() -> None:
    few = Gallery.of(np.eye(2, dtype=np.float32), ["a", "b"], ["blue", "brown"], ["", ""], [square(0), square(1)])
    assert few.distance(np.array([[1, 0]], np.float32)) == 1.0


def test_the_nearest_pictures_come_once_each_the_nearest_first(gallery: Gallery) -> None:
    near = gallery.nearest(gallery.features[[4, 5, 21]])  # two of one picture
    assert len(near) == len({each.id for each in near}) == out_of_distribution.SHOWN
    assert {each.id for each in near[:2]} == {"blue/02.jpg", "blue/10.jpg"}
    assert [each.distance for each in near] == sorted(each.distance for each in near)
    assert near[0].credit == "Ann, CC-BY-4.0"
    assert near[0].distance == pytest.approx(0, abs=1e-6)
    shown = {each.id: np.asarray(Image.open(io.BytesIO(each.thumbnail))) for each in near}
    assert abs(int(shown["blue/02.jpg"][0, 0, 0]) - 4) < 3


def test_a_thumbnail_is_small() -> None:
    (made,) = Gallery.of(np.ones((1, 1), np.float32), ["a"], ["blue"], [""], [square(90, 224)]).thumbnails
    assert Image.open(io.BytesIO(made)).size == (64, 64)


def test_a_file_holds_the_gallery_and_is_the_same_each_time(gallery: Gallery, tmp_path: Path) -> None:
    (tmp_path / "neighbours.npz").write_bytes(gallery.as_bytes())
    found = Gallery.read(tmp_path / "neighbours.npz")
    assert np.array_equal(found.features, gallery.features)
    assert (found.ids, found.labels, found.credit_lines) == (gallery.ids, gallery.labels, gallery.credit_lines)
    assert found.thumbnails == gallery.thumbnails
    assert found.as_bytes() == gallery.as_bytes()


def test_a_network_of_other_features_is_refused(gallery: Gallery) -> None:
    message = r"^the neighbours of the model have 8 features, its network 3; publish it anew$"
    with pytest.raises(ModelError, match=message):
        gallery.distance(np.ones((1, 3), np.float32))


def parts(gallery: Gallery, **changes: np.ndarray) -> bytes:
    """Return the bytes of the file with other parts."""
    with np.load(io.BytesIO(gallery.as_bytes())) as held:
        whole = dict(held) | changes
    buffer = io.BytesIO()
    np.savez(buffer, **whole)
    return buffer.getvalue()


def large() -> dict[str, np.ndarray]:
    """Return thumbnails of 65 pixels."""
    buffer = io.BytesIO()
    Image.new("RGB", (65, 65)).save(buffer, "JPEG")
    one = np.frombuffer(buffer.getvalue(), np.uint8)
    return {"jpeg": np.tile(one, COUNT), "ends": len(one) * np.arange(1, COUNT + 1)}


CHANGES: dict[str, tuple[dict[str, np.ndarray], str]] = {
    "pickled": ({"ids": np.array([{"a": 1}] * COUNT, object)}, "allow_pickle=False"),
    "words": ({"features": np.array(["a"] * COUNT)}, "other kinds"),
    "empty": ({"features": np.zeros((0, WIDTH), np.float32)}, "other kinds"),
    "in a square": ({"ids": np.full((COUNT, 2), "a")}, "other kinds"),
    "wide": ({"jpeg": np.zeros(COUNT, np.uint16), "ends": np.arange(1, COUNT + 1)}, "other kinds"),
    "no pictures": ({"jpeg": np.zeros(COUNT, np.uint8), "ends": np.arange(1, COUNT + 1)}, "cannot identify image"),
    "a large picture": (large(), "a thumbnail is too large"),
    "few": ({"labels": np.array(["blue"])}, "different lengths"),
    "cut": ({"jpeg": np.zeros(9, np.uint8)}, "different lengths"),
    "turned": ({"ends": np.arange(COUNT)[::-1].copy(), "jpeg": np.zeros(0, np.uint8)}, "empty or too large"),
    "heavy": ({"ends": 2**15 * np.arange(2, COUNT + 2), "jpeg": np.zeros(2**15 * (COUNT + 1), np.uint8)}, "too large"),
    "no numbers": ({"features": np.full((COUNT, WIDTH), np.nan, np.float32)}, "longer than 1"),
    "long": ({"features": np.ones((COUNT, WIDTH), np.float32)}, "longer than 1"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_of_other_parts_is_one_line(gallery: Gallery, tmp_path: Path, change: str) -> None:
    changes, reason = CHANGES[change]
    refused(tmp_path, parts(gallery, **changes), reason)


def test_a_file_that_is_none_is_one_line(gallery: Gallery, tmp_path: Path) -> None:
    whole = gallery.as_bytes()
    refused(tmp_path, b"", "not a zip file")
    refused(tmp_path, whole[: len(whole) // 2], "not a zip file")
    refused(tmp_path, whole.replace(b"'shape': (30, 8)", b"'shape': (9999999999, 8)"), "")
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("features.npy", b"\0" * 10**6)
    refused(tmp_path, bomb.getvalue(), "its parts are compressed")


def refused(folder: Path, data: bytes, reason: str) -> None:
    (folder / "neighbours.npz").write_bytes(data)
    message = rf"neighbours.npz: not the neighbours of a model: .*{reason}.*; publish it anew$"
    with pytest.raises(ModelError, match=message) as caught:
        Gallery.read(folder / "neighbours.npz")
    assert "\n" not in str(caught.value)
