"""What an image's layers are made of, run while one is built: less of it, compiled, and the same bytes each time.

Runs on the image's Python, with nothing but its standard library. Knows nothing of versions or models.
"""

import os
import py_compile
import re
import shutil
import sys
import sysconfig
from importlib.util import cache_from_source
from pathlib import Path

LAYER = Path("/layer")  # becomes a layer as it is: with the folders above, whose times would differ otherwise
HOME = LAYER / "opt" / "irisline"

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
    """Finish the stage that the command line names: packages, code or version."""
    stage = sys.argv[1]
    if stage == "packages":
        trim(HOME / "packages")
        compile_all(Path(sysconfig.get_path("stdlib")), Path("/"))
        compile_all(HOME / "packages", LAYER)
    elif stage == "code":
        compile_all(HOME / "bento", LAYER)
    settle(LAYER)


def trim(packages: Path) -> None:
    """Delete what serving does not need."""
    for folder in [found for pattern in UNUSED_FOLDERS for found in packages.glob(pattern)]:
        shutil.rmtree(folder, ignore_errors=True)
    for file in [found for pattern in UNUSED_FILES for found in packages.rglob(pattern)]:
        file.unlink()


def compile_all(folder: Path, root: Path) -> None:
    """Compile into a tree of its own: a read-only container cannot, and would parse each module at every start.

    Python does not compare the sources' times then: in an image they tell nothing.
    """
    sys.pycache_prefix = "/opt/irisline/pycache"
    for file in sorted(folder.rglob("*.py")):
        there = f"/{file.relative_to(root)}"
        if not NEVER_IMPORTED.search(there):
            target = f"{LAYER}{cache_from_source(there)}"
            unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
            py_compile.compile(str(file), target, there, quiet=2, invalidation_mode=unchecked)


def settle(folder: Path) -> None:
    """Return files and folders the same times and rights wherever the image is built."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        os.utime(path, (0, 0), follow_symlinks=False)


if __name__ == "__main__":
    main()
