"""The names of classes: which there may be, and how one is written where not every sign may be. Knows no file.

A class is a folder of the pool, so that its name is what the name of a folder may be, and is kept as it is. Names are
compared in the one form that display_names.same gives.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator

from irisline.core import display_names

LONGEST = display_names.LONGEST  # bytes
LONGEST_SLUG = 63  # signs: those of a Bento's name
KEY = 200  # signs: MLflow's keys have at most 250, and more than the name is in one
_JOINERS = "\u200c\u200d"  # of Persian and Indic spelling and of emoji
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # categories of signs that are not seen, or end a line


def fault(name: str) -> str | None:
    """Return why a text cannot be the name of a class, and what to write; None when it can."""
    if not name:
        return "is empty; give the class the name of its folder under data/"
    if "/" in name:
        return f"{_quoted(name)} has a / in it, and a class is one folder; write {_quoted(name.replace('/', '-'))}"
    if name.startswith("."):
        return f"{_quoted(name)} begins with a dot, and such folders are hidden; rename it and its folder"
    if name != name.strip():
        return f"{_quoted(name)} begins or ends with a space, which nobody sees; write {_quoted(name.strip())}"
    if hidden := [sign for sign in name if unicodedata.category(sign) in _UNSEEN and sign not in _JOINERS]:
        return f"{_quoted(name)} has a sign that cannot be seen, {_quoted(hidden[0])}; rename it and its folder"
    if (size := len(name.encode())) > LONGEST:
        return f"{_quoted(display_names.short(name, 40))} takes {size} bytes, a folder's name at most {LONGEST}; shorten it"
    return None


def as_written(text: str) -> Any:
    """Return the document of a params.yaml in which each class is named as it is written: No is no boolean, 007 no number.

    Raise yaml.YAMLError for what is not YAML.
    """
    import yaml  # the serving image carries this module for its types, and no YAML

    loader = yaml.SafeLoader(text)
    root = loader.get_single_node()
    for node in (*_named(root, "base", "classes"), *_named(root, "snapshot", "queries")):
        node.tag = "tag:yaml.org,2002:str"
    return loader.construct_document(root) if root else None


def _named(node: Any, *keys: str) -> Iterator[Any]:
    """Yield the scalars of the list, or the keys of the mapping, that lies under these keys of YAML's nodes."""
    for key in keys:
        pairs = node.value if getattr(node, "id", "") == "mapping" else ()
        node = next((value for name, value in pairs if name.value == key), None)
    for inner in getattr(node, "value", ()):
        inner = inner[0] if isinstance(inner, tuple) else inner
        if getattr(inner, "id", "") == "scalar":
            yield inner


def some(names: Sequence[str], most: int = 20) -> str:
    """Return names in a row, of very many the first ones and how many more there are."""
    return ", ".join([*names[:most], *([f"and {len(names) - most} more"] if len(names) > most else [])])


def slug(text: str) -> str:
    """Return a text in ASCII's letters, digits, - and _, a letter or a digit at both ends; "model" where none is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_-]+", "-", plain).strip("-_") or "model"


def key(name: str) -> str:
    """Return a name as a part of a key of MLflow's, which may hold letters and digits of any script, _, -, / and spaces.

    Any other sign is its number between dots, so that no two names have one key; a long one ends with its digest, and
    has an odd number of dots, as none else has.
    """
    signs = [sign if re.fullmatch(r"[\w\- /]", sign) else f".{ord(sign):x}." for sign in name]
    if len(whole := "".join(signs)) <= KEY:
        return whole
    while len("".join(signs)) > KEY - 13:
        signs.pop()
    return f"{''.join(signs)}.{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _of_class(name: str) -> str:
    if why := fault(name := display_names.same(name)):
        raise ValueError(why)
    return name


def _of_model(name: str) -> str:
    wanted = slug(name)[:LONGEST_SLUG].strip("-_")
    if name != wanted:
        raise ValueError(
            f"{_quoted(name)} would name files, images and addresses, so that it may have the letters a to z and A to Z, "
            f"digits, - and _, {LONGEST_SLUG} at most, the first and the last a letter or a digit; write {wanted}"
        )
    return name


ClassName = Annotated[str, AfterValidator(_of_class)]
Slug = Annotated[str, AfterValidator(_of_model)]


def _quoted(name: str) -> str:
    return f"'{display_names.shown(name)}'"
