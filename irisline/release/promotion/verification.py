"""A running service held against the registry, the DVC lock and git: does it serve what these say it should?

Asks the service what it is; changes nothing.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from irisline.core.errors import IrislineError, NotFound, ReleaseError
from irisline.core.params import Params
from irisline.inference.identity import Identity, digest_of
from irisline.release.promotion import registry
from irisline.release.signatures import signed
from irisline.release.tracking import lineage, store
from irisline.release.tracking.versions import CHAMPION, Version

PATIENCE = 10.0  # seconds to wait for the service's answer
LARGEST = 2**23  # bytes of it
KEY = "IRISLINE_API_KEY"


@dataclass(frozen=True)
class Comparison:
    """One thing, as the service tells it and as it should be."""

    what: str
    served: str
    wanted: str
    source: str  # who says what is wanted

    @property
    def agrees(self) -> bool:
        """Whether both are the same."""
        return self.served == self.wanted


def compare(params: Params, url: str) -> Iterator[Comparison]:
    """Yield each comparison, the most telling first; raise ReleaseError when the service cannot be asked."""
    told = ask(url)
    yield Comparison("name", str(told["name"]), params.base.name, "params.yaml")
    champion = registry.find(params)
    yield Comparison("version", str(told["version"]), str(champion.number), f"the registry's {CHAMPION}")
    version = _registered(params, int(told["version"]))
    yield Comparison("digest", told["digest"], version.digest if version else "none", "the registry")
    yield Comparison("files", digest_of(told["files"]), told["digest"], "the digest it tells")
    source = told["source"]
    yield Comparison("run", told["run_id"], version.run_id if version else "none", "the registry")
    here = {name.removeprefix("irisline."): value for name, value in lineage.source_tags().items()}
    yield Comparison("dvc.lock", source["dvc_lock_sha256"], here["dvc_lock_sha256"], "dvc.lock")
    yield Comparison("data", source["data_md5"], here["data_md5"], "data.dvc")
    yield Comparison("git", *lineage.code_of(source["git_commit"]), "git")


def ask(url: str) -> dict[str, Any]:
    """Return what a service says of itself; raise ReleaseError when it cannot be reached or is not one of ours."""
    import httpx

    from irisline.core.bounded import http_exchange

    key = os.environ.get(KEY)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        client = http_exchange.Client(PATIENCE, LARGEST)
        answer, body = client.ask(client.request("GET", f"{url.rstrip('/')}/model", headers=headers))
        answer.raise_for_status()
        told: dict[str, Any] = json.loads(body)
        Identity.model_validate({name: told[name] for name in Identity.model_fields if name in told})
        return told
    except httpx.HTTPStatusError as error:
        advice = f"; set {KEY}" if error.response.status_code == 401 else ""
        raise ReleaseError(f"{url}: GET /model gave {error.response.status_code}{advice}") from error
    except TimeoutError as error:
        raise ReleaseError(
            f"{url}: GET /model gave no whole answer within {PATIENCE:g} s; is it this service?"
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        told_why = http_exchange.reason(error)
        raise ReleaseError(f"{url}: cannot be asked: {told_why}; is the service running there?") from error
    except (
        http_exchange.TooLong,
        RecursionError,
        ValueError,
        KeyError,
        TypeError,
    ) as error:  # pydantic's are ValueErrors
        raise ReleaseError(f"{url}: GET /model gave something else than a version; is it this service?") from error


def _registered(params: Params, number: int) -> Version | None:
    try:
        with store.one_line_failures():
            return signed.verified(store.client(), params.base.name, registry.find(params, number))
    except NotFound:
        return None


def verify(params: Params, url: str) -> list[Comparison]:
    """Return all comparisons; raise IrislineError that names the first thing that differs."""
    seen = []
    for comparison in compare(params, url):
        if not comparison.agrees:
            raise IrislineError(
                f"{url}: {comparison.what}: the service has {_short(comparison.served)}, "
                f"{comparison.source} says {_short(comparison.wanted)}"
            )
        seen.append(comparison)
    return seen


def _short(value: str) -> str:
    return value[:12] if len(value) in (32, 40, 64) else value
