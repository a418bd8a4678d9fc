"""The table of drawn squares: where it lies, its columns, and what they mean. Knows neither how it is made nor what for."""

from pathlib import Path

import pyarrow as pa

FOLDER = Path("artifacts/pretrain/squares")

NO_EYE = "none"
COLOURS = ("blue", "brown", "green", "hazel", "grey", NO_EYE)

WIDE = 1.35
"""Side of a square as a multiple of what a network sees, so that each epoch can cut another view out of it."""

TRUTH = ("red", "green", "blue", "warm", "cold", "pupil")
"""What is known of an iris beside its name: its logarithmic reflectance in three bands; the light's red and blue against its
green, logarithmic and as the white balance left them; the pupil's radius. Null where there is no iris."""

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),  # one of COLOURS
        pa.field("picture", pa.int32(), nullable=False),
        *(pa.field(name, pa.float32()) for name in TRUTH),
        pa.field("image", pa.binary(), nullable=False),  # JPEG
    ]
)
