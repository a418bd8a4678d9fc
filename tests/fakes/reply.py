"""What a fake server is asked, and what it answers."""

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request, as the server saw it."""

    service: str  # openverse, commons, flickr, brave, or pictures
    method: str
    host: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    agent: str
    headers: dict[str, str]  # names in lower case

    @property
    def authorization(self) -> str:
        return self.headers.get("authorization", "")


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int
    body: bytes = b""
    kind: str = "application/octet-stream"
    headers: dict[str, str] = field(default_factory=dict)
    drip: float = 0.0  # seconds between two bytes
    endless: bool = False  # claims and sends more than anybody waits for


def as_json(document: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(status, json.dumps(document).encode(), "application/json; charset=utf-8", headers)
