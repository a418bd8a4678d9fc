"""An alias of the registry, watched from a process of its own: each version it names is fetched, proven, and told as a line.

A service starts this beside itself, so that no registry client is loaded where pictures are answered. One JSON document a
line on standard output: {"version", "folder"} for a version that is there, {"version", "failed"} for one that cannot be
had or a store that cannot be read, {} when the store can be read again. Between them an empty line each second says that this
process lives. Knows nothing of services.
"""

import json
import os
import shutil
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from irisline.core import parent_watch
from irisline.core.errors import IrislineError, NotFound
from irisline.release.packaging import version_folder
from irisline.release.signatures import signed
from irisline.release.tracking import store, versions

if TYPE_CHECKING:
    from mlflow import MlflowClient


BEAT = 1.0  # seconds between two lines that say that this lives
LONGEST_LOOK = 600.0  # seconds: a look that takes longer is stuck
LONGEST = 60.0  # seconds before a version that could not be had is tried again; the alias is looked at all the while


@dataclass
class Watch:
    """What was told last, so that only news is told."""

    model: str
    alias: str
    folder: Path
    gpu: bool = False
    number: int | None = None  # the version that was told
    failure: str | None = None
    failed: int | None = None  # the version that could not be had
    tries: int = 0
    again: float = 0.0  # when that one is tried again
    since: float = field(default_factory=time.monotonic)  # when the last look began

    def look(self) -> dict[str, Any] | None:
        """Return the news, or None."""
        self.since = time.monotonic()
        wanted: int | None = None
        try:
            client = store.client()
            with store.one_line_failures():
                wanted = versions.aliases_of(client, self.model).get(self.alias)
                if wanted is None:
                    raise NotFound(f"{self.model} has no {self.alias}; type irisline promote")
                if wanted == self.number:
                    return self._settled()
                if wanted == self.failed and time.monotonic() < self.again:
                    return None
                self._bring(client, versions.get(client, self.model, wanted))
        except IrislineError as error:
            return self._failed(wanted, str(error))
        self._forget(keep={wanted, self.number})
        self.number, self.failure, self.failed, self.tries = wanted, None, None, 0
        return {"version": wanted, "folder": str(self._place(wanted))}

    def _bring(self, client: "MlflowClient", version: versions.Version) -> None:
        """Have a signed version's folder, without a second copy of it: where this runs, the disk may be memory."""
        place, proven = self._place(version.number), signed.verified(client, self.model, version)
        if not version_folder.renew(client, self.model, proven, place):
            version_folder.export(client, self.model, proven, place, self.gpu)
            versions.forget(proven)

    def _settled(self) -> dict[str, Any] | None:
        """Return the news that all is well again, if it was not; what failed is tried at once when it is named again."""
        was, self.failure, self.failed, self.tries = self.failure, None, None, 0
        return {} if was else None

    def _failed(self, number: int | None, reason: str) -> dict[str, Any] | None:
        if number is not None:  # else it is the store that cannot be read
            self.tries = self.tries + 1 if number == self.failed else 1
            self.failed, self.again = number, time.monotonic() + min(LONGEST, 2.0 ** min(self.tries, 10))
        if reason == self.failure:
            return None
        self.failure = reason
        return {"version": number, "failed": reason[:1000]}

    def _place(self, number: int) -> Path:
        return self.folder / f"v{number}"

    def _forget(self, keep: set[int | None]) -> None:
        for place in self.folder.glob("v*"):
            if place not in {self._place(number) for number in keep if number}:
                shutil.rmtree(place, ignore_errors=True)


def main() -> None:
    """Watch until whoever started this has gone: MODEL ALIAS FOLDER SECONDS cpu|gpu PARENT."""
    model, alias, folder, seconds, device, parent = sys.argv[1:]
    parent_watch.end_with(int(parent))
    watch = Watch(model, alias, Path(folder), device == "gpu")
    news_to = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no news
    threading.Thread(target=_beat, args=(watch, news_to), name="beat", daemon=True).start()
    while True:
        news = watch.look()
        if news is not None:
            news_to.write(json.dumps(news).encode() + b"\n")
            news_to.flush()
        time.sleep(float(seconds))


def _beat(watch: Watch, news_to: BinaryIO) -> None:
    with suppress(BrokenPipeError):
        while time.monotonic() - watch.since < LONGEST_LOOK:
            news_to.write(b"\n")
            news_to.flush()
            time.sleep(BEAT)


if __name__ == "__main__":
    main()
