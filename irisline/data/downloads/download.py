"""One picture of the web: what came of fetching it, and the limits it was fetched within. Knows nothing of how many there are."""

from dataclasses import dataclass
from pathlib import Path

FETCHED = "fetched"
DEAD = "dead"  # 404, 410
DENIED = "denied"  # 401, 403, 451
OPTED_OUT = "opted_out"  # X-Robots-Tag: noai, noimageai
NOT_PUBLIC = "not_public"  # no public http(s) address, or a redirect to such
UNREACHABLE = "unreachable"  # no such name, refused, TLS, broken off, another answer
UNWELL = "unwell"  # 5xx or 429, after all retries
TIMEOUT = "timeout"
TOO_LARGE = "too_large"
NOT_A_PICTURE = "not_a_picture"
TOO_MANY_PIXELS = "too_many_pixels"
DAMAGED = "damaged"  # cut short, or longer or shorter than it says
TOO_MANY_REDIRECTS = "too_many_redirects"


@dataclass(frozen=True)
class Limits:
    """How far a download may go, and how politely."""

    max_bytes: int
    max_pixels: int
    timeout: float  # seconds for a whole picture with its redirects, however slowly it drips; waiting for a turn apart
    concurrency: int
    per_host: int
    agent: str  # the User-Agent
    allowed: frozenset[str] = frozenset()  # host:port that may be reached though not public


@dataclass(frozen=True)
class Download:
    """What came of one address."""

    url: str
    status: str
    detail: str  # a sentence for people; nothing when the picture was fetched
    file: Path | None = None
    sha256: str = ""  # of the file's bytes
    bytes: int = 0
    width: int = 0
    height: int = 0
    kind: str = ""  # the file's ending: jpg, png or webp
