"""irisline snapshot: pictures from the web into the pool."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from irisline.cli.output import Json, show_json, show_table
from irisline.core import console, paths

if TYPE_CHECKING:
    from irisline.collection.snapshot.replay import Replayed
    from irisline.collection.snapshot.snapshot import Outcome
    from irisline.collection.sources.candidate import Candidate
    from irisline.core.params import Params

COLUMNS = ("class", "provider", "found", "known", "fetched", "refused")
MOST = 10  # lines of one kind; the rest is a number


def snapshot(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be fetched; fetch and write nothing.")
    ] = False,
    replay: Annotated[
        bool, typer.Option("--replay", help="Fetch what sources.csv records again, and compare.")
    ] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try again what failed or was refused before.")] = False,
    as_json: Json = False,
) -> None:
    """Search for pictures of every class, fetch those whose licence is accepted, and file them in data/."""
    from irisline.core import params

    if replay and (dry_run or retry):
        raise typer.BadParameter("--replay fetches the recorded list as it is; give it alone")
    settings = params.read(paths.PARAMS)
    if replay:
        _replay(settings, as_json)
    elif dry_run:
        _plan(settings, retry, as_json)
    else:
        _snapshot(settings, retry, as_json)


def _snapshot(settings: "Params", retry: bool, as_json: bool) -> None:
    from irisline.collection.snapshot import snapshot as taking

    outcome = taking.run(settings, console.fail, taking.pin, retry)
    for line in _first(outcome.reports):
        console.fail(line)
    if as_json:
        show_json(_document(outcome) | {"changed": outcome.changed})
        return
    if outcome.tally:
        show_table(COLUMNS, _rows(outcome))
    _say_what_is_short(settings, outcome)
    if outcome.changed:
        console.say(f"look at {paths.SNAPSHOT_REPORT}/<class>.png, and at refused.csv there; then type make repro")
        console.say(f'to keep this pool, type git commit --all --message="A snapshot": {paths.POOL}.dvc pins it')
    else:
        console.say(f"nothing new: {paths.POOL}/ stays as it was")


def _plan(settings: "Params", retry: bool, as_json: bool) -> None:
    from irisline.collection.snapshot import snapshot as taking

    planned, outcome = taking.plan(settings, console.fail, retry)
    if as_json:
        show_json(_document(outcome) | {"would_fetch": [_candidate(candidate) for candidate in planned]})
        return
    show_table(("class", "provider", "licence", "author", "title", "picture"), map(_planned, planned))
    counts = Counter(candidate.query.label for candidate in planned)
    sums = ", ".join(f"{counts[label]} of {label}" for label in settings.base.classes)
    console.say(f"would fetch {sums} first, and more where some are refused; irisline snapshot does")


def _replay(settings: "Params", as_json: bool) -> None:
    from irisline.collection.snapshot import replay

    replayed = replay.run(settings)
    if as_json:
        show_json([_replayed(one) for one in replayed])
    else:
        told = [one for one in replayed if one.web != replay.SAME or one.pool != replay.IN_POOL]
        if told:
            show_table(
                ("picture", "its address", "recorded bytes", "why"), ((o.id, o.web, o.pool, o.detail) for o in told)
            )
        webs, pools = Counter(one.web for one in replayed), Counter(one.pool for one in replayed)
        console.say(f"{len(replayed)} recorded pictures: {_sums(webs)}; recorded bytes: {_sums(pools)}")
    if not all(one.is_well for one in replayed):
        raise typer.Exit(1)


def _rows(outcome: "Outcome") -> list[list[object]]:
    return [
        [
            label,
            provider,
            counts.get("found", 0),
            counts.get("known", 0),
            counts.get("fetched", 0),
            _sums(_refused(counts)),
        ]
        for (label, provider), counts in sorted(outcome.tally.items())
    ]


def _refused(counts: Any) -> dict[str, int]:
    return {status: count for status, count in counts.items() if status not in ("found", "known", "fetched")}


def _document(outcome: "Outcome") -> dict[str, Any]:
    return {
        "classes": [
            {"class": label, "provider": provider, **{name: counts.get(name, 0) for name in COLUMNS[2:5]}}
            | {"refused": _refused(counts)}
            for (label, provider), counts in sorted(outcome.tally.items())
        ],
        "short": dict(outcome.short),
        "unanswered": list(outcome.unanswered),
    }


def _say_what_is_short(settings: "Params", outcome: "Outcome") -> None:
    wanted = settings.snapshot.per_class
    who = "who answers has no other" if outcome.unanswered else "nobody has another"
    for label, count in outcome.short.items():
        more = f"add queries (snapshot.queries.{label}), sources or licences for more"
        console.say(f"{label}: {wanted - count} of {wanted} pictures, and {who}; {more}")


def _planned(candidate: "Candidate") -> list[str]:
    shown = (
        candidate.licence or "unknown",
        candidate.author,
        candidate.title,
        candidate.page_url or candidate.image_url,
    )
    return [candidate.query.label, candidate.provider, *shown]


def _candidate(candidate: "Candidate") -> dict[str, Any]:
    return {
        "class": candidate.query.label,
        "query": candidate.query.text,
        **{
            name: getattr(candidate, name) for name in ("provider", "provider_id", "rank", "licence", "author", "title")
        },
        **{name: getattr(candidate, name) for name in ("image_url", "page_url")},
    }


def _replayed(one: "Replayed") -> dict[str, str]:
    return {"id": one.id, "web": one.web, "recorded_bytes": one.pool, "why": one.detail}


def _sums(counts: Any) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()) if count) or "none"


def _first(lines: list[str]) -> list[str]:
    return lines if len(lines) <= MOST else [*lines[:MOST], f"and {len(lines) - MOST} more"]
