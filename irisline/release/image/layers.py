"""What an image's layers are made of, run while one is built: less of it, compiled, and the same bytes each time.

Runs on the image's Python, with nothing but its standard library. Knows nothing of versions or models.
"""

import compileall
import os
import re
import shutil
import sys
import sysconfig
from pathlib import Path
from py_compile import PycInvalidationMode

HOME = Path("/opt/irisline")
PACKAGES = HOME / "packages"
SOURCE = HOME / "bento" / "src"

# Nothing that answers reads these: tests, headers, types, and tools that make models.
UNUSED_FOLDERS = (
    "**/tests",
    "**/include",
    "bin",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
)
UNUSED_FILES = ("*.pyi", "*.h", "*.c", "*.pyx", "*.pxd", "*.a", "libonnxruntime.so*")
NEVER_IMPORTED = re.compile(r"/(tests?|idlelib|lib2to3|ensurepip|tkinter|turtledemo|distutils|(site|dist)-packages)/")


def main() -> None:
    """Finish what a stage has copied: packages, code or version."""
    stage = sys.argv[1]
    if stage == "packages":
        trim(PACKAGES)
        compile_all(Path(sysconfig.get_path("stdlib")), PACKAGES)
    elif stage == "code":
        compile_all(SOURCE)
    settle(HOME)


def trim(packages: Path) -> None:
    """Delete what serving does not need."""
    for folder in [found for pattern in UNUSED_FOLDERS for found in packages.glob(pattern)]:
        shutil.rmtree(folder, ignore_errors=True)
    for file in [found for pattern in UNUSED_FILES for found in packages.rglob(pattern)]:
        file.unlink()


def compile_all(*folders: Path) -> None:
    """Compile into a tree of its own: a read-only container cannot, and would parse every module at each start.

    Without a look at the sources' times, which are the same for all files of an image.
    """
    sys.pycache_prefix = str(HOME / "pycache")
    unchecked = PycInvalidationMode.UNCHECKED_HASH
    for folder in folders:
        compileall.compile_dir(folder, quiet=2, force=True, rx=NEVER_IMPORTED, invalidation_mode=unchecked)


def settle(folder: Path) -> None:
    """Give files and folders the same times and rights wherever the image is built."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        os.utime(path, (0, 0), follow_symlinks=False)


if __name__ == "__main__":
    main()
