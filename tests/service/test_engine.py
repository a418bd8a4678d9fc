"""The engine: nothing is lost, nothing waits for a batch to fill, and a batch is answered by one version."""

import asyncio
import gc
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from irisline.core.errors import Overloaded, UnreadableImage
from irisline.dataset.crops import View
from irisline.dataset.decoding import Cost
from irisline.dataset.untrusted_crops import Cropper, Limits
from irisline.dataset.untrusted_images import NeedsMore
from irisline.inference.runtime import Device, Outputs
from irisline.networks.bundle import Precision
from service.answering import Answer
from service.engine import MAX_EXPLANATIONS, Engine
from service.lanes import LONGEST_QUICK, QUICK, Account, Lane, Lanes
from service.live import Live
from service.settings import Settings
from tests.service.conftest import eventually, trusted_keys, turned, version_folder


class Held:
    """A runtime that answers only once it is let go, and keeps count."""

    device: Device = "cpu"
    precision: Precision = "float32"

    def __init__(self, live: Live) -> None:
        self.runtime, self.go, self.started = live.classifier.runtime, threading.Event(), threading.Event()
        self.batches: list[int] = []

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        self.started.set()
        assert self.go.wait(10)
        self.batches.append(len(pixels))
        return self.runtime.run(pixels)


@pytest.fixture
def live(served: Path) -> Live:
    return Live.load(served, Settings(device="cpu", trusted_keys=trusted_keys()))


@pytest.fixture
def held(live: Live) -> Held:
    """Hold the version's runtime back; the test lets it go."""
    made = live.classifier.runtime = Held(live)
    return made


def label(answer: Answer) -> str:
    assert not isinstance(answer.prediction, UnreadableImage)
    return answer.prediction.label


@contextmanager
def engine(live: Live, threads: int = 1, **changes: int) -> Iterator[Engine]:
    settings = Settings(**{"max_batch": 4, "max_queue": 6, **changes})
    made = Engine(live, Lanes.of(threads, settings), settings)
    yield made
    made.close()


def test_answers_come_in_the_order_of_the_pictures(live: Live, blue: bytes, brown: bytes) -> None:
    with engine(live, threads=2, max_queue=100) as made:
        answers = asyncio.run(made.answer([blue, b"no", brown] * 20))
    labels = ["-" if isinstance(one.prediction, UnreadableImage) else one.prediction.label for one in answers]
    assert labels == ["blue", "-", "brown"] * 20


def test_what_waits_goes_through_the_network_together(live: Live, held: Held, blue: bytes) -> None:
    async def question(made: Engine) -> None:
        first = asyncio.create_task(made.answer([blue]))
        await asyncio.to_thread(held.started.wait, 10)
        others = [asyncio.create_task(made.answer([blue])) for _ in range(6)]
        await asyncio.sleep(0.05)
        held.go.set()
        await asyncio.gather(first, *others)

    with engine(live) as made:
        asyncio.run(question(made))
    assert held.batches == [1, 4, 2]


def test_a_batch_grows_while_it_is_decoded_and_the_threads_share(
    live: Live, held: Held, blue: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.engine.LONGEST_BATCH", 60)  # decoding waits for this test
    decoding, go = list[bytes](), threading.Event()

    class Slow(Lane):
        """A quick lane that waits until it is let go."""

        def crop(self, classifier: Limits, picture: bytes, account: Account) -> list[View]:
            decoding.append(picture)
            assert go.wait(10)
            return super().crop(classifier, picture, account)

    async def question(made: Engine) -> None:
        first = [asyncio.create_task(made.answer([blue])) for _ in range(2)]
        assert await asyncio.to_thread(eventually, lambda: len(decoding) == 2)  # one in each thread
        others = [asyncio.create_task(made.answer([blue])) for _ in range(2)]
        await asyncio.sleep(0.05)
        go.set()
        assert await asyncio.to_thread(eventually, lambda: len(decoding) == 4)
        held.go.set()
        await asyncio.gather(*first, *others)

    settings = Settings(max_batch=4)
    made = Engine(
        live, Lanes([Slow(Cropper(QUICK), LONGEST_QUICK) for _ in range(2)], Lanes.of(2, settings).slow), settings
    )
    asyncio.run(question(made))
    made.close()
    assert held.batches == [2, 2]


def test_more_than_may_wait_is_sent_away_at_once_and_the_rest_is_answered(live: Live, held: Held, blue: bytes) -> None:
    async def question(made: Engine) -> list[Answer]:
        first = asyncio.create_task(made.answer([blue]))
        await asyncio.to_thread(held.started.wait, 10)
        waiting = [asyncio.create_task(made.answer([blue] * 3))]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="3 pictures wait already, the limit is 3"):
            await made.answer([blue] * 2)  # many leave room for those who send one
        waiting += [asyncio.create_task(made.answer([blue])) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="6 pictures wait already, the limit is 6"):
            await made.answer([blue])
        held.go.set()
        return [answer for task in (first, *waiting) for answer in await task]

    with engine(live) as made:
        assert len(asyncio.run(question(made))) == 7


def test_requests_take_turns_so_that_one_picture_does_not_wait_for_the_many_of_another(
    live: Live, held: Held, blue: bytes
) -> None:
    async def question(made: Engine) -> bool:
        first = asyncio.create_task(made.answer([blue]))
        await asyncio.to_thread(held.started.wait, 10)
        many, one = asyncio.create_task(made.answer([blue] * 6)), asyncio.create_task(made.answer([blue]))
        await asyncio.sleep(0)
        held.go.set()
        await one
        waits = not many.done()
        await asyncio.gather(first, many)
        return waits

    settings = Settings(max_batch=1, threads=1)
    made = Engine(live, Lanes.of(1, settings), settings)
    assert asyncio.run(question(made))
    made.close()
    assert held.batches == [1] * 8


def test_running_the_network_is_part_of_what_a_request_takes(live: Live, blue: bytes) -> None:
    with engine(live) as made:
        spent = []

        class Watched(Account):
            def spend(self, seconds: float) -> None:
                spent.append(seconds)
                super().spend(seconds)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("service.engine.Account", Watched)
            asyncio.run(made.answer([blue] * 3))
    assert len(spent) == 6  # three looked at, three through the network
    assert min(spent) >= 0


def test_explanations_have_a_limit_of_their_own(live: Live, held: Held, blue: bytes) -> None:
    async def question(made: Engine) -> None:
        asked = []
        for origin in ("greedy", "another"):
            asked += [asyncio.create_task(made.explain(blue, origin)) for _ in range(MAX_EXPLANATIONS // 2)]
            await asyncio.sleep(0)
            with pytest.raises(Overloaded, match=r"^4 explanations are asked for already, the limit is 4$"):
                await made.explain(blue, origin)
        with pytest.raises(Overloaded, match=r"^8 explanations are asked for already, the limit is 8$"):
            await made.explain(blue, "modest")
        held.go.set()
        assert all(answer.saliency for answer in await asyncio.gather(*asked))
        assert (await made.explain(blue, "greedy")).saliency

    with engine(live, max_queue=20) as made:
        asyncio.run(question(made))


def test_whoever_has_less_waiting_takes_the_room_of_whoever_has_most(live: Live, held: Held, blue: bytes) -> None:
    async def question(made: Engine) -> None:
        first = asyncio.create_task(made.answer([blue], "greedy"))
        await asyncio.to_thread(held.started.wait, 10)
        waiting = [asyncio.create_task(made.answer([blue], "greedy")) for _ in range(6)]
        await asyncio.sleep(0)
        made.check_room(False, "modest")
        modest = asyncio.create_task(made.answer([blue], "modest"))
        with pytest.raises(Overloaded, match="6 pictures wait already, the limit is 6"):
            await waiting[-1]  # the newest
        held.go.set()
        assert label((await modest)[0]) == "blue"
        assert len(await asyncio.gather(first, *waiting[:-1])) == 6

    with engine(live) as made:
        asyncio.run(question(made))


def test_a_large_picture_takes_the_room_of_whoever_has_most_of_them(live: Live, blue: bytes) -> None:
    go, begun = threading.Event(), threading.Event()

    class Quick(Lane):
        """A quick lane that leaves every picture to the slow ones, each of which might take a second."""

        def crop(self, classifier: Limits, picture: bytes, account: Account) -> list[View]:
            raise NeedsMore("large", 0.1, 1.0)

    class Slow(Lane):
        """A slow lane that waits until it is let go."""

        def crop_longer(self, classifier: Limits, picture: bytes, account: Account, reserved: float) -> list[View]:
            begun.set()
            assert go.wait(10)
            return super().crop_longer(classifier, picture, account, reserved)

    async def question(made: Engine) -> None:
        first = asyncio.create_task(made.answer([blue], "greedy"))
        await asyncio.to_thread(begun.wait, 10)
        waiting = [asyncio.create_task(made.answer([blue], "greedy")) for _ in range(12)]
        refused = 12 - 5  # five seconds of work wait
        assert await asyncio.to_thread(eventually, lambda: sum(task.done() for task in waiting) == refused)
        modest = asyncio.create_task(made.answer([blue], "modest"))
        assert await asyncio.to_thread(eventually, lambda: sum(task.done() for task in waiting) == refused + 1)
        go.set()
        assert label((await modest)[0]) == "blue"
        await asyncio.gather(first, *waiting, return_exceptions=True)

    settings = Settings(max_batch=1, threads=1, max_seconds=5)
    slow = Slow(Cropper(Cost(5, 2**28)), 5)
    made = Engine(live, Lanes([Quick(Cropper(QUICK), LONGEST_QUICK)], [slow]), settings)
    asyncio.run(question(made))
    made.close()


def test_a_version_takes_over_between_batches_and_answers_name_theirs(
    live: Live, held: Held, blue: bytes, tmp_path: Path
) -> None:
    second = Live.load(version_folder(tmp_path / "2", 2, turned()), Settings(device="cpu", trusted_keys=trusted_keys()))

    async def question(made: Engine) -> list[Answer]:
        first = asyncio.create_task(made.answer([blue]))
        await asyncio.to_thread(held.started.wait, 10)
        made.swap(second)
        after = asyncio.create_task(made.answer([blue]))
        held.go.set()
        return [*await first, *await after]

    with engine(live) as made:
        one, other = asyncio.run(question(made))
    assert (one.live.identity.version, label(one)) == (1, "blue")
    assert (other.live.identity.version, label(other)) == (2, "brown")


def test_it_tells_for_how_long_nothing_was_answered(live: Live, held: Held, blue: bytes) -> None:
    async def question(made: Engine) -> None:
        assert made.stalled_for == 0
        await asyncio.sleep(0.2)
        gone = asyncio.create_task(made.answer([blue]))
        await asyncio.to_thread(held.started.wait, 10)
        assert made.stalled_for < 0.2  # from when there was something to do
        gone.cancel()  # who has asked may go: the picture is at work all the same
        await asyncio.sleep(0.2)
        assert made.stalled_for >= 0.2
        held.go.set()
        await made.answer([blue])
        assert await asyncio.to_thread(eventually, lambda: made.stalled_for == 0)

    with engine(live) as made:
        asyncio.run(question(made))


def test_a_fault_reaches_whoever_asked_and_the_next_is_answered(live: Live, blue: bytes) -> None:
    sound = live.classifier.runtime

    class Faulty(Held):
        def run(self, pixels: NDArray[np.uint8]) -> Outputs:
            raise RuntimeError("a fault")

    with engine(live) as made:
        live.classifier.runtime = Faulty(live)
        with pytest.raises(RuntimeError, match="a fault"):
            asyncio.run(made.answer([blue]))
        live.classifier.runtime = sound
        assert label(asyncio.run(made.answer([blue]))[0]) == "blue"


def test_a_picture_that_is_refused_is_not_kept_for_the_garbage_collector(live: Live, blue: bytes) -> None:
    gc.collect()
    gc.disable()
    try:
        with engine(live) as running:
            asyncio.run(running.answer([blue[:100] + os.urandom(2000) for _ in range(8)]))
        assert not [one for one in gc.get_objects() if issubclass(type(one), UnreadableImage)]
    finally:
        gc.enable()


def test_a_request_that_is_sent_away_is_not_kept_for_the_garbage_collector(live: Live, held: Held, blue: bytes) -> None:
    async def question(made: Engine) -> None:
        async def sent_away(origin: str, count: int) -> bool:
            try:
                await made.answer([blue] * count, origin)
            except Overloaded:
                return True
            return False

        first = asyncio.create_task(sent_away("greedy", 1))
        await asyncio.to_thread(held.started.wait, 10)
        many = [asyncio.create_task(sent_away("greedy", 1)) for _ in range(5)]
        await asyncio.sleep(0)
        modest = asyncio.create_task(sent_away("modest", 1))
        assert [await task for task in many[3:]] == [True, True]
        held.go.set()
        assert [await task for task in (first, *many[:3], modest)] == [False] * 5

    gc.collect()
    gc.disable()
    try:
        with engine(live, max_queue=4) as running:
            asyncio.run(question(running))
        assert not [one for one in gc.get_objects() if issubclass(type(one), Overloaded)]
    finally:
        gc.enable()


def test_a_request_is_sent_away_before_its_body_is_read_when_too_many_wait(live: Live, held: Held, blue: bytes) -> None:
    async def asked() -> None:
        with engine(live, max_queue=4) as running:
            waiting = asyncio.ensure_future(running.answer([blue] * 8))  # alone it may be as long
            assert await asyncio.to_thread(eventually, lambda: held.started.is_set() and running.waiting >= 3)
            with pytest.raises(Overloaded, match="pictures wait already, the limit is 2"):
                running.check_room(many=True)
            waiting.cancel()
            await asyncio.sleep(0.1)
            running.check_room(many=True)  # who has gone takes no room
            held.go.set()

    asyncio.run(asked())


def test_of_a_batch_that_is_refused_nothing_more_is_looked_at(live: Live, held: Held, blue: bytes) -> None:
    class Full(Lane):
        """A quick lane that has no room for one picture."""

        def crop(self, classifier: Limits, picture: bytes, account: Account) -> list[View]:
            if picture == b"no room":
                raise Overloaded("8 large pictures wait already; send smaller ones")
            return super().crop(classifier, picture, account)

    settings = Settings(max_batch=1, threads=1)
    made = Engine(live, Lanes([Full(Cropper(QUICK), LONGEST_QUICK)], Lanes.of(1, settings).slow), settings)
    held.go.set()
    with pytest.raises(Overloaded):
        asyncio.run(made.answer([b"no room", *[blue] * 20]))
    asyncio.run(made.answer([blue]))
    made.close()
    assert sum(held.batches) <= 2


def test_it_closes_though_one_that_has_gone_still_waits(live: Live, held: Held, blue: bytes) -> None:
    async def question(made: Engine) -> None:
        first = asyncio.create_task(made.answer([blue]))
        await asyncio.to_thread(held.started.wait, 10)
        gone = asyncio.create_task(made.answer([blue]))
        await asyncio.sleep(0)
        gone.cancel()
        closing = asyncio.create_task(asyncio.to_thread(made.close))
        await asyncio.sleep(0.1)
        held.go.set()
        await asyncio.gather(first, closing)

    asyncio.run(asyncio.wait_for(question(Engine(live, Lanes.of(1, Settings()), Settings())), 30))


def test_ordinary_pictures_are_answered_however_many_come_at_once(live: Live, blue: bytes) -> None:
    settings = Settings(threads=2)
    lanes = Lanes.of(2, settings)
    most = Cost(settings.max_seconds, settings.max_decode_bytes)
    strict = [Lane(Cropper(Cost(QUICK.seconds, 1), ceiling=most), LONGEST_QUICK) for _ in range(2)]  # all is too much
    made = Engine(live, Lanes(strict, lanes.slow), settings)

    async def question() -> list[list[Answer]]:
        return await asyncio.gather(*(made.answer([blue]) for _ in range(24)))

    answers = asyncio.run(question())
    made.close()
    assert [str(one.prediction) for (one,) in answers if isinstance(one.prediction, Exception)] == []


def test_those_who_have_gone_are_passed_over(live: Live, held: Held, blue: bytes) -> None:
    async def question(made: Engine) -> Answer:
        first = asyncio.create_task(made.answer([blue]))
        await asyncio.to_thread(held.started.wait, 10)
        gone = asyncio.create_task(made.answer([blue] * 5))
        await asyncio.sleep(0)
        gone.cancel()
        first.cancel()
        held.go.set()
        return (await made.answer([blue]))[0]

    with engine(live) as made:
        assert label(asyncio.run(question(made))) == "blue"
    assert sum(held.batches) == 2  # the five that were waited for by nobody never reached the network


def test_the_old_version_is_dropped_once_nothing_needs_it(served: Path, live: Live, blue: bytes) -> None:
    with engine(live, threads=2) as made:
        made.swap(Live.load(served, Settings(device="cpu", trusted_keys=trusted_keys())))
        asyncio.run(made.answer([blue] * 8))
        runtime = weakref.ref(made.live.classifier.runtime)
        made.swap(live)
        assert eventually(lambda: runtime() is None, within=2)
