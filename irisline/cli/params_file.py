"""Writes numbers into params.yaml where others stand, and leaves every other sign of it as it is: comments, order, spelling."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from irisline.core import params, paths

if TYPE_CHECKING:
    import yaml


def change(file: Path, section: str, values: Mapping[str, float]) -> None:
    """Write values by key into a section of params; raise ParamsError, and change nothing, when the whole would be wrong."""
    import yaml

    text = changed(file.read_bytes().decode(), section, values)
    params.parse(yaml.safe_load(text), file.name)
    paths.write_whole(file, text)


def changed(text: str, section: str, values: Mapping[str, float]) -> str:
    """Return the text of a YAML file with other values for keys that a section has; a comment behind one keeps its column."""
    import yaml

    for key, value in values.items():
        node = _child(_child(yaml.compose(text), section), key)
        start, end = node.start_mark.index, node.end_mark.index
        text = text[:start] + str(value) + _moved(text[end:], end - start - len(str(value)))
    return text


def _child(mapping: "yaml.Node | None", key: str) -> "yaml.Node":
    pairs: list[tuple[yaml.Node, yaml.Node]] = mapping.value if mapping else []
    return next(value for name, value in pairs if name.value == key)


def _moved(after: str, by: int) -> str:
    """Return what follows a value, with so many blanks more, or less, before a comment on its line."""
    comment = after.lstrip(" ")
    if not comment.startswith("#"):
        return after
    return " " * max(1, len(after) - len(comment) + by) + comment
