"""What a kill leaves of DVC's own files is set aside before DVC reads it; what is whole, in conflict or being written stays."""

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest
from dvc.dvcfile import Lockfile, SingleStageFile
from dvc.repo import Repo

from irisline import recovery
from irisline.recovery import ASIDE, AT_WORK, HELD, LOCK, PIN

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
    """Give a project under git and DVC whose files are whole and, but for DVC's list of who is at work, committed."""
    for words in (["git", "init", "--quiet"], ["dvc", "init", "--quiet"]):
        subprocess.run(words, check=True)
    for file, text in WHOLE.items():
        file.write_text(text)
    own = ("-c", "user.name=A Stranger", "-c", "user.email=stranger@example.org")
    subprocess.run(["git", "add", str(LOCK), str(PIN)], check=True)
    subprocess.run(["git", *own, "commit", "--quiet", "--message=whole"], check=True)
    return project


def kept() -> dict[str, str]:
    """Give what was set aside."""
    return {file.name: file.read_text() for file in ASIDE.iterdir()} if ASIDE.is_dir() else {}


def test_what_is_whole_stays_as_it_is(repository: Path) -> None:
    changed = {LOCK: WHOLE[LOCK] + f"  train:\n{STAGE}", PIN: WHOLE[PIN].replace("size: 7", "size: 8"), AT_WORK: "{}"}
    for file, text in changed.items():
        file.write_text(text)
    assert recovery.mend() == []
    assert {file: file.read_text() for file in WHOLE} == changed


@pytest.mark.parametrize(
    "text",
    [WHOLE[LOCK].replace("fedcba9876543210fedcba9876543210.dir", "''"), WHOLE[LOCK].replace("max_side", "on"),
     "schema: '2.0'\n"],
    ids=["no digest", "a name that is true in old YAML", "no stages"],
)  # fmt: skip
def test_what_dvc_reads_stays(repository: Path, text: str) -> None:
    LOCK.write_text(text)
    assert recovery.mend() == []
    assert LOCK.read_text() == text


@pytest.mark.parametrize("file", [LOCK, PIN], ids=str)
def test_a_conflict_is_left_to_a_person(repository: Path, file: Path) -> None:
    conflict = f"<<<<<<< HEAD\n{WHOLE[file]}=======\n{WHOLE[file]}>>>>>>> theirs\n"
    file.write_text(conflict)
    assert recovery.mend() == []
    assert file.read_text() == conflict


@pytest.mark.parametrize("file", [LOCK, PIN], ids=str)
def test_what_is_torn_is_kept_and_work_goes_on_with_the_last_commits(
    repository: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(WHOLE[file][:40])
    assert recovery.mend() == [file]
    assert file.read_text() == WHOLE[file]
    assert kept() == {file.name: WHOLE[file][:40]}
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith(
        f"{file}: torn, as by a kill; it lies in .dvc/tmp/torn now, and work goes on with the last commit's; "
    )
    assert recovery.mend() == []


@pytest.mark.parametrize("file", WHOLE, ids=str)
def test_without_a_commit_work_goes_on_without_the_file(repository: Path, file: Path) -> None:
    shutil.rmtree(".git")
    file.write_text(WHOLE[file][:5])
    assert recovery.mend() == [file]
    assert not file.exists()
    assert kept() == {file.name: WHOLE[file][:5]}


def test_without_git_nothing_is_lost(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    LOCK.write_text("schema")
    assert recovery.mend() == [LOCK]
    assert kept() == {LOCK.name: "schema"}


@pytest.mark.parametrize("lock", HELD, ids=str)
def test_nothing_is_touched_while_a_dvc_may_be_writing(repository: Path, lock: Path) -> None:
    LOCK.write_text("")
    with lock.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert recovery.mend() == []
        assert LOCK.read_text() == ""
    assert recovery.mend() == [LOCK]


def test_where_no_dvc_has_worked_there_is_nothing_to_mend(project: Path) -> None:
    assert recovery.mend() == []
    assert list(project.iterdir()) == []


def test_dvc_reads_whatever_beginning_a_kill_has_left_once_it_is_mended(repository: Path) -> None:
    with Repo() as repo:
        for file, kind in ((LOCK, Lockfile), (PIN, SingleStageFile)):
            for end in range(0, len(WHOLE[file]), 7):
                file.write_text(WHOLE[file][:end])
                recovery.mend()
                kind(repo, str(file)).load()
        assert PIN.read_text() == WHOLE[PIN]
