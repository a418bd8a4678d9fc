"""Makes Data Docs open offline: every script, style and icon from the copies in assets/, and nothing fetched from elsewhere.

Great Expectations writes pages that take their looks from several content networks, and a logo that tells who opened them.
"""

import os
import re
import shutil
from pathlib import Path

from irisline.core import paths

ASSETS = Path(__file__).parent / "assets"
FOLDER = "docs"

# The page of the report: it leads on to the Data Docs, which stay in a folder that a pipeline can track as one.
ENTRY = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>The data contract</title>
<meta http-equiv="refresh" content="0; url={FOLDER}/index.html"></head>
<body><p><a href="{FOLDER}/index.html">What the pictures were held to, and which failed</a></p></body></html>
"""

# A part of the address a page asks for, and the copy it gets; the first that fits.
COPIES = {
    "bootstrap-table-filter-control.min.js": "assets/js/bootstrap-table-filter-control.min.js",
    "bootstrap-table-filter-control": "assets/css/bootstrap-table-filter-control.min.css",
    "bootstrap-table.min.js": "assets/js/bootstrap-table.min.js",
    "bootstrap-table.min.css": "assets/css/bootstrap-table.min.css",
    "bootstrap-datepicker.min.js": "assets/js/bootstrap-datepicker.min.js",
    "bootstrap-datepicker.min.css": "assets/css/bootstrap-datepicker.min.css",
    "bootstrap.min.js": "assets/js/bootstrap.min.js",
    "bootstrap.min.css": "assets/css/bootstrap.min.css",
    "font-awesome": "assets/css/fontawesome-all.min.css",
    "jquery": "assets/js/jquery.min.js",
    "popper": "assets/js/popper.min.js",
    "npm/vega@": "assets/js/vega.min.js",
    "npm/vega-lite@": "assets/js/vega-lite.min.js",
    "npm/vega-embed@": "assets/js/vega-embed.min.js",
    "logo-long.png": "static/images/logo-long.png",
}

_FETCHING = re.compile(
    r"<script\b[^>]*\bsrc=[^>]*>\s*</script>|<(?:link|img|iframe|embed|source|video|audio)\b[^>]*>", re.I
)
_REMOTE = re.compile(r"""\b(?:src|href)\s*=\s*["']?((?:https?:)?//[^\s"'>]+)""", re.I)
_PINNED = re.compile(r"""\s(?:integrity|crossorigin|referrerpolicy)(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]+))?""", re.I)
_REMOTE_STYLE = re.compile(r"""url\(\s*["']?(?:https?:)?//[^)]*\)""", re.I)
_DARK = re.compile(r"@media\s*\(prefers-color-scheme:\s*dark\)")


def take_offline(folder: Path) -> None:
    """Rewrite every page and style of a Data Docs folder to use local copies, and put the copies into its assets/."""
    shutil.copytree(ASSETS, folder / "assets")
    for page in folder.rglob("*.html"):
        root = Path(os.path.relpath(folder, page.parent)).as_posix()
        paths.write_whole(page, offline(page.read_text(encoding="utf-8"), root))
    for style in (folder / "static").rglob("*.css"):
        paths.write_whole(style, _local_style(style.read_text(encoding="utf-8")))


def offline(page: str, root: str) -> str:
    """Return a page that fetches nothing remote; root is the relative way from it to the folder of the Data Docs."""
    return _local_style(_FETCHING.sub(lambda tag: _local(tag.group(), root), page))


def _local(tag: str, root: str) -> str:
    """Return a tag that fetches the local copy, or nothing where there is no copy: better plain than watched."""
    remote = _REMOTE.search(tag)
    if remote is None:
        return tag
    copy = next((copy for part, copy in COPIES.items() if part in remote.group(1)), None)
    return _PINNED.sub("", tag).replace(remote.group(1), f"{root}/{copy}") if copy else ""


def _local_style(text: str) -> str:
    """Drop remote pictures, and the dark theme with them: its base style is one of the files left out."""
    return _DARK.sub("@media not all", _REMOTE_STYLE.sub("none", text))
