"""Training is keyed by the seed, and a training cut off and resumed is the training that was never cut off."""

import re
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from fastai.callback.core import Callback

from irisline.core import seeding
from irisline.core.errors import IrislineError, ModelError
from irisline.core.params import Train
from irisline.networks import architectures
from irisline.training import learner, schedule
from irisline.training.history import COLUMNS, Epoch
from irisline.training.learner import Progress, Watch
from irisline.training.samples import Samples
from tests import planted

pytestmark = pytest.mark.usefixtures("one_thread")

PIXELS = torch.from_numpy(seeding.generator("pixels").integers(0, 256, (18, 3, 32, 32), dtype="uint8"))
CLASSES = torch.tensor([0] * 12 + [1] * 6)
TRAINING = Samples(torch.where(CLASSES.bool()[:, None, None, None], PIXELS // 2, PIXELS), CLASSES)


def coloured(key: str) -> Samples:
    """Return 72 noisy pictures, red or blue by class: too easy for rounding, threads or a seed to spoil."""
    classes = torch.arange(72) % 2
    pixels = torch.from_numpy(seeding.generator("coloured", key).integers(0, 64, (72, 3, 32, 32), dtype="uint8"))
    pixels[torch.arange(72), 2 * classes] += 150
    return Samples(pixels, classes)


class PowerCut(Exception):
    pass


def recipe(**changes: object) -> Train:
    small = {"epochs": 2, "batch_size": 6, "device": "cpu", "arch": "mobilenet_v3_small"}
    return planted.settings().train.model_copy(update=small | changes)


def train(
    file: Path, recipe: Train, cut_after: int = 0, on_batch: Callable[[int], None] = print
) -> architectures.Network:
    """Train from where the file stands; raise PowerCut once so many epochs are remembered."""
    progress = Progress.resume(file)

    def on_epoch(_: Epoch) -> None:
        if len(progress.history) == cut_after:
            raise PowerCut("now")

    built = architectures.build(recipe.arch, 2, "scratch", 1)
    watch = Watch(on_batch, on_epoch, progress)
    learner.fit(built, TRAINING, TRAINING, recipe, 1, progress, [watch])
    return built


def weights(built: architectures.Network) -> dict[str, torch.Tensor]:
    return built.state_dict()


def same(one: architectures.Network, other: architectures.Network) -> bool:
    return all(torch.equal(tensor, weights(other)[name]) for name, tensor in weights(one).items())


def told(file: Path) -> list[Epoch]:
    """Return the remembered history without the speed, which no two runs share."""
    return [{name: row[name] for name in COLUMNS[:-1]} for row in Progress.resume(file).history]


@pytest.mark.slow
@pytest.mark.parametrize(("schedule", "epochs"), [("one_cycle", 2), ("fine_tune", 3)])
def test_a_training_is_repeatable_and_goes_on_after_any_epoch_as_if_never_cut(
    tmp_path: Path, schedule: str, epochs: int
) -> None:
    recipe_ = recipe(schedule=schedule)
    whole = train(tmp_path / "whole.pt", recipe_)
    assert same(whole, train(tmp_path / "again.pt", recipe_))
    assert not same(whole, architectures.build(recipe_.arch, 2, "scratch", 1))
    for cut in range(1, epochs):
        file = tmp_path / f"cut-{cut}.pt"
        with pytest.raises(PowerCut):
            train(file, recipe_, cut_after=cut)
        assert len(told(file)) == cut
        assert same(whole, train(file, recipe_))
        assert told(file) == told(tmp_path / "whole.pt")
    assert [row["epoch"] for row in told(tmp_path / "whole.pt")] == list(range(1, epochs + 1))


@pytest.mark.slow
def test_a_training_that_is_done_trains_no_more_and_gives_its_weights(tmp_path: Path) -> None:
    seen: list[int] = []
    first = train(tmp_path / "one.pt", recipe(), on_batch=seen.append)
    assert sum(seen) == 2 * len(TRAINING)
    second = train(tmp_path / "one.pt", recipe(), on_batch=seen.append)
    assert sum(seen) == 2 * len(TRAINING)
    assert same(first, second)


@pytest.mark.slow
def test_history_has_its_columns_and_learns_what_is_easy(tmp_path: Path) -> None:
    easy = recipe(epochs=4, batch_size=12, arch="resnet18")
    built = architectures.build(easy.arch, 2, "scratch", 1)
    history = learner.fit(built, coloured("train"), coloured("valid"), easy, 1, Progress(tmp_path / "one.pt"))
    assert all(tuple(row) == COLUMNS for row in history)
    assert all(isinstance(value, float) for row in history for value in row.values())
    assert history[-1]["error_rate"] <= 0.1
    assert history[-1]["valid_loss"] <= 0.3  # 0.69 knows nothing
    assert history[0]["images_per_second"] > 0
    assert max(row["learning_rate"] for row in history) <= easy.learning_rate


@pytest.mark.slow
def test_fine_tune_leaves_the_body_asleep_for_one_epoch(tmp_path: Path) -> None:
    file = tmp_path / "one.pt"
    with pytest.raises(PowerCut):
        train(file, recipe(schedule="fine_tune", arch="resnet18"), cut_after=1)
    before, after = architectures.build("resnet18", 2, "scratch", 1), Progress.resume(file).weights
    assert after is not None
    moved = {name for name, tensor in before.named_parameters() if not torch.equal(tensor, after[name])}
    still = {name for name, _ in before.named_parameters()} - moved
    assert {"body.fc.weight", "body.fc.bias"} <= moved
    assert "body.conv1.weight" in still
    assert all(
        "bn" in name or "downsample.1" in name or "fc" in name for name in moved
    )  # fastai keeps normalisation awake


@pytest.mark.slow
def test_an_architecture_without_a_linear_head_trains_in_one_cycle(tmp_path: Path) -> None:
    train(tmp_path / "one.pt", recipe(arch="squeezenet1_1", epochs=1))
    with pytest.raises(ModelError, match="fine_tune needs a linear head"):
        train(tmp_path / "two.pt", recipe(arch="squeezenet1_1", schedule="fine_tune"))


def test_classes_are_weighed_by_the_inverse_of_their_frequency() -> None:
    weighed, plain = (learner._weights(TRAINING, recipe(class_weights=on)).tolist() for on in (True, False))
    assert weighed == pytest.approx([0.75, 1.5])
    assert plain == [1.0, 1.0]


def test_the_schedules() -> None:
    (only,) = schedule.phases(recipe(epochs=5, learning_rate=0.01), 60)
    assert (only.epochs, only.asleep, only.learning_rate, only.slower) == (5, 0, 0.01, 1)
    head, later, whole = schedule.phases(recipe(epochs=5, learning_rate=0.01, schedule="fine_tune"), 60)
    assert (head.epochs, head.asleep, head.learning_rate, head.slower) == (1, 2, 0.01, 1)
    assert (later.epochs, later.asleep, later.learning_rate, later.slower) == (1, 1, 0.005, 100)
    assert (whole.epochs, whole.asleep, whole.learning_rate, whole.slower) == (4, 0, 0.005, 100)
    assert [phase.asleep for phase in schedule.phases(recipe(epochs=1, schedule="fine_tune"), 60)] == [2, 0]


@pytest.mark.slow
def test_fine_tune_wakes_the_body_by_halves_and_the_early_layers_learn_slowest(tmp_path: Path) -> None:
    built, rates, moved = architectures.build("resnet18", 2, "scratch", 1), [], []
    first = built.body.get_submodule("conv1").get_parameter("weight")
    before = first.detach().clone()

    class Look(Callback):
        def after_step(self) -> None:
            rates.append([group["lr"] for group in self.learn.opt.hypers])

        def after_epoch(self) -> None:
            moved.append(not torch.equal(first, before))

    progress = Progress(tmp_path / "one.pt")
    learner.fit(
        built, TRAINING, TRAINING, recipe(schedule="fine_tune", epochs=2, arch="resnet18"), 1, progress, [Look()]
    )
    assert moved == [False, False, True]
    early, later, head = rates[-1]
    assert (later / early, head / later) == pytest.approx((10, 10))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schedule", "init", "kept"),
    [
        ("one_cycle", "file:weights", False),
        ("fine_tune", "file:weights", True),
        ("fine_tune", "scratch", False),
        ("auto", "file:weights", True),
        ("auto", "scratch", False),
    ],
)
def test_fine_tune_keeps_the_statistics_that_trained_weights_came_with(
    tmp_path: Path, schedule: str, init: str, kept: bool
) -> None:
    before = weights(architectures.build("mobilenet_v3_small", 2, "scratch", 1))
    after = weights(train(tmp_path / "one.pt", recipe(schedule=schedule, init=init, epochs=1)))
    same_ = [
        torch.equal(before[name], after[name]) for name in before if name.endswith(("running_mean", "running_var"))
    ]
    assert set(same_) == {kept}


def test_auto_fine_tunes_where_there_are_weights_to_start_from() -> None:
    for init, alike in (("scratch", "one_cycle"), ("rendered", "fine_tune"), ("registry:3", "fine_tune")):
        auto, named = (schedule.phases(recipe(schedule=each, init=init), 60) for each in ("auto", alike))
        assert auto == named


def test_auto_epochs_are_fewer_the_more_pictures_there_are_and_bounded() -> None:
    auto = recipe(epochs="auto")
    counted = [schedule.epochs(auto, pictures) for pictures in (1, 500, 2100, 10**6)]
    assert counted == [schedule.MOST, round(schedule.VIEWS / 500), round(schedule.VIEWS / 2100), schedule.FEWEST]
    assert schedule.epochs(recipe(epochs=3), 1) == 3


@pytest.mark.slow
def test_auto_epochs_go_on_while_nothing_is_learnt_and_the_same_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "MOST", 1)
    noise = Samples(torch.randint(256, TRAINING.pixels.shape, dtype=torch.uint8), TRAINING.classes)
    slow = recipe(epochs="auto", learning_rate=1e-9)
    whole, cut = Progress(tmp_path / "whole.pt"), Progress(tmp_path / "cut.pt")

    def built() -> architectures.Network:
        return architectures.build("mobilenet_v3_small", 2, "scratch", 1)

    learner.fit(built(), noise, noise, slow, 1, whole)
    assert len(whole.history) == schedule.CYCLES

    class Kill(Callback):
        def before_epoch(self) -> None:
            if len(cut.history) == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learner.fit(built(), noise, noise, slow, 1, cut, [Kill()])
    resumed = Progress.resume(cut.file)
    learner.fit(built(), noise, noise, slow, 1, resumed)
    assert [row["train_loss"] for row in resumed.history] == [row["train_loss"] for row in whole.history]
    assert not schedule.goes_on(slow, [{"train_loss": 0.3}], 2)
    assert not schedule.goes_on(recipe(epochs=1), whole.history, 2)


def test_a_cuda_device_that_is_not_there_is_one_line() -> None:
    if torch.cuda.is_available():
        assert learner.device_of("auto").type == "cuda"
        pytest.skip("a CUDA device is here")
    assert learner.device_of("auto").type == learner.device_of("cpu").type == "cpu"
    with pytest.raises(ModelError, match=r"train.device: no CUDA device here; set it to auto or cpu$"):
        learner.device_of("cuda")


@pytest.mark.gpu
@pytest.mark.slow
def test_a_training_on_cuda_goes_on_after_a_cut(tmp_path: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    with pytest.raises(PowerCut):
        train(tmp_path / "one.pt", recipe(device="cuda", arch="resnet18"), cut_after=1)
    train(tmp_path / "one.pt", recipe(device="cuda", arch="resnet18"))
    assert len(told(tmp_path / "one.pt")) == 2


def test_a_training_that_diverges_names_the_param(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"^params.yaml: train.learning_rate: the loss of epoch \d is not a number"):
        train(tmp_path / "progress.pt", recipe(learning_rate=1e12, epochs=3))


def test_no_room_for_the_progress_is_one_line(tmp_path: Path) -> None:
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limit[1]))
    try:
        with pytest.raises(IrislineError, match=r"progress.pt: File too large; a limit on the size of files"):
            train(tmp_path / "progress.pt", recipe())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)
    assert not list(tmp_path.glob("*partial"))


@pytest.mark.parametrize("spoilt", [b"", b"PK\x03\x04", b"weights", b"\x80\x02}."])
def test_progress_that_was_damaged_is_begun_anew(
    spoilt: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "progress.pt").write_bytes(spoilt)
    begun = Progress.resume(tmp_path / "progress.pt")
    assert (begun.history, begun.weights) == ([], None)
    assert re.fullmatch(r".*progress\.pt: cannot be read \([^\n]*\); training begins anew\n", capsys.readouterr().err)
