"""What a kill leaves of DVC's own files is set aside before DVC reads it; what is whole, in conflict or being written stays."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from dvc.dvcfile import Lockfile, SingleStageFile
from dvc.repo import Repo

from irisline.core import recovery
from irisline.core.recovery import ASIDE, AT_WORK, EXPERIMENTS, HELD, LOCK, PIN

STAGE = """\
    cmd: python -m pipelines.collect
    deps:
    - path: data
      hash: md5
      md5: 0123456789abcdef0123456789abcdef.dir
      size: 7
      nfiles: 1
    params:
      params.yaml:
        collect:
          max_side: 640
    outs:
    - path: artifacts/collect
      hash: md5
      md5: fedcba9876543210fedcba9876543210.dir
      size: 9
      nfiles: 2
"""
WHOLE = {
    AT_WORK: '{"read": {}, "write": {"data \\ud83d\\udc41": {"pid": 1, "cmd": "dvc add"}}}',
    LOCK: f"schema: '2.0'\nstages:\n  collect:\n{STAGE}",
    PIN: "outs:\n- md5: 0123456789abcdef0123456789abcdef.dir\n  size: 7\n  nfiles: 1\n  hash: md5\n  path: data\n",
}


@pytest.fixture
def repository(project: Path) -> Path:
    """Return a project under git and DVC whose files are whole and, but for DVC's list of who is at work, committed."""
    for words in (["git", "init", "--quiet"], ["dvc", "init", "--quiet"]):
        subprocess.run(words, check=True)
    for file, text in WHOLE.items():
        file.write_text(text)
    own = ("-c", "user.name=A Stranger", "-c", "user.email=stranger@example.org")
    subprocess.run(["git", "add", str(LOCK), str(PIN)], check=True)
    subprocess.run(["git", *own, "commit", "--quiet", "--message=whole"], check=True)
    return project


def kept() -> dict[str, str]:
    """Return what was set aside."""
    return {file.name: file.read_text() for file in ASIDE.iterdir()} if ASIDE.is_dir() else {}


def test_what_is_whole_stays_as_it_is(repository: Path) -> None:
    changed = {LOCK: WHOLE[LOCK] + f"  train:\n{STAGE}", PIN: WHOLE[PIN].replace("size: 7", "size: 8"), AT_WORK: "{}"}
    for file, text in changed.items():
        file.write_text(text)
    assert recovery.recover() == []
    assert {file: file.read_text() for file in WHOLE} == changed


@pytest.mark.parametrize(
    "text",
    [WHOLE[LOCK].replace("fedcba9876543210fedcba9876543210.dir", "''"), WHOLE[LOCK].replace("max_side", "on"),
     "schema: '2.0'\n"],
    ids=["no digest", "a name that is true in old YAML", "no stages"],
)  # fmt: skip
def test_what_dvc_reads_stays(repository: Path, text: str) -> None:
    LOCK.write_text(text)
    assert recovery.recover() == []
    assert LOCK.read_text() == text


@pytest.mark.parametrize("file", [LOCK, PIN], ids=str)
def test_a_conflict_is_left_to_a_person(repository: Path, file: Path) -> None:
    conflict = f"<<<<<<< HEAD\n{WHOLE[file]}=======\n{WHOLE[file]}>>>>>>> theirs\n"
    file.write_text(conflict)
    assert recovery.recover() == []
    assert file.read_text() == conflict


@pytest.mark.parametrize("file", [LOCK, PIN], ids=str)
def test_what_is_torn_is_kept_and_work_goes_on_with_the_last_commits(
    repository: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(WHOLE[file][:40])
    assert recovery.recover() == [file]
    assert file.read_text() == WHOLE[file]
    assert kept() == {file.name: WHOLE[file][:40]}
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith(
        f"{file}: torn, as by a kill; it lies in .dvc/tmp/torn now, and work goes on with the last commit's; "
    )
    assert recovery.recover() == []


@pytest.mark.parametrize("file", WHOLE, ids=str)
def test_without_a_commit_work_goes_on_without_the_file(repository: Path, file: Path) -> None:
    shutil.rmtree(".git")
    file.write_text(WHOLE[file][:5])
    assert recovery.recover() == [file]
    assert not file.exists()
    assert kept() == {file.name: WHOLE[file][:5]}


def test_without_git_nothing_is_lost(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    LOCK.write_text("schema")
    assert recovery.recover() == [LOCK]
    assert kept() == {LOCK.name: "schema"}


@pytest.mark.parametrize("lock", HELD, ids=str)
def test_nothing_is_touched_while_a_dvc_may_be_writing(repository: Path, lock: Path) -> None:
    LOCK.write_text("")
    with lock.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert recovery.recover() == []
        assert LOCK.read_text() == ""
    assert recovery.recover() == [LOCK]


def test_where_no_dvc_has_worked_there_is_nothing_to_recover(project: Path) -> None:
    assert recovery.recover() == []
    assert list(project.iterdir()) == []


def test_dvc_reads_whatever_beginning_a_kill_has_left_once_it_is_recovered(repository: Path) -> None:
    with Repo() as repo:
        for file, kind in ((LOCK, Lockfile), (PIN, SingleStageFile)):
            for end in range(0, len(WHOLE[file]), 7):
                file.write_text(WHOLE[file][:end])
                recovery.recover()
                kind(repo, str(file)).load()
        assert PIN.read_text() == WHOLE[PIN]


def list_at_work(pid: int, cmd: str, file: Path = AT_WORK, mode: str = "write") -> None:
    """Let DVC's list name a process that holds the pool, as the process with these words would."""
    entry: Any = {"pid": pid, "cmd": cmd}
    held = {str(Path("data").absolute()): entry if mode == "write" else [entry]}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"read": {}, "write": {}} | {mode: held}))


def dvc_add() -> "subprocess.CompletedProcess[str]":
    Path("data").mkdir(exist_ok=True)
    Path("data/a.txt").write_text("a picture")
    return subprocess.run(["dvc", "add", "data"], capture_output=True, text=True, check=False)


@pytest.fixture
def run() -> Iterator[Callable[..., int]]:
    """Yield a function that starts a program that goes on, and gives its id once it runs."""
    with ExitStack() as started:

        def start(*words: str) -> int:
            process = started.enter_context(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
            started.callback(process.kill)
            assert process.stdout is not None
            if words[0] == sys.executable:
                assert process.stdout.readline() == "here\n"
            return process.pid

        yield start


AT_IT = "import time; print('here', flush=True); time.sleep(60)"


@pytest.mark.parametrize("file", [AT_WORK, EXPERIMENTS], ids=str)
@pytest.mark.parametrize("mode", ["read", "write"])
def test_a_dead_dvc_whose_id_another_program_has_now_is_dropped(
    file: Path, mode: str, repository: Path, run: Callable[..., int]
) -> None:
    list_at_work(run("sleep", "60"), "/usr/bin/dvc repro", file, mode)
    recovery.recover()
    assert json.loads(file.read_text()) == {"read": {}, "write": {}}


def test_dvc_goes_on_once_the_dead_is_dropped(repository: Path, run: Callable[..., int]) -> None:
    list_at_work(run("sleep", "60"), "/usr/bin/dvc repro")
    assert "is busy, it is being blocked by" in dvc_add().stderr
    recovery.recover()
    assert dvc_add().returncode == 0, dvc_add().stderr


def test_a_python_that_began_after_the_list_was_written_is_another(repository: Path, run: Callable[..., int]) -> None:
    list_at_work(run(sys.executable, "-c", AT_IT, "repro"), "-c repro")
    os.utime(AT_WORK, (1e9, 1e9))
    recovery.recover()
    assert json.loads(AT_WORK.read_text())["write"] == {}


def test_a_python_that_was_called_with_other_words_is_another(repository: Path, run: Callable[..., int]) -> None:
    list_at_work(run(sys.executable, "-c", AT_IT, "serve"), "/usr/bin/dvc repro")
    recovery.recover()
    assert json.loads(AT_WORK.read_text())["write"] == {}


REPRO = "stages:\n  long:\n    cmd: touch begun && sleep 30\n    deps: [data]\n    outs: [made]\n"


@pytest.mark.slow
@pytest.mark.parametrize("words", [["dvc"], [sys.executable, "-m", "dvc"]], ids=["dvc", "python -m dvc"])
def test_a_dvc_that_is_at_work_stays_listed(words: list[str], repository: Path) -> None:
    assert dvc_add().returncode == 0
    Path("dvc.yaml").write_text(REPRO)
    LOCK.unlink()
    AT_WORK.write_text("{}")
    with subprocess.Popen([*words, "repro"], start_new_session=True, stdout=subprocess.DEVNULL) as working:
        try:
            deadline = time.monotonic() + 30
            while not Path("begun").exists():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            before = json.loads(AT_WORK.read_text())
            recovery.recover()
            assert json.loads(AT_WORK.read_text()) == before
            assert {one["pid"] for one in before["write"].values()} == {working.pid}
        finally:
            os.killpg(working.pid, signal.SIGKILL)


@pytest.mark.parametrize("text", ['{"write": {"data": null}}', "[]", '{"read": {"data": [{"pid": "one", "cmd": ""}]}}'])
def test_a_list_that_is_none_is_set_aside(repository: Path, text: str) -> None:
    AT_WORK.write_text(text)
    assert recovery.recover() == [AT_WORK]
    assert kept() == {AT_WORK.name: text}


@pytest.mark.parametrize("name", ["params.yaml", "dvc.yaml", str(LOCK), str(PIN)])
def test_a_pipe_in_place_of_what_dvc_reads_is_one_line(name: str, repository: Path) -> None:
    Path(name).unlink(missing_ok=True)
    os.mkfifo(name)
    done = subprocess.run(
        [sys.executable, "-m", "irisline.core.recovery"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (
        1,
        f"{name}: neither a file nor a link to one; put the file itself there\n",
    )
