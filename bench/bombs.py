"""Pictures that take much to decode, sent to a service within the limits of its own deployment.

Each alone: what it takes of memory and processor. Then one client sends them without a pause, from many connections, while good
clients ask: how much later these are answered. The group that the service runs in is bounded as its pods are.
"""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from statistics import quantiles

from bench import _attack, _bombs, _cgroup, _contenders, _load, _pictures, _project, _servers, _store
from bench._attack import Attack
from bench._side_by_side import at_most, figure, heading, number

POD = 2**30  # bytes: the limit of deploy/kubernetes
SHARE, SECONDS, SLOWER = 0.8, 1.0, 3.0
ATTACKER = "127.0.0.2"
GOOD, CONNECTIONS = 4, 8  # clients that mean well, and connections of the one that does not
MEGABYTE = 2**20
KINDS = {b"\xff\xd8": "image/jpeg", b"\x89P": "image/png", b"RI": "image/webp"}


def main() -> None:
    """Print what the bombs take, and what good clients notice of them."""
    seconds = number("BENCH_SECONDS", 20)
    with _project.scratch() as scratch, _cgroup.bounded(POD) as group:
        store = _store.of_the_workspace(scratch / "store")
        pictures = _pictures.photographs(_pictures.drawn(scratch / "drawn", number("BENCH_DRAWN", 48), seed=1))
        attacks = [_attack_of(name, data) for name, data in _bombs.every().items()]
        batches = [_batch_of(name, data) for name, data in _bombs.every().items() if len(data) < _bombs.LARGEST // 32]
        heading(f"Bombs: {len(attacks)} kinds alone and {len(batches)} by 32, in a group of {POD // MEGABYTE} MB")
        ours = _contenders.ours(store)
        inside = "; ".join([*group.joined_by, 'exec "$@"'])
        with _servers.running(
            replace(ours, words=("sh", "-c", inside, "sh", *ours.words)), pictures, scratch / "s"
        ) as server:
            server.wait()
            figure("MB at rest", group.peak() / MEGABYTE)
            worst = _alone(server.port, [*attacks, *batches], group)
            at_most("seconds of processor for the costliest request", max(worst.values()), SECONDS)
            alone = _good(server, seconds)
            beside = _while_attacked(server, attacks, batches, seconds)
            figure("99 % of good answers in so many milliseconds, nobody else", alone * 1000)
            figure("99 % of good answers in so many milliseconds, one attacks", beside * 1000)
            at_most("99th percentile while attacked / without", beside / alone, SLOWER)
            at_most("memory at most / the pod's", group.peak() / POD, SHARE)
            at_most("processes ended by the kernel for want of memory", group.killed(), 0)


def _attack_of(name: str, data: bytes) -> Attack:
    return Attack(name, (_load.post("/predict", KINDS[data[:2]], data),))


def _batch_of(name: str, data: bytes) -> Attack:
    edge = b"irisline-bench-edge"
    head = b'--%s\r\nContent-Disposition: form-data; name="images"; filename="a"\r\n\r\n' % edge
    body = b"".join(head + data + b"\r\n" for _ in range(32)) + b"--%s--\r\n" % edge
    return Attack(
        f"32 x {name}", (_load.post("/predict_batch", f"multipart/form-data; boundary={edge.decode()}", body),)
    )


def _alone(port: int, attacks: list[Attack], group: _cgroup.Group) -> dict[str, float]:
    """Send each, print what it takes; return the seconds of processor of each."""
    taken = {}
    for attack in attacks:
        before = group.seconds()
        outcome = _attack.strike(port, attack)
        taken[attack.name] = group.seconds() - before
        came = f"{outcome.statuses or 'no answer'!s:<7}{taken[attack.name]:6.2f} s of processor  {_told(outcome.body)[:90]}"
        print(f"  {attack.name[:52]:<54}{came}", flush=True)
        if outcome.statuses not in ([200], [400], [503]):
            print(f"  FAULT: {attack.name}: {outcome.statuses}", flush=True)
    return taken


def _told(body: bytes) -> str:
    document = json.loads(body or b"{}")
    answers = document.get("answers", [document])
    return str((answers[-1].get("error") or answers[-1]).get("detail", "answered"))


def _good(server: _servers.Server, seconds: float) -> float:
    """Return the time in which 99 of 100 good pictures are answered; raise SystemExit when one is not."""
    answers = _load.run(server.port, server.requests, GOOD, _load.until(seconds))
    wrong = [one.status for one in answers if one.status != 200]
    at_most(f"of {len(answers)} good pictures, not answered", len(wrong), 0)
    return quantiles([one.seconds for one in answers], n=100)[98]


def _while_attacked(server: _servers.Server, attacks: list[Attack], batches: list[Attack], seconds: float) -> float:
    going = threading.Event()

    def attack(turn: int) -> int:
        sent = 0
        while not going.is_set():
            chosen = [*attacks, *batches]
            _attack.strike(server.port, chosen[(turn * 7 + sent) % len(chosen)], ATTACKER)
            sent += 1
        return sent

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        attacking = [pool.submit(attack, turn) for turn in range(CONNECTIONS)]
        try:
            found = _good(server, seconds)
        finally:
            going.set()
        print(
            f"  {sum(each.result() for each in attacking)} bombs in that time, from {CONNECTIONS} connections",
            flush=True,
        )
    return found


if __name__ == "__main__":
    main()
