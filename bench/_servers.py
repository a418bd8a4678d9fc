"""A contender as a process: started, waited for, and ended with all that it started. Knows nothing of what it serves.

Each has a session of its own, as BentoML gives its workers: Linux shares the cores between sessions.
"""

import signal
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench import _load, _project
from bench._contenders import Contender

READY = 120.0  # seconds to wait for a server: all of them may be starting at the same time
AWAKE = 0.05  # seconds from waking one to asking it
ENDED = 10.0  # seconds to wait for one to end by itself
QUIET = {"BENTOML_DO_NOT_TRACK": "True", "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONWARNINGS": "ignore"}


@dataclass
class Server:
    """A contender that runs."""

    contender: Contender
    port: int
    process: psutil.Popen
    log: Path
    requests: list[bytes]  # one for each picture

    def wait(self) -> None:
        """Wait until it answers a picture; raise SystemExit with its log when it does not."""
        deadline = time.monotonic() + READY
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"bench: {self.contender.name} does not start\n{self.log.read_text()[-3000:]}")
            time.sleep(0.2)

    def processes(self) -> list[psutil.Process]:
        """Return the process and all it has started."""
        return [self.process, *self.process.children(recursive=True)]

    def rest(self) -> None:
        """Let it stand still: some take a part of the cores while nobody asks."""
        self._all(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on."""
        self._all(signal.SIGCONT)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let it go on during the block only."""
        self.wake()
        time.sleep(AWAKE)
        try:
            yield
        finally:
            self.rest()

    def _all(self, sign: signal.Signals) -> None:
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(sign)

    def _answers(self) -> bool:
        with suppress(OSError):
            return _load.once(self.port, self.requests[0]).status == 200
        return False


@contextmanager
def running(contender: Contender, pictures: Sequence[bytes], folder: Path) -> Iterator[Server]:
    """Yield a contender that has been started in a folder of its own; end it afterwards."""
    folder.mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind((_load.HOST, 0))
        port = probe.getsockname()[1]
    words = [word.format(port=port) for word in contender.words]
    environment = _project.environment() | QUIET | {"BENTOML_HOME": str(folder / "bentoml"), **contender.environment}
    log = folder / "log"
    with log.open("w") as written:
        process = psutil.Popen(
            words, cwd=folder, env=environment, stdout=written, stderr=written, start_new_session=True
        )
    server = Server(contender, port, process, log, [contender.request(picture) for picture in pictures])
    try:
        yield server
    finally:
        _end(server)


def _end(server: Server) -> None:
    all_of_it = server.processes() if server.process.is_running() else []
    server.wake()
    for stop in (psutil.Process.terminate, psutil.Process.kill):
        for process in all_of_it[:1] if stop is psutil.Process.terminate else all_of_it:
            with suppress(psutil.NoSuchProcess):
                stop(process)
        psutil.wait_procs(all_of_it, timeout=ENDED)
