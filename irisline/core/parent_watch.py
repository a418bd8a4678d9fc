"""A process that ends once the one that started it has gone, however that ended: a kill tells nobody. Knows no work."""

import os
import signal
import threading
import time

LOOK = 0.5  # seconds between two looks


def end_with(parent: int, how: signal.Signals = signal.SIGKILL) -> None:
    """Send this process a signal soon after it is no longer a child of the parent; it goes on at once meanwhile."""
    threading.Thread(target=_watch, args=(parent, how), name="parent watch", daemon=True).start()


def _watch(parent: int, how: signal.Signals) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
    os.kill(os.getpid(), how)
