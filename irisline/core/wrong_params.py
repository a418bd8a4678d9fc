"""A key of params.yaml that is wrong, as one line: its name, why, and what to write instead."""

from reprlib import Repr
from typing import Any

from pydantic import BaseModel, ValidationError

RENAMED = {
    "validate.min_seen_share": "validate.min_found_share",
    "validate.min_class_share": "validate.min_class_balance",
    "evaluate.changes": "evaluate.perturbations",
    "evaluate.max_unlike": "evaluate.max_out_of_distribution",
    "gate.min_recolour_rate": "gate.min_expected_flip_rate",
}
"""Keys of older projects, by their names then."""
A_NUMBER = "number, where auto may stand"
"""Where an error lies, as pydantic names it, beside the key."""
MEASURED_ANEW = {"validate.min_class_share": "; it is a share of an even share: of two classes, 0.4 is what 0.2 was"}

_SHORT = Repr()  # a small file of YAML can stand for a text without end
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 2, 200, 200


def sentence(error: ValidationError, kind: type[BaseModel]) -> str:
    """Return the line about the keys that were renamed, else about the first wrong one."""
    errors = error.errors(include_url=False)
    if old := [key for each in errors if (key := _key(each)) in RENAMED]:
        return "; ".join(f"{key}: is called {RENAMED[key]} now, rename it{MEASURED_ANEW.get(key, '')}" for key in old)
    first = errors[0]
    key = _key(first) or "the file"
    if first["type"] == "extra_forbidden":
        return f"{key}: unknown key; valid here: {', '.join(_known(first['loc'][:-1], kind))}"
    if first["type"] == "value_error":  # one of ours, which says what was given
        return f"{key}: {first['ctx']['error']}"
    given = "" if first["type"] == "missing" else f", given {_SHORT.repr(first['input'])}"
    otherwise = ", or auto" if A_NUMBER in first["loc"] else ""
    return f"{key}: {first['msg']}{otherwise}{given}"


def _key(error: Any) -> str:
    return ".".join(str(part) for part in error["loc"] if part != A_NUMBER)


def _known(location: tuple[int | str, ...], kind: type[BaseModel]) -> list[str]:
    section: Any = kind
    for part in location:
        fields = section.model_fields.items()
        section = next(field.annotation for name, field in fields if part in (name, field.alias))
    return [field.alias or name for name, field in section.model_fields.items()]
