"""Every failure a person can cause and fix, as one tree.

    IrislineError
    ├── ParamsError          params.yaml: unknown, missing or mistyped key
    ├── MissingInput         a file or folder that an earlier step should have made
    ├── UnfitFile            a pipe, folder or device in a file's place, or a file larger than it may be
    ├── DataError            the pool does not meet the data contract
    │   └── UnreadableImage  one picture that cannot be decoded
    │       └── TooCostly    one that would take too much to decode
    ├── SearchFailed         a provider of pictures that cannot be reached, or refuses
    ├── ModelError           a model that cannot be trained, exported or loaded as asked
    ├── Overloaded           a service that has more to do than it may take on
    └── ReleaseError         the registry cannot be reached, or refuses
        ├── NotFound         a version, alias or run that does not exist
        ├── GateRefused      a promotion that the evidence does not support
        └── Busy             someone else is changing the registry now

A message is one line: where, what, the limit, what to do. Where several things are wrong at once, it says how many, and details
has a line for each. Anything else that is raised is a bug and keeps its traceback.
"""

from collections.abc import Sequence


class IrislineError(Exception):
    """An expected failure. Its message is the one line a person reads; details are lines below it, where one is not enough."""

    def __init__(self, message: str = "", details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.details = tuple(details)


class ParamsError(IrislineError):
    """A key of params.yaml is unknown, missing or has a wrong value."""


class MissingInput(IrislineError):
    """Something an earlier step makes is not there."""


class UnfitFile(IrislineError):
    """In a file's place is no plain file, or one larger than it may be; the reason is fit for a table cell."""

    def __init__(self, path: object, reason: str, too_large: bool = False) -> None:
        super().__init__(f"{path}: {reason}; put the file itself there")
        self.reason, self.too_large = reason, too_large


class DataError(IrislineError):
    """The pictures do not meet the data contract."""


class UnreadableImage(DataError):
    """One picture cannot be decoded; the message is the reason, fit for a table cell."""


class TooCostly(UnreadableImage):
    """Decoding one picture would take more memory or time than is allowed: a smaller one can be read."""


class SearchFailed(IrislineError):
    """A provider of pictures cannot be reached, refuses, or is not set up."""


class ModelError(IrislineError):
    """A model cannot be trained, exported or loaded as asked."""


class Overloaded(IrislineError):
    """More is asked for than there is room for now."""


class ReleaseError(IrislineError):
    """The tracking store or the registry cannot do what was asked."""


class NotFound(ReleaseError):
    """The version, alias or run asked for does not exist."""


class GateRefused(ReleaseError):
    """The evidence does not support this promotion."""


class Busy(ReleaseError):
    """Another promotion or rollback is under way."""


def in_a_line(error: BaseException, longest: int = 120) -> str:
    """Return what another's error says, in one line; its kind where it says nothing."""
    return " ".join(str(error).split())[:longest] or type(error).__name__
