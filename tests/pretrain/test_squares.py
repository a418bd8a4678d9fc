"""Squares of drawn eyes: a function of the picture's number, with the truth beside them, cut as a finder would."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from irisline.core.errors import ParamsError
from irisline.dataset import shards
from irisline.eyes import finder
from irisline.eyes.rendering import sample
from pretrain import draw, irises, settings, squares
from pretrain.table import COLOURS, FOLDER, NO_EYE, TRUTH, WIDE
from tests.planted import ROOT

GIVEN = settings.read(ROOT / "pretrain" / "params.yaml")
FEW = GIVEN.model_copy(update={"draw": GIVEN.draw.model_copy(update={"pictures": 13, "size": 48, "shard_rows": 8})})


def drawn(folder: Path, workers: int, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    folder.mkdir()
    monkeypatch.chdir(folder)
    execution = FEW.execution.model_copy(update={"workers": workers})
    draw.draw(FEW.model_copy(update={"execution": execution}))
    return [shard.read_bytes() for shard in sorted(FOLDER.glob("*.parquet"))]


@pytest.mark.slow
def test_any_number_of_workers_draws_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = drawn(tmp_path / "one", 1, monkeypatch)
    rows = list(shards.stream(FOLDER))
    assert len(one) == -(-len(rows) // 8)
    assert one == drawn(tmp_path / "two", 2, monkeypatch)
    assert {row["label"] for row in rows} == set(COLOURS)


def test_a_square_has_its_iris_in_the_middle_and_the_truth_beside_it() -> None:
    found = [row for number in (0, 1, 3, 4) for row in squares.rows(number, 5, 64) if row["label"] != NO_EYE]
    assert {row["label"] for row in found} == {"blue", "brown"}
    for row in found:
        assert all(row[name] is not None for name in TRUTH)
        with Image.open(io.BytesIO(row["image"])) as square:
            edge = round(64 * (1 - 1 / WIDE) / 2)
            seen = finder.visibility(square.crop((edge, edge, 64 - edge, 64 - edge)))
        assert seen.contrast > 0.1
        assert seen.pupil < seen.iris + 0.05


def test_a_square_without_an_eye_says_nothing_of_an_iris() -> None:
    blank = squares.rows(squares.TURN.index(NO_EYE), 5, 48)
    assert [row["label"] for row in blank] == [NO_EYE] * squares.BLANK_SQUARES
    assert not {name for row in blank for name in TRUTH} & blank[0].keys()


def test_brown_reflects_less_than_blue_and_blue_is_bluest() -> None:
    means = {
        colour: np.mean([irises.reflectance(irises.draw(f"{i}", colour)) for i in range(40)], axis=0)
        for colour in irises.RANGES
    }
    assert all((means["brown"] < means[other]).all() for other in ("blue", "green", "grey", "hazel"))
    bluest = {name: red_green_blue[2] - red_green_blue[0] for name, red_green_blue in means.items()}
    assert max(bluest, key=lambda name: bluest[name]) == "blue"


def test_the_light_is_known_as_the_camera_leaves_it() -> None:
    scene = sample("light", "blue")

    def light(kelvin: float, balance: float) -> tuple[float, float]:
        camera = replace(scene.camera, balance=balance, tint=0.0)
        return squares._light(replace(scene, light=replace(scene.light, kelvin=kelvin), camera=camera))

    (warm_red, warm_blue), (cold_red, cold_blue) = light(2600.0, 0.6), light(8500.0, 0.6)
    assert warm_red > 0.1 > cold_red
    assert warm_blue < -0.1 < cold_blue
    assert light(2600.0, 1.0) == pytest.approx((0, 0))


def test_a_wrong_key_of_the_params_is_one_line(tmp_path: Path) -> None:
    text = (ROOT / "pretrain" / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace("  pictures:", "  eyes: 1\n  pictures:"))
    with pytest.raises(ParamsError, match=r"params.yaml: draw.eyes: unknown key; valid here: seed, pictures, size"):
        settings.read(tmp_path / "params.yaml")
