"""How figures look: colours that colour-blind people tell apart, and the way to PNG bytes. Knows nothing of what is drawn."""

import io

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from irisline.core import display_names

# Okabe and Ito 2008, Color Universal Design.
BLUE, ORANGE, YELLOW, GREY = "#0072B2", "#D55E00", "#F0E442", "#777777"

mpl.rcParams.update(
    {
        "axes.spines.top": False,
        "axes.spines.right": False,
        "savefig.dpi": 110,
        "font.size": 10,
        "text.parse_math": False,
        "text.usetex": False,  # a $ in a name begins no formula
        "font.family": ["DejaVu Sans"],  # it comes with matplotlib, so that figures are the same everywhere
    }
)
BOX = "□"


def words(name: str, signs: int) -> str:
    """Return a name as a figure shows it: in so many signs at most, a box for each that the font lacks."""
    known = get_font(findfont("DejaVu Sans")).get_charmap()
    return "".join(sign if ord(sign) in known else BOX for sign in display_names.short(name, signs))


def png(figure: Figure) -> bytes:
    """Return a figure as PNG bytes, the same for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight", metadata={"Software": None})
    return buffer.getvalue()
