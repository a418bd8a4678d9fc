"""Fixtures that every room shares."""

from pathlib import Path

import pytest


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty folder that is the working directory, as a project's root is."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
