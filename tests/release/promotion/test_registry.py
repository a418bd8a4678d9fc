"""Promotion by evidence, rollback with the same proof, and what is left when either is cut off."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from irisline.core import paths
from irisline.core.errors import Busy, GateRefused, NotFound, ReleaseError
from irisline.core.params import Params
from irisline.networks import bundle
from irisline.release.promotion import initial_weights, journal, registry
from irisline.release.publishing import publishing, version_signature
from irisline.release.tracking import registry_lock, store, versions
from tests.inference import test_proof
from tests.release.conftest import Train

Move = Callable[[Params, int], registry.Outcome]
RIGHT, ALSO_RIGHT, WRONG = 0.05, 0.06, -0.05


def aliases() -> dict[str, int]:
    return versions.aliases_of(store.client(), "eye-colour")


def states(settings: Params) -> list[str]:
    return [entry.state for entry in registry.history(settings)[0]]


def note_live(number: int) -> None:
    """Write into the journal that a version was live once."""
    client, change = store.client(), journal.Change("promote", None, number, None, "-", (), "0")
    journal.end(client, journal.begin(client, "eye-colour", change), happened=True)


def stored_bundle(number: int) -> Path:
    source = store.client().get_model_version("eye-colour", str(number)).source.removeprefix("models:/")
    return next(Path("mlartifacts").rglob(f"{source}/artifacts/artifacts/bundle"))


def test_the_challenger_becomes_champion_and_the_journal_says_so(published: Params) -> None:
    outcome = registry.promote(published, reason="first")
    assert (outcome.before, outcome.after) == (None, 2)
    assert "✓ golden: 2 of 2 pictures answered as when version 2 was registered" in outcome.gate
    assert aliases() == {"champion": 2}
    entries, champion = registry.history(published)
    assert champion == 2
    assert [(entry.state, entry.who, entry.change.why) for entry in entries] == [("done", "ada@bench", "first")]


def test_promotions_and_rollbacks_move_previous_along(published: Params) -> None:
    registry.promote(published, 1)
    registry.promote(published, 2)
    assert aliases() == {"champion": 2, "previous": 1}
    assert registry.rollback(published, reason="complaints").after == 1
    assert aliases() == {"champion": 1, "previous": 2}
    registry.rollback(published, 2)
    changes = [entry.change for entry in registry.history(published)[0]]
    assert [(change.action, change.before, change.after) for change in changes] == [
        ("rollback", 1, 2),
        ("rollback", 2, 1),
        ("promote", 1, 2),
        ("promote", None, 1),
    ]


def test_without_a_number_a_candidate_that_flips_more_than_the_champion_stays_out(
    train: Train, settings: Params
) -> None:
    by_itself = settings.model_copy(update={"gate": settings.gate.model_copy(update={"max_flip_rate": "auto"})})
    for weight, flips in ((0.05, 0.0), (0.06, 1.0)):
        train(weight)
        file = paths.EVALUATE_REPORT / "metrics.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"flips_mirror": flips}))
        publishing.publish(settings)
    registry.promote(by_itself, 1)
    with pytest.raises(
        GateRefused, match=r"^eye-colour version 2 stays out: champion_flips_mirror_low: 0\.67\d+ is above "
    ):
        registry.promote(by_itself, 2)
    assert registry.promote(settings, 2).changed


def test_promoting_the_champion_changes_nothing(published: Params) -> None:
    registry.promote(published, 2)
    assert not registry.promote(published, 2).changed
    assert not registry.promote(published).changed
    assert len(states(published)) == 1


def test_a_version_beyond_the_limits_is_refused_unless_forced_with_a_reason(train: Train, settings: Params) -> None:
    train(error_rate=0.45)
    publishing.publish(settings)
    with pytest.raises(
        GateRefused,
        match=r"version 1 stays out: error_rate: 0\.45 is above 0\.3 \(gate\.max_error_rate\): train longer",
    ):
        registry.promote(settings)
    assert aliases() == {"challenger": 1}
    with pytest.raises(ReleaseError, match=r'needs --reason "why"'):
        registry.promote(settings, force=True)
    registry.promote(settings, reason="the fair is tomorrow", force=True)
    change = registry.history(settings)[0][0].change
    assert (change.action, change.why) == ("promote (forced)", "the fair is tomorrow")
    assert change.verdict.startswith("✗ error_rate: 0.45 is above 0.3 (gate.max_error_rate)")


def test_a_version_worse_than_the_champion_on_the_same_pictures_is_refused(train: Train, settings: Params) -> None:
    for weight in (RIGHT, WRONG):
        train(weight=weight)
        publishing.publish(settings)
        if weight == RIGHT:
            registry.promote(settings)
    with pytest.raises(
        GateRefused, match=r"champion: 100\.0% wrong against the champion's 0\.0% on the same 8 pictures"
    ):
        registry.promote(settings)
    assert aliases()["champion"] == 1


def test_without_test_pictures_the_comparison_says_what_to_type(published: Params) -> None:
    registry.promote(published, 1)
    shutil.rmtree(paths.ACCEPTED)
    with pytest.raises(
        GateRefused, match=r"cannot be compared with: artifacts/validate: no shards here; type dvc repro"
    ):
        registry.promote(published, 2)


@pytest.mark.parametrize("move", [registry.promote, registry.rollback])
def test_tampered_files_are_refused(move: Move, train: Train, settings: Params) -> None:
    train()
    publishing.publish(settings)
    note_live(1)
    with (stored_bundle(1) / "model.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ReleaseError, match=r"version 1: the stored files are not those that were published \(digest"):
        move(settings, 1)
    assert "champion" not in aliases()
    assert states(settings) == ["done"]


@pytest.mark.parametrize("move", [registry.promote, registry.rollback])
def test_missing_files_are_refused(move: Move, train: Train, settings: Params) -> None:
    train()
    publishing.publish(settings)
    note_live(1)
    shutil.rmtree(stored_bundle(1))
    with pytest.raises(NotFound, match="version 1: its files are not in the store"):
        move(settings, 1)


def test_other_answers_to_the_golden_set_are_refused(train: Train, settings: Params) -> None:
    train()
    file = paths.CALIBRATED / "golden" / "answers.json"
    answers = json.loads(file.read_text())
    answers[0]["probabilities"] = {"blue": 0.4, "brown": 0.6}
    file.write_text(json.dumps(answers))
    publishing.publish(settings)
    with pytest.raises(
        ReleaseError, match=r"answers 0001\.jpg of its golden set differently .* \(by 0\.6, limit 0\.0001\)"
    ):
        registry.promote(settings, force=True, reason="try")
    assert "champion" not in aliases()


def test_what_does_not_exist_is_named(project: Path, train: Train, settings: Params) -> None:
    with pytest.raises(NotFound, match="eye-colour has no version to promote; type make repro"):
        registry.promote(settings)
    train()
    publishing.publish(settings)
    with pytest.raises(NotFound, match="eye-colour has no version 7; irisline versions shows those it has"):
        registry.promote(settings, 7)
    with pytest.raises(NotFound, match="no previous version; name one: irisline rollback --to V"):
        registry.rollback(settings)
    with pytest.raises(NotFound, match="no champion yet"):
        registry.classifier(settings)


def test_a_promotion_under_way_elsewhere_is_a_clear_error(published: Params) -> None:
    with (
        registry_lock.held(store.client(), "eye-colour.lock", "promote 2"),
        pytest.raises(Busy, match=r"ada@bench is at it \(promote 2, since \d\d:\d\d:\d\d UTC\); let it end"),
    ):
        registry.promote(published, 1)
    assert states(published) == []


def test_a_champion_that_changed_while_measuring_is_a_clear_error(published: Params) -> None:
    registry.promote(published, 1)
    measured_without_champion: tuple[Any, ...] = (registry.find(published, 2), None, "-", [])
    with pytest.raises(Busy, match="the champion changed from None to 1 while version 2 was being measured"):
        registry._move(store.client(), "eye-colour", "promote", *measured_without_champion)
    assert aliases()["champion"] == 1


def test_a_rollback_that_was_done_meanwhile_is_not_undone(published: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    registry.promote(published, 1)
    point = registry._point

    def asleep(client: Any, model: str, alias: str, number: int | None) -> None:
        """Stand for a process that sleeps before it moves the champion, while another takes over and rolls back."""
        if alias == "champion":
            monkeypatch.setattr(registry, "_point", point)
            store.client().delete_registered_model("eye-colour.lock")
            registry.promote(published, 2, reason="quicker")
            registry.rollback(published, 1, reason="complaints")
        point(client, model, alias, number)

    monkeypatch.setattr(registry, "_point", asleep)
    with pytest.raises(
        Busy, match=r"^promote 2: its lock eye-colour\.lock was taken over, .*; look at irisline history"
    ):
        registry.promote(published, 2)
    assert aliases() == {"champion": 1, "previous": 2}
    assert states(published) == ["done", "done", "cut off", "done"]


def test_live_at_names_the_champion_of_a_time(published: Params) -> None:
    registry.promote(published, 1)
    registry.promote(published, 2)
    newer, older = registry.history(published)[0]
    assert registry.live_at(published, older.when.isoformat()).change.after == 1
    assert registry.live_at(published, newer.when.isoformat()).change.after == 2
    assert registry.live_at(published, "2999-01-01").change.after == 2
    with pytest.raises(NotFound, match=r"no version was live at 2001-01-01T00:00:00\+00:00"):
        registry.live_at(published, "2001-01-01")
    with pytest.raises(ReleaseError, match="yesterday: not a time; write it as"):
        registry.live_at(published, "yesterday")


def test_only_the_versions_fetched_last_are_kept(published: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "_KEPT_COUNT", 1)
    registry.promote(published, 1)
    registry.promote(published, 2)
    assert [folder.name for folder in versions._KEPT.iterdir()] == [registry.find(published, 1).digest]


def test_a_fetched_version_that_was_damaged_is_fetched_again(published: Params) -> None:
    folder = versions.fetch(store.client(), "eye-colour", registry.find(published, 1))
    whole = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(b"")
    versions.fetch(store.client(), "eye-colour", registry.find(published, 1))
    assert (folder / "model.onnx").read_bytes() == whole


def test_initial_weights_of_a_version_are_a_file(published: Params) -> None:
    train = published.train.model_copy(update={"init": "registry:1"})
    init = initial_weights.initial(published.model_copy(update={"train": train}))
    assert Path(init.removeprefix("file:")).read_bytes() == b"weights 0.05 0.0"
    assert initial_weights.initial(published) == "scratch"


def spoil(number: int, network: onnx.ModelProto, settings: Params) -> None:
    """Put another network into a stored version, its digest and a trusted signature with it."""
    bundle_folder = stored_bundle(number)
    (bundle_folder / "model.onnx").write_bytes(network.SerializeToString())
    digest, client = bundle.digest(bundle_folder), store.client()
    client.set_model_version_tag("eye-colour", str(number), versions.DIGEST, digest)
    tags = versions.get(client, "eye-colour", number).tags
    version_signature.seal(client, "eye-colour", number, bundle.files(bundle_folder), tags)


@pytest.fixture
def hostile(train: Train, settings: Params) -> Params:
    """Return the params of a project with two versions, both live once; the network of the second never ends."""
    for weight in (RIGHT, ALSO_RIGHT):
        train(weight=weight)
        publishing.publish(settings)
    note_live(1)
    note_live(2)
    spoil(2, test_proof.loop(), settings)
    return settings


@pytest.mark.parametrize("move", [registry.promote, registry.rollback, registry.classifier, registry.proven])
def test_a_version_that_never_ends_is_refused_and_never_run(move: Move, hostile: Params) -> None:
    with pytest.raises(
        ReleaseError, match=r"^eye-colour version 2: .*the operator Loop is none of an exported classifier"
    ):
        move(hostile, 2)
    assert "champion" not in aliases()
    with pytest.raises(ReleaseError, match="the operator Loop"):
        registry.promote(hostile, 2, reason="now", force=True)


def test_a_champion_that_never_ends_is_left_by_rollback_and_by_force(hostile: Params) -> None:
    store.client().set_registered_model_alias("eye-colour", "champion", "2")
    message = r"stays out: champion: cannot be compared with: eye-colour version 2: .*the operator Loop is none"
    with pytest.raises(GateRefused, match=message):
        registry.promote(hostile, 1)
    assert registry.rollback(hostile, 1).after == 1
    store.client().set_registered_model_alias("eye-colour", "champion", "2")
    assert registry.promote(hostile, 1, reason="the other never ends", force=True).after == 1


KILLED = """
import os, signal, sys
from irisline.core import params, paths
from irisline.release.promotion import journal, registry
calls = [0]
def die(*arguments, **named): os.kill(os.getpid(), signal.SIGKILL)
point = registry._point
def die_at_second(*arguments):
    calls[0] += 1
    die() if calls[0] == 2 else point(*arguments)
step = sys.argv[1]
if step == "before the aliases": registry._set_aliases = die
if step == "between the aliases": registry._point = die_at_second
if step == "before the entry ends": journal.end = die
registry.promote(params.read(paths.PARAMS), 2)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "happened"),
    [("before the aliases", False), ("between the aliases", False), ("before the entry ends", True)],
)
def test_a_promotion_that_was_killed_is_settled_by_the_next(step: str, happened: bool, published: Params) -> None:
    registry.promote(published, 1)
    killed = subprocess.run([sys.executable, "-c", KILLED, step], env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert registry.live_at(published, "2999-01-01").change.after == (2 if happened else 1)
    registry.rollback(published, 1) if happened else registry.promote(published, 2)
    assert registry.history(published)[0][0].change.previous == (1 if happened else None)
    assert states(published) == (["done", "done", "done"] if happened else ["done", "cut off", "done"])
    assert aliases() == ({"champion": 1, "previous": 2} if happened else {"champion": 2, "previous": 1})


PROMOTING = """
import sys
from irisline.core import params, paths
from irisline.core.errors import Busy
from irisline.release.promotion import registry
from irisline.release.tracking import store
settings = params.read(paths.PARAMS)
store.client().search_experiments()
print("ready", flush=True)
sys.stdin.readline()
try:
    registry.promote(settings, int(sys.argv[1]))
except Busy as error:
    print(error)
    sys.exit(1)
"""


@pytest.mark.slow
def test_of_two_promotions_at_once_one_wins_and_the_journal_is_consistent(published: Params) -> None:
    two = [
        subprocess.Popen(
            [sys.executable, "-c", PROMOTING, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for number in (1, 2)
    ]
    for process in two:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in two:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0] for process in two]
    codes = [process.returncode for process in two]
    assert sorted(codes) == [0, 1], said
    assert any(sign in said[codes.index(1)] for sign in ("is at it (promote", "the champion changed from None to"))
    entries, champion = registry.history(published)
    assert champion == codes.index(0) + 1
    assert [(entry.state, entry.change.after) for entry in entries] == [("done", champion)]
    assert store.client().search_registered_models("name = 'eye-colour.lock'") == []


def test_an_alias_moved_by_other_means_shows(published: Params) -> None:
    registry.promote(published, 1)
    store.client().set_registered_model_alias("eye-colour", "champion", "2")
    entries, champion = registry.history(published)
    assert (champion, entries[0].change.after) == (2, 1)


def test_journal_pages_are_all_read(published: Params, monkeypatch: pytest.MonkeyPatch) -> None:
    client = store.client()
    for _ in range(3):
        note_live(1)
    whole: Any = type(client).search_runs
    monkeypatch.setattr(type(client), "search_runs", lambda *given, **named: whole(*given, **named, max_results=2))
    assert len(journal.entries(client, "eye-colour")) == 3
