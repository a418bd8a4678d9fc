"""What the last run came to, in the lines a person reads at its end. Reads reports and the registry; changes nothing."""

from dataclasses import dataclass

from irisline.core import paths
from irisline.core import stage as stage_edge
from irisline.core.errors import ReleaseError
from irisline.core.params import Params
from irisline.core.stage import Time
from irisline.release.promotion import journal
from irisline.release.publishing import run_contents
from irisline.release.tracking.version_tags import Verdict

STAGES = ("collect", "validate", "labels", "augment", "train", "evaluate", "publish")


@dataclass(frozen=True)
class Recap:
    """What a person reads, and whether the workspace's model may be used: it is the champion."""

    lines: list[str]
    usable: bool


def of(params: Params, since: float | None) -> Recap:
    """Return stages with times, error rate, version, what to type next, and last whether the model may be used, or why not.

    With a time, in seconds since 1970, stages that ended before it are said to come from DVC's cache.
    Raise MissingInput when there was no run yet.
    """
    ran = {stage: times for stage, times in stage_edge.times().items() if since is None or times.ended >= since}
    head = [] if ran or since is None else ["Nothing has changed since the last run."]
    result, gate = _result(), _report("gate.json", Verdict)
    release, use = _release(params, gate)
    lines = [*head, *_stages(ran), "", *result, release, "", *_next(), "", *use.lines]
    return Recap(lines, use.usable)


def _stages(ran: dict[str, Time]) -> list[str]:
    shown = [f"{stage:9} {ran[stage].seconds:7.1f} s" if stage in ran else f"{stage:9}    cached" for stage in STAGES]
    return [*shown, f"{'total':9} {sum(times.seconds for times in ran.values()):7.1f} s"]


def _result() -> list[str]:
    metrics = _report("metrics.json", run_contents.Rates)
    return [
        f"test error rate  {metrics['error_rate']:.1%}, 95 % interval {metrics['error_rate_low']:.1%} to "
        f"{metrics['error_rate_high']:.1%}, {metrics['test_images']:.0f} pictures",
    ]


def _release(params: Params, gate: Verdict) -> tuple[str, Recap]:
    """Return the line about the registry, and whether the model may be used."""
    from irisline.networks import bundle
    from irisline.release.promotion import registry

    digest = bundle.digest(*bundle.MODEL_FOLDERS)
    try:
        found = registry.listing(params)
        ours = next((version for version in found if version.digest == digest), None)
        if ours is None:
            line = "this model is not published; type irisline publish"
            return f"registry         {line}", _unusable("it is not published; type irisline publish --promote", gate)
        retired = registry.retired(params, ours.number)
    except ReleaseError as error:
        return f"registry         {error}", _unusable("the registry cannot tell", gate)
    aliases = ", ".join(ours.aliases) or "no alias"
    live = ", ".join(str(version.number) for version in found if "champion" in version.aliases) or "none"
    told = f"registry         {params.base.name} version {ours.number} ({aliases}); live: {live}"
    if "champion" in ours.aliases:
        passed = "" if gate["passed"] else ", past the gate's limits"
        return told, Recap([f"may be used      yes: version {ours.number} is the champion{passed}"], True)
    if retired:
        why = f"version {ours.number} was live before; irisline promote {ours.number} brings it back"
    elif gate["passed"]:
        why = f"version {ours.number} is not promoted; irisline promote {ours.number} does it, or says why not"
    else:
        why = f"the gate refuses version {ours.number}"
    return told, _unusable(why, gate)


def _unusable(why: str, gate: Verdict) -> Recap:
    """Return why the model may not be used, and each limit of the gate that it does not meet."""
    failing = [f"  {journal.FAILED} {check['line']}" for check in gate["checks"] if not check["passed"]]
    return Recap([f"may be used      NO: {why}", *failing], False)


def _next() -> list[str]:
    return [
        "make ui                           runs, curves, figures, versions",
        "irisline history                  every promotion and rollback",
        "dvc exp run -S train.epochs=8     a variation",
    ]


def _report(name: str, kind: type[run_contents.Kind]) -> run_contents.Kind:
    return run_contents.read_json(paths.EVALUATE_REPORT / name, kind)
