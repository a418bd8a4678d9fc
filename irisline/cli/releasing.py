"""irisline publish, sign, versions, promote, rollback, history, live-at and lineage: the life of a version."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from irisline.cli.output import Json, show_json, show_table
from irisline.core import console, paths
from irisline.core.errors import GateRefused

if TYPE_CHECKING:
    from irisline.core.params import Params
    from irisline.release.promotion.journal import Entry
    from irisline.release.promotion.registry import Outcome
    from irisline.release.tracking.versions import Version

Reason = Annotated[str, typer.Option(help="Why, for the journal.")]


def publish(
    promote: Annotated[
        bool, typer.Option("--promote", help="Then promote it, if it was never live and the gate lets it pass.")
    ] = False,
) -> None:
    """Show the workspace's model in MLflow and register it; what is there already stays as it is."""
    from irisline.release.promotion import registry
    from irisline.release.publishing import publishing

    settings = _params()
    published = publishing.publish(settings)
    if published.changed:
        done = "published"
    else:
        done = f"is published already, {'and signed anew' if published.version_signed else 'nothing to do'}"
    if published.restored:
        who = (
            "the files of an earlier version are gone for good" if published.version_created else "its files were gone"
        )
        done = f"published again, for {who}"
    console.say(f"{settings.base.name} version {published.version}: {done}")
    if not promote:
        return
    if registry.retired(settings, published.version):
        again = f"irisline promote {published.version} brings it back"
        console.say(f"{settings.base.name} version {published.version} was live before; {again}")
        return
    try:
        _tell(settings, registry.promote(settings, published.version))
    except GateRefused as refusal:
        console.fail(str(refusal))


def sign(
    version: Annotated[int, typer.Argument(help="Its number; irisline versions lists them.", min=1)],
    trust_verdict: Annotated[
        bool, typer.Option("--trust-verdict", help="You vouch for the verdict of the gate that is shown.")
    ] = False,
) -> None:
    """Sign a version from before versions were signed, once its files and answers are proven to be what they were."""
    from irisline.release.publishing import older_version

    settings = _params()
    found, changed = older_version.sign(settings, version, trust_verdict)
    done = "signed by" if changed else "is signed already, by"
    console.say(f"{settings.base.name} version {version}: {done} {found.signed.by}")


def versions(as_json: Json = False) -> None:
    """List the versions with their aliases, error rate and verdict of the gate, newest first."""
    from irisline.release.promotion import registry

    found = registry.listing(_params())
    if as_json:
        show_json([_document(version) for version in found])
    elif not found:
        console.say("no version yet; type make repro")
    else:
        columns = ("version", "aliases", "error rate", "95 % interval", "gate", "precision", "registered", "commit")
        show_table(columns, map(_row, found))


def promote(
    version: Annotated[int | None, typer.Argument(help="Its number; else the challenger.", min=1)] = None,
    force: Annotated[bool, typer.Option("--force", help="Past the gate; needs --reason.")] = False,
    reason: Reason = "",
) -> None:
    """Make a version the champion: proven by its digest, its golden set, the gate and the present champion."""
    from irisline.release.promotion import registry

    if force and not reason:
        raise typer.BadParameter('--force needs --reason "why", which the journal keeps')
    settings = _params()
    _tell(settings, registry.promote(settings, version, reason, force))


def rollback(
    to: Annotated[int | None, typer.Option("--to", help="The version; else the previous champion.", min=1)] = None,
    reason: Reason = "",
) -> None:
    """Make an earlier version the champion again, once its files and answers are proven to be what they were."""
    from irisline.release.promotion import registry

    settings = _params()
    _tell(settings, registry.rollback(settings, to, reason))


def history(as_json: Json = False) -> None:
    """List every change of the champion: when, from, to, who, why and the gate's verdict, newest first."""
    from irisline.release.promotion import registry

    entries, champion = registry.history(_params())
    if as_json:
        show_json([entry.document() for entry in entries])
        return
    if not entries:
        console.say("no version was promoted yet; type irisline promote")
        return
    show_table(("when (UTC)", "action", "from", "to", "who", "why", "gate"), map(_history_row, entries))
    now = datetime.now(UTC)
    if ahead := [entry for entry in entries if entry.when > now + timedelta(minutes=1)]:
        console.fail(
            f"{len(ahead)} of these are later than now, {_minute(now)} UTC: the clock of {ahead[0].who} was ahead, or this "
            "one is behind; mind that they stand first, whatever came after them"
        )
    last = next((entry.change.after for entry in entries if entry.state == "done"), None)
    if champion != last:
        console.fail(f"the champion is {champion or 'none'}, the journal's last is {last}: it was moved by other means")


def live_at(
    time: Annotated[str, typer.Argument(help="ISO 8601, as 2026-03-01 or 2026-03-01T14:30+01:00; UTC unless said.")],
    as_json: Json = False,
) -> None:
    """Say which version was live at a time."""
    from irisline.release.promotion import registry

    entry = registry.live_at(_params(), time)
    if as_json:
        show_json({"version": entry.change.after, "since": entry.document()})
        return
    change = entry.change
    console.say(
        f"version {change.after}, since {_minute(entry.when)} UTC ({change.action} by {entry.who}: {change.why})"
    )


def lineage(
    version: Annotated[int, typer.Argument(help="Its number; irisline versions lists them.", min=1)],
    as_json: Json = False,
) -> None:
    """Say where a version comes from, what it can do, and how to build it again."""
    from irisline.release.promotion import version_report

    found = version_report.of_version(_params(), version)
    if as_json:
        show_json(found)
        return
    for name, value in found.items():
        if isinstance(value, dict):
            console.say(f"\n{name}")
            show_table((), value.items())
        elif isinstance(value, list):
            console.say("\n".join(["", name, *(f"  {line}" for line in value)]))
        else:
            console.say(f"{name}: {value}")


def _params() -> "Params":
    from irisline.core import params

    return params.read(paths.PARAMS)


def _tell(settings: "Params", outcome: "Outcome") -> None:
    name = settings.base.name
    if not outcome.changed:
        console.say(f"{name} version {outcome.after} is the champion already, nothing to do")
        return
    for line in outcome.gate:
        console.say(f"  {line}")
    before = f"instead of version {outcome.before}" if outcome.before else "the first"
    console.say(f"{name} version {outcome.after} is the champion now, {before}")


def _document(version: "Version") -> dict[str, Any]:
    return {
        "version": version.number,
        "aliases": list(version.aliases),
        "digest": version.digest,
        "run_id": version.run_id,
        "registered": _iso(version.created),
        "gate": version.gate,
        "precision": version.precision,
        "precision_reason": version.precision_reason,
        "metrics": version.metrics,
        "git_commit": version.tags.get("irisline.git_commit"),
        "broken": version.broken or None,
    }


def _row(version: "Version") -> list[object]:
    metrics, verdict = version.metrics, version.gate
    rate, low, high = (metrics.get(name) for name in ("error_rate", "error_rate_low", "error_rate_high"))
    passed = None if verdict is None else "passed" if verdict["passed"] else "refused"
    return [
        version.number,
        ", ".join(version.aliases) or None,
        None if rate is None else f"{rate:.1%}",
        None if low is None or high is None else f"{low:.1%} to {high:.1%}",
        f"broken: {version.broken}" if version.broken else passed,
        version.precision,
        _minute(datetime.fromtimestamp(version.created, UTC)),
        version.tags.get("irisline.git_commit", "-")[:9],
    ]


def _history_row(entry: "Entry") -> list[object]:
    change = entry.change
    action = change.action if entry.state == "done" else f"{change.action}, {entry.state}"
    return [_minute(entry.when), action, change.before, change.after or None, entry.who, change.why, change.verdict]


def _minute(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%S")


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
