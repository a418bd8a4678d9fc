"""Fixtures of snapshots: a project's folder beside the fake web."""

from pathlib import Path

import pytest

from tests.fakes.web import Web, running_web, web

__all__ = ["connected", "running_web", "web"]


@pytest.fixture
def connected(web: Web, project: Path, monkeypatch: pytest.MonkeyPatch) -> Web:
    """Return the fake web to a project that takes it for the web, at a time that stands still."""
    for name, value in web.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    return web
