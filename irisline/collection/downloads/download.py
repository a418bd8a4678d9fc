"""What came of fetching one picture, and the limits it was fetched within. Knows nothing of how it is done."""

from dataclasses import dataclass
from pathlib import Path

from irisline.core.errors import in_a_line

FETCHED = "fetched"
DEAD = "dead"  # 404, 410
DENIED = "denied"  # 401, 403, 451 and all other 4xx
OPTED_OUT = "opted_out"  # X-Robots-Tag: noai, noimageai
NOT_PUBLIC = "not_public"  # an address, or a redirect to one, that is no public http(s) place
UNREACHABLE = "unreachable"  # no such name, refused, no answer to a connection, TLS, broken off before it answered
UNWELL = "unwell"  # 5xx or 429, after all retries
TIMEOUT = "timeout"
TOO_LARGE = "too_large"
NOT_A_PICTURE = "not_a_picture"
TOO_MANY_PIXELS = "too_many_pixels"
DAMAGED = "damaged"  # cut short, of another length than it says, or no proper HTTP
TOO_MANY_REDIRECTS = "too_many_redirects"
_LONGEST = 200  # characters of a detail's reason


@dataclass(frozen=True)
class Limits:
    """How far a download may go, and how politely."""

    max_bytes: int
    max_side: int  # that is kept of a picture
    max_pixels: int
    timeout: (
        float  # seconds for a whole picture with its redirects, however slowly it drips; waiting for a turn is apart
    )
    concurrency: int
    per_host: int
    agent: str  # the User-Agent
    allowed: frozenset[str] = frozenset()  # host:port that may be reached though not public


@dataclass(frozen=True)
class Download:
    """What came of one address."""

    url: str
    status: str
    detail: str  # a sentence for people; empty when the picture was fetched
    file: Path | None = None
    sha256: str = ""  # of the file's bytes
    bytes: int = 0
    width: int = 0  # as stored, before a camera's note on which way is up
    height: int = 0
    kind: str = ""  # the file's ending: jpg, png or webp


class Refused(Exception):
    """A picture that is not fetched: its status and the sentence. It ends one download, never the run."""

    def __init__(self, status: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail.encode("utf-8", "backslashreplace").decode()  # a header may hold what no file can


def short(error: Exception) -> str:
    """Return an error as a part of a sentence."""
    return in_a_line(error, _LONGEST)
