"""Many pictures of the web at the same time: how many at once, and of one host. Knows nothing of what a picture is."""

from collections.abc import Callable, Iterable
from pathlib import Path

from irisline.data.downloads.download import Download, Limits


def fetch_all(urls: Iterable[str], folder: Path, limits: Limits, done: Callable[[Download], None]) -> None:
    """Fetch the pictures into folder/<sha256>.<jpg|png|webp>; call done once for each url, in the order they end.

    A picture that cannot be fetched is a Download with its status and a sentence. Raise IrislineError when the disk is full.
    """
    raise NotImplementedError
