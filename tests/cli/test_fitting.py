"""irisline fit-limits, and validate after it, on a pool of icons: small, bright, flat, and a few of them spoiled."""

import csv
import json
import re
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from irisline.cli import app
from irisline.core import params, paths
from irisline.core.errors import DataError
from irisline.core.params import Params
from pipelines.collect import collect
from pipelines.validate import validate
from tests.planted import CLASSES, ROOT
from tests.validation import drawn_pools

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning")]
EACH, SPOILED = 60, 5
LIMITS = "min_side|max_aspect|min_brightness|max_brightness|min_contrast|min_sharpness|min_entropy"


def settings() -> Params:
    return params.read(paths.PARAMS)


@pytest.fixture
def icons(project: Path) -> Path:
    """Return a project whose pool is icons, five of them spoiled; it has the shipped params, for whole pictures."""
    for number, label in enumerate(CLASSES):
        (project / "data" / label).mkdir(parents=True)
        for key in range(EACH):
            picture = drawn_pools.good(drawn_pools.icon, number * EACH + key)
            picture.save(project / "data" / label / f"{key:02}.png")
    for key in range(SPOILED):
        drawn_pools.spoiled(drawn_pools.icon, key).save(project / "data" / CLASSES[0] / f"spoiled{key}.png")
    text = (ROOT / "params.yaml").read_text()
    for old, new in (("crop: eyes ", "crop: none "), ("near_duplicate_distance: 8", "near_duplicate_distance: null")):
        assert text.count(old) == 1
        text = text.replace(old, new)
    paths.PARAMS.write_text(text)
    collect(settings())
    return project


def fit(*words: str) -> list[str]:
    shown = CliRunner().invoke(app.app, ["fit-limits", *words], catch_exceptions=False)
    assert shown.exit_code == 0
    return shown.output.splitlines()


def refused() -> dict[str, str]:
    """Return the limits that refused pictures failed, by picture."""
    with (paths.VALIDATE_REPORT / "rejected.csv").open(newline="") as file:
        return {Path(line["id"]).stem: line["limit"] for line in csv.DictReader(file) if line["column"] != "group"}


SPOILED_ONES = {f"spoiled{key}" for key in range(SPOILED)}


def test_limits_of_photographs_refuse_icons_and_fitted_ones_the_spoiled_alone(icons: Path) -> None:
    with pytest.raises(DataError, match=r"share rejected: 100.0%, 125 of 125 pictures, ") as stopped:
        validate(settings())
    (small,) = [line for line in stopped.value.details if line.startswith("large enough: ")]
    assert re.search(
        r"125 of 125 pictures, .*; validate.min_side: 32 would let all but 1% of the others through$", small
    )

    before = paths.PARAMS.read_text().splitlines()
    lines = fit("--dry-run")
    assert paths.PARAMS.read_text().splitlines() == before
    assert "validate.min_side\t48\t125\t32\t1" in lines
    assert "now, 125 of 125 pictures are refused by these limits (100.0%)" in lines
    assert lines[-1].startswith("params.yaml is as it was; without --dry-run, min_side, ")
    with Image.open(paths.FIT_LIMITS_REPORT / "still_refused.png") as sheet:
        assert sheet.format == "PNG"

    assert fit()[:-1] == lines[:-1]
    after = paths.PARAMS.read_text().splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert changed
    assert all(re.match(rf"  ({LIMITS}): ", line) for line in changed)
    validate(settings())
    assert refused().keys() == SPOILED_ONES
    assert fit()[-1] == "params.yaml: nothing to change"


def test_auto_limits_refuse_the_spoiled_alone_and_reports_say_what_they_are(icons: Path) -> None:
    text = paths.PARAMS.read_text()
    paths.PARAMS.write_text(re.sub(rf"  ({LIMITS}): [0-9.]+", r"  \1: auto", text))
    validate(settings())
    limits = refused()
    assert limits.keys() == SPOILED_ONES
    assert all(limit.endswith(" (auto)") for limit in limits.values())
    metrics = json.loads((paths.VALIDATE_REPORT / "metrics.json").read_text())
    assert (metrics["auto_min_side"], metrics["auto_min_sharpness"]) == (32, 35.0)
    (page,) = (paths.VALIDATE_REPORT / "docs/validations/images").rglob("*.html")
    assert "short_side must be at least 32 (auto)" in page.read_text()

    assert "validate.min_side\t32 (auto)\t1\t32\t1" in fit()
    assert "auto" not in "".join(re.findall(rf"  (?:{LIMITS}): \S+", paths.PARAMS.read_text()))
    validate(settings())
    assert refused().keys() == limits.keys()


def test_a_pool_without_a_readable_picture_is_one_line(project: Path) -> None:
    for label in CLASSES:
        (project / "data" / label).mkdir(parents=True)
        (project / "data" / label / "a.jpg").write_bytes(b"<html>")
    paths.PARAMS.write_text((ROOT / "params.yaml").read_text())
    collect(settings())
    with pytest.raises(DataError, match=r"^artifacts/collect: no pictures to fit limits to; "):
        fit()
