"""The service against the ceiling of its cores, against other ways to serve the same version, and while versions change.

The ceiling is the bare loop in the same threads and the same batches: decode, square, network, no server. It is measured
right before and after each turn that is held against it. Clients and servers share the cores, for all alike. Every
answer is checked: it is what the version it comes from says of that picture.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

from bench import _contenders, _pictures, _project, _race, _servers, _store, _swaps
from bench._contenders import FASTAPI, LITSERVE, MLFLOW, OURS, TYPED, Contender
from bench._race import Race, Turn
from bench._servers import Server
from bench._side_by_side import at_least, at_most, figure, heading, number, ratio
from bench._store import Store

OF_THE_CEILING = {8: 0.8, 32: 0.75}  # by the number of clients
BESIDE = 8  # clients, for the peers and while versions change
PEERS = {FASTAPI: 1.0, LITSERVE: 1.3, TYPED: 1.5, MLFLOW: 5.0}
SPARE = 2.0  # milliseconds
BEFORE, AFTER = "before", "after"

Turns = dict[str, list[Turn]]


def main() -> None:
    """Print the ratios of the race, then what happens while versions are rolled back and forth."""
    runs, seconds, swaps = number("BENCH_RUNS", 7), number("BENCH_SECONDS", 2), number("BENCH_SWAPS", 20)
    with _project.scratch() as scratch:
        store = _store.of_the_workspace(scratch / "store")
        pictures = _pictures.photographs(_pictures.drawn(scratch / "drawn", number("BENCH_DRAWN", 48), seed=1))
        heading(f"Serving: {store.about}; {len(pictures)} pictures of 20 to 60 kB, {runs} rounds of {seconds} s a turn")
        with _race.between(store, pictures, scratch, seconds) as race:
            figure("the load's own milliseconds of a core a request", race.own_cost(BESIDE) * 1000)
            _tell(_rounds(race, runs))
        with _servers.running(_follower(store), pictures, scratch / "following") as server:
            server.wait()
            _roll(server, store, pictures, swaps)


def _follower(store: Store) -> Contender:
    return _contenders.ours(store, _contenders.following(store))


def _rounds(race: Race, runs: int) -> Turns:
    """Return every contender's turns. They take turns, every other round backwards; a round to warm up is not counted."""
    steps = _steps(race)
    turns: Turns = {name: [] for name in steps}
    for round_number in range(runs + 1):
        for name in list(steps)[:: -1 if round_number % 2 else 1]:
            turns[name].append(steps[name]())
    return {name: kept[1:] for name, kept in turns.items()}


def _steps(race: Race) -> dict[str, Callable[[], Turn]]:
    steps: dict[str, Callable[[], Turn]] = {}
    for clients in (1, *OF_THE_CEILING):
        steps[_bare(clients, BEFORE)] = partial(race.bare, clients)
        steps[_served(OURS, clients)] = partial(race.ask, OURS, clients)
        steps[_bare(clients, AFTER)] = partial(race.bare, clients)
    steps["bare loop, one by one"] = race.one_by_one
    return steps | {_served(peer, BESIDE): partial(race.ask, peer, BESIDE) for peer in PEERS}


def _bare(clients: int, when: str) -> str:
    return f"bare loop as for {clients}, {when}"


def _served(name: str, clients: int) -> str:
    return f"{name}, {clients} client{'s' * (clients > 1)}"


def _tell(turns: Turns) -> None:
    for name, kept in turns.items():
        _show(name, kept)
    late = [
        1000 * (served.typical - (before.typical + after.typical) / 2)
        for served, before, after in zip(turns[_served(OURS, 1)], *_around(turns, 1), strict=True)
    ]
    at_most("1 client, milliseconds above the bare loop", median(late), SPARE)
    for clients, share in OF_THE_CEILING.items():
        at_least(f"{clients} clients, images a second / bare loop", _share(turns, clients), share)
    wrong = sum(turn.wrong for clients in OF_THE_CEILING for turn in turns[_served(OURS, clients)])
    at_most("failed or wrong answers of the service", wrong, 0)
    own = turns[_served(OURS, BESIDE)]
    figure(f"{BESIDE} clients, images a second / bare loop one by one", _ratio(own, turns["bare loop, one by one"]))
    for peer, times in PEERS.items():
        at_least(f"{BESIDE} clients, images a second / {peer}", _ratio(own, turns[_served(peer, BESIDE)]), times)


def _roll(server: Server, store: Store, pictures: Sequence[bytes], count: int) -> None:
    """Print what clients notice of versions that are rolled back and forth."""
    answers, swaps = _swaps.under_load(server, store, BESIDE, count)
    right = {version: _contenders.expected(server.contender, store, version, pictures) for version in (1, 2)}
    wrong = sum(not _race.is_right(server.contender, one, right.get(_swaps.version_of(one), [])) for one in answers)
    print(f"  {len(answers)} answers while {count} rollbacks were typed, to {BESIDE} clients", flush=True)
    at_most("failed or wrong answers, each held against the version it names", wrong, 0)
    late = [swap.late for swap in swaps]
    at_most("longest from a rollback's return to the last old answer, seconds", max(late), 2.0)
    during, without = _swaps.slow(answers, swaps)
    print(f"  99 % of answers in {1000 * without:.1f} ms, in {1000 * during:.1f} ms while versions change")
    at_most("99th percentile while versions change / without", during / without, 2.0)


def _around(turns: Turns, clients: int) -> tuple[list[Turn], list[Turn]]:
    return turns[_bare(clients, BEFORE)], turns[_bare(clients, AFTER)]


def _share(turns: Turns, clients: int) -> float:
    bare = [(before.rate + after.rate) / 2 for before, after in zip(*_around(turns, clients), strict=True)]
    return ratio([turn.rate for turn in turns[_served(OURS, clients)]], bare)


def _ratio(upper: Sequence[Turn], lower: Sequence[Turn]) -> float:
    return ratio([turn.rate for turn in upper], [turn.rate for turn in lower])


def _show(name: str, turns: Sequence[Turn]) -> None:
    rates, typical = [turn.rate for turn in turns], 1000 * median(turn.typical for turn in turns)
    slow = 1000 * median(turn.slow for turn in turns)
    tail = "" if math.isnan(slow) else f", 99 % in {slow:.1f} ms"
    wrong = f", {sum(turn.wrong for turn in turns)} WRONG" if any(turn.wrong for turn in turns) else ""
    spread = " ".join(f"{rate:.0f}" for rate in rates)
    print(
        f"  {name:<33}{median(rates):7.1f} images/s, half in {typical:.1f} ms{tail}{wrong}   runs: {spread}", flush=True
    )


if __name__ == "__main__":
    main()
