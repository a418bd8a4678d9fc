"""Requests that mean harm, thousands of them, and good ones between them: what they do to a service, and to its memory.

Growth is the resident memory of all the service's processes at the end, over that after three turns of every kind. A server
may answer an attack, refuse it or hang up. What counts as a fault: a status above 499 but 503, a whole request that nobody
answers within 20 seconds, a good picture whose answer is another than before the first attack.
"""

from bench import _attack, _contenders, _hostile, _pictures, _project, _servers, _store
from bench._side_by_side import at_most, heading, number

BRIEF = {"IRISLINE_TIMEOUT": "3"}  # seconds: some attacks last until a body counts as lost
MEGABYTE = 2**20


def main() -> None:
    """Print what came of the attacks."""
    most = number("BENCH_REQUESTS", 10_000)
    with _project.scratch() as scratch:
        store, canary = _store.of_the_workspace(scratch / "store"), scratch / "canary"
        good = _pictures.photographs(_pictures.drawn(scratch / "drawn", 2, seed=1))[0]
        attacks = _hostile.kinds(good, canary, seed=1)
        heading(
            f"Hostile requests: {most}, of {len(attacks)} kinds, by {_hostile.CLIENTS} clients, good ones between them"
        )
        with _servers.running(_contenders.ours(store, BRIEF), [good], scratch / "server") as server:
            server.wait()
            before = _attack.strike(server.port, _hostile.asked(good))
            _hostile.attack(server.port, attacks, good, _hostile.WARM_UP * len(attacks), seed=1)
            low = _hostile.resident(server.process)
            report = _hostile.attack(server.port, attacks, good, most, seed=2)
            high = _hostile.resident(server.process)
            after = _attack.strike(server.port, _hostile.asked(good))
    answers = ", ".join(f"{number} x {status}" for status, number in sorted(report.statuses.items()))
    print(f"  {answers}, {report.silent} connections without an answer", flush=True)
    for fault, times in report.faults.most_common():
        print(f"  {times} x {fault}", flush=True)
    print(f"  {low / MEGABYTE:.0f} MB before, {high / MEGABYTE:.0f} MB after", flush=True)
    at_most("faults", sum(report.faults.values()), 0)
    at_most("pickles that were loaded", canary.exists(), 0)
    at_most("memory after / before", high / low, 1.05)
    at_most("good pictures answered otherwise afterwards", _hostile.answer_of(after) != _hostile.answer_of(before), 0)


if __name__ == "__main__":
    main()
