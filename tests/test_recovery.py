"""What a kill leaves of DVC's own files is put back before DVC reads it, and what is whole or being written stays."""

import fcntl
import subprocess
from pathlib import Path

import pytest

from irisline import recovery
from irisline.recovery import AT_WORK, HELD, LOCK, PIN

WHOLE = {
    AT_WORK: "{}",
    LOCK: "schema: '2.0'\nstages:\n  collect:\n    cmd: python -m collect\n    deps:\n    - path: data\n      md5: 01234.dir\n",
    PIN: "outs:\n- md5: 0123456789abcdef.dir\n  size: 7\n  nfiles: 1\n  hash: md5\n  path: data\n",
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


def test_what_is_whole_stays_as_it_is(repository: Path) -> None:
    LOCK.write_text(WHOLE[LOCK] + "  train:\n    cmd: python -m train\n")
    before = {file: file.read_text() for file in WHOLE}
    assert recovery.mend() == []
    assert {file: file.read_text() for file in WHOLE} == before


@pytest.mark.parametrize(
    ("file", "torn"),
    [(LOCK, ""), (LOCK, "sche"), (LOCK, "schema: '2.0'\nstages:\n  col"), (LOCK, "schema: '2.0'\nstages:\n  collect:\n   "),
     (PIN, ""), (PIN, "outs:\n- md"), (PIN, "outs:\n- md5: 0123456789abcdef.dir\n  size: 7")],
)  # fmt: skip
def test_what_is_torn_is_as_the_last_commit_has_it_and_dvc_reads_it(
    repository: Path, file: Path, torn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(torn)
    assert recovery.mend() == [file]
    assert file.read_text() == WHOLE[file]
    assert f"{file}: torn by a kill; it is now as the last commit has it" in "".join(capsys.readouterr())
    assert recovery.mend() == []


@pytest.mark.parametrize("file", WHOLE, ids=str)
def test_what_was_never_committed_goes(repository: Path, file: Path) -> None:
    subprocess.run(["git", "update-ref", "-d", "HEAD"], check=True)
    file.write_text(WHOLE[file][:1])
    assert recovery.mend() == [file]
    assert not file.exists()


@pytest.mark.parametrize("lock", HELD, ids=str)
def test_nothing_is_touched_while_a_dvc_is_at_work(repository: Path, lock: Path) -> None:
    LOCK.write_text("")
    with lock.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert recovery.mend() == []
        assert LOCK.read_text() == ""
    assert recovery.mend() == [LOCK]


def test_every_beginning_of_a_lock_is_mended_or_read_by_dvc(repository: Path) -> None:
    from dvc.dvcfile import Lockfile
    from dvc.repo import Repo

    with Repo() as repo:
        for end in range(0, len(WHOLE[LOCK]), 3):
            LOCK.write_text(WHOLE[LOCK][:end])
            recovery.mend()
            Lockfile(repo, str(LOCK)).load()
