"""Files and folders arrive whole or not at all, also on a full disk."""

import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from irisline.core import paths
from irisline.core.errors import IrislineError
from tests.planted import ROOT


def test_a_folder_replaces_the_old_one_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "made"
    target.mkdir()
    (target / "old").touch()
    with paths.whole_folder(target) as folder:
        (folder / "new").write_text("x")
        assert (target / "old").exists()
    assert [file.name for file in target.iterdir()] == ["new"]
    assert [folder.name for folder in tmp_path.iterdir()] == ["made"]


def test_an_error_leaves_the_old_folder_and_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "made"
    target.mkdir()
    (target / "old").touch()
    with pytest.raises(ZeroDivisionError), paths.whole_folder(target):
        raise ZeroDivisionError
    assert [file.name for file in target.iterdir()] == ["old"]
    assert [folder.name for folder in tmp_path.iterdir()] == ["made"]


def test_what_a_killed_run_left_is_thrown_away(tmp_path: Path) -> None:
    stale = tmp_path / "deep" / "made.partial"
    stale.mkdir(parents=True)
    (stale / "half").touch()
    with paths.whole_folder(tmp_path / "deep" / "made") as folder:
        assert list(folder.iterdir()) == []
    assert not stale.exists()


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "reports" / "metrics.json"
    paths.write_whole(target, "first ☂")
    assert target.read_text(encoding="utf-8") == "first ☂"
    paths.write_whole(target, b"second")
    assert target.read_bytes() == b"second"
    assert [file.name for file in target.parent.iterdir()] == ["metrics.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "metrics.json"
    target.write_text("old")
    with largest_file(10), pytest.raises(IrislineError, match=r"metrics.json: File too large; a limit .*run the same"):
        paths.write_whole(target, b"x" * 100_000)
    assert target.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.json"]


def test_other_failures_of_the_block_are_not_disguised(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), paths.whole_folder(tmp_path / "made"):
        (tmp_path / "absent").read_text()


_FILL = """
import sys
from pathlib import Path
from irisline.core import paths
with paths.whole_folder(Path(sys.argv[1]) / "made") as folder:
    for number in range(64):
        (folder / str(number)).write_bytes(bytes(4096))
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("no right to mount a small disk")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_is_one_line_and_nothing_half_written(small_disk: Path) -> None:
    with paths.whole_folder(small_disk / "made") as folder:
        (folder / "old").write_text("kept")
    done = subprocess.run([sys.executable, "-c", _FILL, small_disk], cwd=ROOT, capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]
    assert last == (
        f"irisline.core.errors.IrislineError: {small_disk}/made: No space left on device; free some space "
        "(dvc gc --workspace drops what no commit needs), then run the same command again"
    )
    assert (small_disk / "made" / "old").read_text() == "kept"
    assert [folder.name for folder in small_disk.iterdir()] == ["made"]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Limit how long a file may grow while the block runs: a full disk that needs no rights."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def test_what_lies_in_the_way_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "folder", tmp_path / "file" / "below", tmp_path / "file" / "below" / "deeper"):
        with pytest.raises(IrislineError, match=r"/(folder|below|deeper): [A-Z][a-z ]+; .* move it away, then run"):
            paths.write_whole(target, "x")
