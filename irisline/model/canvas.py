"""How figures look: colours that colour-blind people tell apart, and the way to PNG bytes. Knows nothing of what is drawn."""

import io

import matplotlib as mpl
from matplotlib.figure import Figure

# Okabe and Ito 2008, Color Universal Design.
BLUE, ORANGE, YELLOW, GREY = "#0072B2", "#D55E00", "#F0E442", "#777777"

mpl.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "savefig.dpi": 110})


def png(figure: Figure) -> bytes:
    """Give a figure as PNG bytes, the same for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight", metadata={"Software": None})
    return buffer.getvalue()
