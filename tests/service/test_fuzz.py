"""Schemathesis asks the whole service what its own description allows, and much that it does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.imports import ROOT
from tests.service.conftest import running

pytestmark = pytest.mark.slow

# A picture that is any bytes at all may be refused: the description cannot say which bytes are a picture.
NOT_ASKED = "positive_data_acceptance"


@pytest.mark.parametrize("key", ["", "sesame"])
def test_no_answer_is_other_than_described(served: Path, tmp_path: Path, key: str) -> None:
    with running(served, tmp_path / "log", IRISLINE_API_KEYS=key) as (address, _):
        done = subprocess.run(
            [
                str(Path(sys.executable).parent / "schemathesis"), "run", f"{address}/docs.json", "--no-color",
                "--checks", "all", "--exclude-checks", NOT_ASKED, "--max-examples", "60", "--seed", "1",
                *(("--header", f"Authorization: Bearer {key}") if key else ()),
            ],
            env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.service.fuzz_hooks", "PYTHONPATH": str(ROOT)}, cwd=tmp_path,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Tested: 3" in done.stdout
