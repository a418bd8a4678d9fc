"""What a file of this project imports, directly or not, read from its text: what travels with it to another machine.

Knows nothing of where that is.
"""

import ast
from collections.abc import Iterable
from pathlib import Path

PACKAGES = ("irisline", "pipelines", "pretrain", "service")


def files_of(files: Iterable[Path], root: Path) -> set[Path]:
    """Return the project's files that these need when they run: imported anywhere, and the packages they lie in."""
    found: set[Path] = set()
    waiting = list(files)
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting += [target for name in modules_of(current) for target in _files(name, root)]
    return found


def travelling(files: Iterable[Path], root: Path) -> set[Path]:
    """Return the project's files that these need elsewhere: what they import, and the weights that those read beside them."""
    modules = files_of(files, root)
    return modules | {weights for module in modules for weights in module.parent.glob("*.npz")}


def modules_of(file: Path) -> set[str]:
    """Return the dotted names that a file imports anywhere in its text, type-checking blocks left out."""
    return set(_names(ast.parse(file.read_text(encoding="utf-8")).body))


def _names(statements: list[ast.stmt]) -> list[str]:
    names: list[str] = []
    for statement in statements:
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            continue
        if isinstance(statement, ast.Import):
            names += [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            names += [statement.module, *(f"{statement.module}.{alias.name}" for alias in statement.names)]
        for inner in ("body", "orelse", "finalbody"):
            names += _names(getattr(statement, inner, []))
        for handler in getattr(statement, "handlers", []):
            names += _names(handler.body)
    return names


def _files(name: str, root: Path) -> list[Path]:
    """Return the file of a dotted name and the package files above it."""
    parts = name.split(".")
    if parts[0] not in PACKAGES:
        return []
    packages = [root.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    module = root.joinpath(*parts).with_suffix(".py")
    return [file for file in (*packages, module) if file.is_file()]
