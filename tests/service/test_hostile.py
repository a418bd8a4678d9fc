"""Requests that mean harm, upon the whole service as BentoML serves it: none breaks it, and none makes it grow."""

from pathlib import Path

import psutil
import pytest

from bench import _attack, _hostile
from tests.service.conftest import running

pytestmark = pytest.mark.slow

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
