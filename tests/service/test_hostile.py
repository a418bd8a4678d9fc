"""Requests that mean harm, upon the whole service as BentoML serves it: none breaks it, and none makes it grow."""

import json
from pathlib import Path

import psutil
import pytest

from bench import _attack, _hostile, _hostile_pictures
from tests.service.conftest import running, signed, version_folder

pytestmark = pytest.mark.slow

LEFT = 64 * 2**20  # bytes; one such picture takes several times that while it is decoded
TURNS = 3  # of every kind of attack, after those that lay out what is kept for good


def test_no_attack_breaks_it_or_makes_it_grow(served: Path, tmp_path: Path, blue: bytes) -> None:
    canary = tmp_path / "canary"
    kinds = [attack for attack in _hostile.kinds(blue, canary, seed=1) if not attack.rare]
    with running(served, tmp_path / "log", IRISLINE_TIMEOUT="2") as (address, process):
        port, service = int(address.rpartition(":")[2]), psutil.Process(process.pid)
        before = _attack.strike(port, _hostile.asked(blue))
        _hostile.attack(port, kinds, blue, _hostile.WARM_UP * len(kinds), seed=1)
        low = _hostile.resident(service)
        report = _hostile.attack(port, kinds, blue, TURNS * len(kinds), seed=2)
        assert not report.faults
        assert {400, 404, 405, 413, 415} <= report.statuses.keys()
        assert not canary.exists(), "a pickle was loaded"
        assert _hostile.resident(service) < 1.1 * low
        assert _hostile.answer_of(_attack.strike(port, _hostile.asked(blue))) == _hostile.answer_of(before) != {}


def test_pictures_of_50_megapixels_leave_nothing_behind(tmp_path: Path, blue: bytes) -> None:
    folder = version_folder(tmp_path / "version")
    facts = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(facts | {"max_pixels": _hostile_pictures.LIMIT}))
    signed(folder)
    giants = [attack for attack in _hostile.kinds(blue, tmp_path / "canary", seed=1) if attack.rare]
    with running(folder, tmp_path / "log") as (address, process):
        port, service = int(address.rpartition(":")[2]), psutil.Process(process.pid)
        _hostile.attack(port, [_hostile.asked(blue)], blue, 20, seed=1)
        low = _hostile.resident(service)
        report = _hostile.attack(port, giants, blue, 2 * len(giants), seed=1)
        assert not report.faults
        assert report.statuses[200] >= 4
        assert _hostile.resident(service) < low + LEFT
