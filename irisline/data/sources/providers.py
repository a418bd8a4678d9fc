"""Which providers there are, which are refused and why, and how one is made from params and the environment.

Knows no provider's manners: each has a file of its own.
"""


from irisline.data.sources.candidate import Candidate, Provider
from irisline.errors import SearchFailed
from irisline.params import Params



def provider(name: str, settings: Params) -> Provider:
    """Give the provider of that name; it reads its key from the environment, and searches nothing yet.

    Raise SearchFailed for one that is refused, with the reason, for one that nobody knows, and where a key is missing.
    """
    raise SearchFailed(f"{name}: unknown")


def local_bytes(candidate: Candidate, settings: Params) -> bytes | None:
    """Give the bytes of a picture of this machine, a file or a drawn one; None for one that must be fetched.

    Raise SearchFailed when it cannot be read or drawn any more.
    """
    return None
