"""What the last run came to, in the lines a person reads at its end. Reads reports and the registry; changes nothing."""

from irisline.core import paths
from irisline.core import stage as stage_edge
from irisline.core.errors import ReleaseError
from irisline.core.params import Params
from irisline.core.stage import Time
from irisline.release.publishing import run_contents
from irisline.release.tracking.version_tags import Verdict

STAGES = ("collect", "validate", "labels", "augment", "train", "evaluate", "publish")


def lines(params: Params, since: float | None) -> list[str]:
    """Return stages with times, error rate, version, gate and what to type next.

    With a time, in seconds since 1970, stages that ended before it are said to come from DVC's cache.
    Raise MissingInput when there was no run yet.
    """
    ran = {stage: times for stage, times in stage_edge.times().items() if since is None or times.ended >= since}
    head = [] if ran or since is None else ["Nothing has changed since the last run."]
    return [*head, *_stages(ran), "", *_result(), *_release(params), "", *_next()]


def _stages(ran: dict[str, Time]) -> list[str]:
    shown = [f"{stage:9} {ran[stage].seconds:7.1f} s" if stage in ran else f"{stage:9}    cached" for stage in STAGES]
    return [*shown, f"{'total':9} {sum(times.seconds for times in ran.values()):7.1f} s"]


def _result() -> list[str]:
    metrics, gate = _report("metrics.json", run_contents.Rates), _report("gate.json", Verdict)
    failing = [check["line"] for check in gate["checks"] if not check["passed"]]
    return [
        f"test error rate  {metrics['error_rate']:.1%}, 95 % interval {metrics['error_rate_low']:.1%} to "
        f"{metrics['error_rate_high']:.1%}, {metrics['test_images']:.0f} pictures",
        f"gate's limits    {'met' if gate['passed'] else '; '.join(failing)}",
    ]


def _release(params: Params) -> list[str]:
    from irisline.networks import bundle
    from irisline.release.promotion import registry

    digest = bundle.digest(*bundle.MODEL_FOLDERS)
    try:
        found = registry.listing(params)
    except ReleaseError as error:
        return [f"registry         {error}"]
    ours = [version for version in found if version.digest == digest]
    if not ours:
        return ["registry         this model is not published; type irisline publish"]
    aliases = ", ".join(ours[0].aliases) or "no alias"
    live = [str(version.number) for version in found if "champion" in version.aliases]
    return [
        f"registry         {params.base.name} version {ours[0].number} ({aliases}); live: {', '.join(live) or 'none'}"
    ]


def _next() -> list[str]:
    return [
        "make ui                           runs, curves, figures, versions",
        "irisline history                  every promotion and rollback",
        "dvc exp run -S train.epochs=8     a variation",
    ]


def _report(name: str, kind: type[run_contents.Kind]) -> run_contents.Kind:
    return run_contents.read_json(paths.EVALUATE_REPORT / name, kind)
