"""What the environment says of the service's limits, keys and model, read once and frozen."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from irisline.core.errors import IrislineError

if TYPE_CHECKING:
    from irisline.inference.trusted_keys import Key

PREFIX = "IRISLINE_"


def _listed(value: object) -> object:
    """Take a comma-separated text as a list."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class Settings(BaseModel):
    """Limits, keys and the place of the model. Sizes in bytes, times in seconds."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    model: Path = Path("model")  # the folder of the version that is served first
    trusted_keys: Path = Path("keys")  # the folder of the public keys that may have signed what is served
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(0, ge=0)  # that answer; 0: one per core
    max_batch: int = Field(8, ge=1)  # pictures that go through the network at once
    max_queue: int = Field(128, ge=1)  # pictures that may wait; then whoever has most waiting gets 503
    max_bytes: int = Field(10 * 2**20, ge=1024)  # of one request
    max_bytes_held: int = Field(64 * 2**20, ge=1024)  # of all requests; then the newest of whoever holds most get 503
    max_images: int = Field(32, ge=1)  # of one request
    max_seconds: float = Field(0.7, gt=0)  # of processor that the pictures of one request may take
    max_decode_bytes: int = Field(256 * 2**20, ge=2**25)  # of memory that decoding one picture may take
    timeout: float = Field(10.0, gt=0)  # for a body to arrive, and again for its answer
    head_timeout: float = Field(5.0, gt=0)  # for the head of a request to arrive, and to wait for another request
    max_connections: int = Field(512, ge=1)  # fewer where the process may not open so many files
    max_connections_per_address: int = Field(128, ge=0)  # 0: as many as there may be in all
    api_keys: Annotated[list[SecretStr], BeforeValidator(_listed)] = []  # when there is one, a request must bring one
    cors_origins: Annotated[list[str], BeforeValidator(_listed)] = []
    follow: str = ""  # an alias of the registry; empty: stay what you are
    follow_seconds: float = Field(0.5, gt=0)  # between two looks at the alias

    @cached_property
    def keys(self) -> "tuple[Key, ...]":
        """The keys that were in the folder when the first was needed: what comes later is not trusted."""
        from irisline.inference.trusted_keys import trusted

        return trusted(self.trusted_keys)

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Return the settings of an environment; raise IrislineError that names the first wrong variable, not its value."""
        given: dict[str, Any] = {
            name: value for name in cls.model_fields if (value := environment.get(PREFIX + name.upper(), "")) != ""
        }
        try:
            settings = cls(**given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = PREFIX + str(first["loc"][0]).upper()
            raise IrislineError(f"{name}: {first['msg']}; correct it or leave it unset") from error
        if given.get("api_keys") and not settings.api_keys:
            raise IrislineError(f"{PREFIX}API_KEYS: is set and holds no key; give one, or leave it unset")
        return settings
