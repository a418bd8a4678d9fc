"""`python -m service`: BentoML's worker in this very process, as an image starts it.

In a container BentoML's supervisor starts nothing anew, so that all it would bring is a second process of 110 MB and a
second of waiting. `bentoml serve` does the same with it.
"""

import os
import socket

from _bentoml_impl.worker import service as worker

BACKLOG = 2048


def main() -> None:
    """Answer on BENTOML_HOST and BENTOML_PORT with the Bento, or the code, that IRISLINE_BENTO names."""
    host, port = os.environ.get("BENTOML_HOST", "0.0.0.0"), int(os.environ.get("BENTOML_PORT", "3000"))  # noqa: S104
    listening = socket.create_server((host, port), backlog=BACKLOG)
    served = os.environ.get("IRISLINE_BENTO", "service.service:Irisline")
    worker.main([served, "--fd", str(listening.detach()), "--worker-id", "1", "--backlog", str(BACKLOG)])


if __name__ == "__main__":
    main()
