"""pretrain/params.yaml as typed sections, read as strictly as the project's own. Knows nothing of pictures or networks."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from irisline.core import params
from irisline.core.params import Count, Execution, Positive, Section

PARAMS = Path("pretrain/params.yaml")


class Draw(Section):
    """How many pictures are drawn, and how large the square kept of each eye is."""

    seed: int = Field(ge=0)
    pictures: Count
    size: int = Field(ge=32, le=512)
    shard_rows: Count


class Fit(Section):
    """The recipe."""

    arch: str
    size: int = Field(ge=32, le=512)
    epochs: Count
    batch_size: Count
    learning_rate: Positive
    weight_decay: float = Field(ge=0)
    held_out: Annotated[float, Field(gt=0, lt=1)]


class Settings(Section):
    """The whole of pretrain/params.yaml."""

    execution: Execution
    draw: Draw
    fit: Fit


def read(path: Path = PARAMS) -> Settings:
    """Return the settings of a file; raise ParamsError when it is missing, not YAML or wrong."""
    return params.read_as(path, Settings)
