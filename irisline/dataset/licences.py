"""The licences of pictures: one spelling for what providers write in many ways. Knows no provider.

The spelling is SPDX's where SPDX has one (CC-BY-SA-4.0, CC0-1.0), PDM-1.0 for the Public Domain Mark, `own` for a person's
own pictures, and nothing where it is unknown. Sources: spdx.org/licenses, creativecommons.org/licenses/list.en.
"""

import re
from collections.abc import Collection
from typing import Literal, get_args
from urllib.parse import urlsplit

from irisline.core.params import Licence

OWN = "own"
Family = Licence | Literal["own"]

_FAMILIES: dict[str, Family] = {name: name for name in get_args(Licence) if name != "unknown"}
_PUBLIC_DOMAIN = {"cc0": ("CC0", "zero"), "pdm": ("PDM", "mark")}  # as SPDX and as the addresses write them
_VERSIONS = ("1.0", "2.0", "2.1", "2.5", "3.0", "4.0")
_SITE = "https://creativecommons.org"
_PORT = "[a-z]{2,8}"  # the law it was written for: de, us, igo, scotland
_WRITTEN = re.compile(rf"(?:cc-)?(cc0|pdm|by(?:-(?:nc|nd|sa))*)(?:-(\d\.\d)(?:-({_PORT}))?)?")
_PATH = re.compile(rf"/(licenses|publicdomain)/([a-z-]+)/(\d\.\d)(?:/({_PORT}))?(?:/.*)?")


def canonical(code: str, version: str = "") -> str:
    """Return the one spelling of a licence, such as CC-BY-SA-4.0 of ("by-sa", "4.0"), "cc-by-sa-4.0" or "CC BY-SA 4.0".

    Empty when the licence is unknown, or is one of Creative Commons' of which no version is told: terms differ by version.
    """
    written = "-".join(code.lower().split())
    if written == OWN:
        return OWN
    if not (found := _WRITTEN.fullmatch(written)):
        return ""
    name, told, port = found.groups()
    return _spelled(name, told or version, port or "")


def of_url(url: str) -> str:
    """Return the licence that an address of creativecommons.org stands for, in any language; empty for any other."""
    try:
        parts = urlsplit(url.strip().lower())
    except ValueError:
        return ""
    host = parts.netloc.removeprefix("www.")
    found = _PATH.fullmatch(parts.path)
    if parts.scheme not in ("http", "https", "") or host != "creativecommons.org" or not found:
        return ""
    kind, name, version, port = found.groups()
    if kind == "publicdomain":
        return next((_spelled(code, version, "") for code, (_, path) in _PUBLIC_DOMAIN.items() if path == name), "")
    return _spelled(name, version, "" if port == "deed" else port or "")


def family(licence: str) -> Family:
    """Return what a licence allows, whatever its version: one of params.Licence, or own."""
    known = canonical(licence)
    if known == OWN:
        return "own"
    found = _WRITTEN.fullmatch(known.lower())
    return _FAMILIES[found[1]] if found else "unknown"


def accepted(licence: str, families: Collection[str]) -> bool:
    """Whether a picture under this licence may be fetched: a person's own always, an unknown one only where that is said."""
    return family(licence) in {OWN, *families}


def url_of(licence: str) -> str:
    """Return where a licence's terms are written; empty for one's own and for unknown ones."""
    if not (found := _WRITTEN.fullmatch(canonical(licence).lower())):
        return ""
    name, version, port = found.groups()
    if name in _PUBLIC_DOMAIN:
        return f"{_SITE}/publicdomain/{_PUBLIC_DOMAIN[name][1]}/{version}/"
    name = "by-nd-nc" if (name, version) == ("by-nc-nd", "1.0") else name
    return f"{_SITE}/licenses/{name}/{version}/{port + '/' if port else ''}"


def _spelled(name: str, version: str, port: str) -> str:
    if name in _PUBLIC_DOMAIN:
        return f"{_PUBLIC_DOMAIN[name][0]}-1.0"  # neither has another version
    name = "by-nc-nd" if name == "by-nd-nc" else name  # as version 1.0 wrote it
    if name not in _FAMILIES or version not in _VERSIONS:
        return ""
    return "-".join(("CC", name.upper(), version, *([port.upper()] if port else ())))
