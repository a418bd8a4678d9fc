"""params.yaml as frozen, strictly typed sections. The only reader of that file; parsing touches nothing else."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, field_validator, model_validator

from irisline.core import class_names, wrong_params
from irisline.core.bounded import plain_files
from irisline.core.class_names import ClassName, Slug
from irisline.core.errors import ParamsError

LARGEST = 2**20  # bytes of the file
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]
Crop = Literal["eyes", "none"]  # a domain each: what is sought in a picture
Licence = Literal["cc0", "pdm", "by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd", "unknown"]
AUTO = "auto"  # in place of a number: what the pool asks for
Number = TypeVar("Number", int, float)
OrAuto = Annotated[
    Annotated[Number, Tag(wrong_params.A_NUMBER)] | Annotated[Literal["auto"], Tag(AUTO)],
    Discriminator(lambda value: AUTO if value == AUTO else wrong_params.A_NUMBER),
]


class Section(BaseModel):
    """A section of params.yaml: frozen, strict, no unknown keys, only finite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Read = TypeVar("Read", bound=Section)


class Base(Section):
    """What every stage shares."""

    name: Slug
    classes: list[ClassName] = Field(min_length=2)
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _classes_differ(self) -> Self:
        if again := [name for name, times in Counter(self.classes).items() if times > 1]:
            raise ValueError(f"classes has {again[0]!r} twice; name each class once")
        return self


class Execution(Section):
    """Where work runs; never what it yields."""

    engine: Literal["local", "ray"]
    workers: int = Field(ge=0)


class Snapshot(Section):
    """What is searched on the web for the pool, where, under which licences, and how politely."""

    sources: list[str] = Field(min_length=1)
    queries: dict[ClassName, list[Annotated[str, Field(min_length=1, max_length=200)]]]
    licences: list[Licence] = Field(min_length=1)
    per_class: Count
    contact: str
    max_bytes: Count
    concurrency: Count
    per_host: Count
    timeout: Positive
    folder: str
    urls: str


class Collect(Section):
    """Limits of decoding, and the size of a shard."""

    max_side: Count
    max_pixels: Count
    shard_rows: Count


class Validate(Section):
    """The data contract."""

    min_side: OrAuto[Count]
    max_aspect: OrAuto[Annotated[float, Field(ge=1)]]
    min_brightness: OrAuto[Annotated[float, Field(ge=0, le=255)]]
    max_brightness: OrAuto[Annotated[float, Field(ge=0, le=255)]]
    min_contrast: OrAuto[Annotated[float, Field(ge=0)]]
    min_sharpness: OrAuto[Annotated[float, Field(ge=0)]]
    min_entropy: OrAuto[Annotated[float, Field(ge=0, le=8)]]
    min_per_class: Count
    min_class_balance: Share
    min_unique_share: Share
    max_rejected_share: Share
    min_found_share: Share

    @model_validator(mode="after")
    def _some_brightness_passes(self) -> Self:
        low, high = self.min_brightness, self.max_brightness
        if isinstance(low, float) and isinstance(high, float) and low >= high:
            raise ValueError(f"min_brightness is {low:g}, must be below max_brightness, {high:g}")
        return self


class Split(Section):
    """Shares of the three splits, and what counts as the same picture; null or off: pictures are not compared."""

    train: Share
    valid: Share
    test: Share
    near_duplicate_distance: Annotated[int, Field(ge=0, le=16)] | None

    @field_validator("near_duplicate_distance", mode="before")
    @classmethod
    def _off_is_null(cls, given: object) -> object:
        return None if given is False else given  # YAML reads off as false

    @model_validator(mode="after")
    def _shares_sum_to_one(self) -> Self:
        total = self.train + self.valid + self.test
        if abs(total - 1) > 1e-9:
            raise ValueError(f"train + valid + test is {total:g}, must be 1")
        return self


class Labels(Section):
    """Which labels are suspect, and what training does with them."""

    suspects: Literal["keep", "down_weight", "drop"]
    threshold: Share
    min_accuracy: Share
    min_precision: Share


class Augment(Section):
    """How many variants of a training picture, and how far each may go."""

    variants: int = Field(ge=0)
    contrast: float = Field(ge=0, lt=1)
    brightness: float = Field(ge=0, lt=1)
    perspective: float = Field(ge=0, le=0.3)
    rotation: float = Field(ge=0, le=180)
    zoom: float = Field(ge=0, lt=1)
    hue: float = Field(ge=0, le=0.5)
    light: Share
    mirror: bool
    blur: float = Field(ge=0)
    jpeg_quality: int = Field(ge=10, le=100)


class Preprocess(Section):
    """What the network sees: the whole picture, or each region that a domain finds in it."""

    crop: Crop = "none"  # of versions from before there was a choice
    size: int = Field(ge=32, le=1024)
    fit: Literal["crop", "pad", "squash"]


class Train(Section):
    """The recipe."""

    arch: str
    init: str = Field(pattern=r"^(scratch|rendered|imagenet|file:.+|registry:[0-9]+)$")
    schedule: Literal["auto", "one_cycle", "fine_tune"]
    epochs: OrAuto[Count]
    batch_size: Count
    learning_rate: Positive
    weight_decay: float = Field(ge=0)
    class_weights: bool
    device: Literal["auto", "cpu", "cuda"]


class Evaluate(Section):
    """How the test split is measured."""

    bootstrap_samples: Count
    target_risk: Share
    max_out_of_distribution: Share
    biggest_errors: Count
    golden_images: Count
    perturbations: list[str] | None  # null: all that the domain has


class Gate(Section):
    """What a version must reach to be promoted."""

    max_error_rate: OrAuto[Share]
    max_ece: Share
    max_model_megabytes: Positive
    max_parity: Positive
    max_flip_rate: OrAuto[Share] | None
    min_expected_flip_rate: Share | None
    champion_confidence: Share
    max_changed_answers: Share


class Release(Section):
    """Who may sign a version."""

    trusted_keys: str = Field(min_length=1)  # the folder of their public keys


class Params(Section):
    """The whole of params.yaml."""

    base: Base
    execution: Execution
    snapshot: Snapshot
    collect: Collect
    validate_: Validate = Field(alias="validate")
    split: Split
    labels: Labels
    augment: Augment
    preprocess: Preprocess
    train: Train
    evaluate: Evaluate
    gate: Gate
    release: Release = Release(trusted_keys="keys")  # of projects from before versions were signed


def parse(document: Any, where: str = "params.yaml") -> Params:
    """Return the typed params of a parsed YAML document; raise ParamsError that names the first wrong key."""
    return _parsed(document, where, Params)


def read(path: Path) -> Params:
    """Return the typed params of a file; raise ParamsError when it is missing, not YAML or wrong."""
    return read_as(path, Params)


def read_as(path: Path, kind: type[Read]) -> Read:
    """Return the typed content of a file of params of any kind; raise ParamsError when it is missing, not YAML or wrong."""
    import yaml  # the serving image carries this module for its types, and no YAML

    try:
        document = class_names.as_written(plain_files.read(path, LARGEST).decode())
    except FileNotFoundError as error:
        raise ParamsError(f"{path.name}: not found in {path.parent}; run from the project's root") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ParamsError(f"{path.name}: not YAML: {' '.join(str(error).split())}") from error
    return _parsed(document, path.name, kind)


def _parsed(document: Any, where: str, kind: type[Read]) -> Read:
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        raise ParamsError(f"{where}: {wrong_params.sentence(error, kind)}") from error
