"""Where one version comes from, what it can do, and how to build it again. Reads the registry; changes nothing."""

import re
from datetime import UTC, datetime
from typing import Any

from irisline.core.errors import ModelError, NotFound
from irisline.core.params import Params
from irisline.evaluation import gate
from irisline.release.promotion import checks, registry
from irisline.release.publishing import trained_on
from irisline.release.signatures import signed
from irisline.release.tracking import lineage, store, versions


def of_version(params: Params, number: int) -> dict[str, Any]:
    """Return the version's identity, source, params, metrics with their intervals, data licences and the way to rebuild it."""
    version, by = _signed(params, registry.find(params, number))
    run_params, machine = _run(version.run_id)
    return {
        "version": version.number,
        "aliases": ", ".join(version.aliases) or "none",
        "registered": datetime.fromtimestamp(version.created, UTC).isoformat(timespec="seconds"),
        "digest": version.digest,
        "signed by": by,
        "run": version.run_id,
        "precision on the CPU": f"{version.precision}: {version.precision_reason}",
        "source": {name.removeprefix("irisline."): version.tags.get(name, "-") for name in lineage.SOURCE},
        "machine": machine,
        "metrics, with 95 % intervals": with_intervals(version.metrics),
        "gate": [checks.marked(gate.Check(**check)) for check in (version.gate or {"checks": []})["checks"]],
        "pictures": trained_on.counts(version.facts),
        "licences of the data": version.facts.licences,
        "providers of the data": version.facts.providers,
        "params": run_params,
        "to build it again": recipe(version.tags),
    }


def _signed(params: Params, version: versions.Version) -> tuple[versions.Version, str]:
    """Return a version as it was signed and by whom, or as its tags tell it and why that proves nothing."""
    try:
        with store.one_line_failures():
            found = signed.verified(store.client(), params.base.name, version)
    except ModelError as error:
        return version, f"nobody who is trusted: {error}"
    return found, str(found.signed.by)


def with_intervals(metrics: dict[str, float]) -> dict[str, str]:
    """Return the main numbers as text, with the 95 % interval where there is one."""
    shown = {}
    for name in (name for name in metrics if not name.endswith(("_low", "_high"))):
        low, high = metrics.get(f"{name}_low"), metrics.get(f"{name}_high")
        shown[name] = f"{metrics[name]:.4g}" + (
            f" ({low:.4g} to {high:.4g})" if low is not None and high is not None else ""
        )
    return shown


def recipe(tags: dict[str, str]) -> list[str]:
    """Return the commands that rebuild a version from its source tags."""
    commit = tags.get(lineage.COMMIT, "none")
    if not re.fullmatch(r"[0-9a-f]{7,64}", commit):
        return [
            "no git commit was recorded; the run's folder source/ holds params.yaml, dvc.lock and data.dvc as they were"
        ]
    steps = [f"git checkout {commit}", "dvc pull data.dvc", "make repro"]
    if lineage.is_settled(tags):
        return steps
    return [*steps, "files had changed since that commit: compare with the run's folder source/ first"]


def _run(run_id: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the run's params and machine; of a run that was deleted, none."""
    client = store.client()
    try:
        with store.one_line_failures():
            data = client.get_run(run_id).data
    except NotFound:
        return {}, {}
    machine = {name.removeprefix("irisline."): data.tags[name] for name in lineage.MACHINE if name in data.tags}
    return dict(sorted(data.params.items())), machine
