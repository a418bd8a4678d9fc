"""Names that a file system takes and programs stumble over, and a strategy that makes more."""

import os

from hypothesis import strategies as st

HOSTILE = (
    "Ba$$in.jpg", "$\\frac{1}{0}$.jpg", "a_b^c.jpg", "back\\slash.jpg", "line\nbreak.jpg", "tab\there.jpg",
    "\x1b[31mred\x07.jpg", "it's \"quoted\".jpg", "100%s %(x)s {0} {{7*7}}.jpg", "#1.jpg", "a&b;c.jpg",
    "<script>alert(1)<.jpg", "<img src=x onerror=x>", "a|b`c``d.jpg", "`code`", "\u202egpj.evil",
    "\u200f\u200e.jpg", "👩\u200d👩\u200d👧.jpg", "眼睛の写真.jpg", "עין.jpg", "éà.jpg",
    "-rf.jpg", "=1+1.jpg", " both ends ", "dots...", "~", "*", "?", "[a]", ":smile:.jpg", "[bold]x.jpg",
    "UPPER.JPG", "upper.jpg", "CON", "x" * 251 + ".jpg", "é" * 125 + ".jpg", "眼" * 85, "no_ending",
    "a\u2028b.jpg", "\xa0.jpg",
)  # fmt: skip

CLASSES = (
    "light blue", "café", "蓝", "0", "007", "None", "null", "No", "true", "unsure", "label", "file", "dent", "dent_low", "low",
    "=cmd", "<b>bold", "&lt;", "it's", '"quoted"', "$HOME ${x}", "{0} %s {{7*7}}", "[bold]", "a|b`c`", "back\\slash", "*",
    "a.b", "a+b", ":smile:", "👩\u200d👧", "x" * 255, "眼" * 85,
)  # fmt: skip
"""Names of classes that programs may stumble over, or take for something else."""


def _fits(name: str) -> bool:
    return len(os.fsencode(name)) <= 255 and not name.startswith(".")


SIGNS = st.characters(exclude_categories=["Cs"], exclude_characters="/\0")
NAMES = st.one_of(st.sampled_from(HOSTILE), st.text(SIGNS, min_size=1, max_size=120)).filter(_fits)
