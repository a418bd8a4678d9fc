"""LitServe: a worker for each core, the fast queue, and batches, as its guide to speed advises; pictures come in base64."""

import base64
import sys
from dataclasses import asdict
from typing import Any

import litserve

from bench._peers import CORES, load
from irisline.dataset.crops import View


class Api(litserve.LitAPI):
    """The verbs of LitServe."""

    def setup(self, device: str) -> None:
        """Load the model in each worker."""
        self.classifier = load()

    def decode_request(self, request: dict[str, str]) -> list[View]:
        """Return the network's input."""
        return self.classifier.look(base64.b64decode(request["image"]))

    def batch(self, inputs: list[list[View]]) -> list[list[View]]:
        """Return inputs as one."""
        return inputs

    def predict(self, x: list[list[View]]) -> list[dict[str, Any]]:
        """Answer."""
        read = self.classifier.reader.picture
        return [asdict(read(*seen)) for seen in zip(x, self.classifier.outputs_of(x), strict=True)]

    def unbatch(self, output: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the answers one by one."""
        return output


if __name__ == "__main__":
    api = Api(max_batch_size=4, batch_timeout=0.005)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=CORES, fast_queue=True)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", generate_client_file=False)
