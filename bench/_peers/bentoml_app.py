"""BentoML's typed upload: a file in a form, handed over as a path. A thread for each core; off is what our service has off."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import bentoml
from bentoml.validators import ContentType

from bench._peers import CORES, load


@bentoml.service(
    threads=CORES,
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},
    tracing={"excluded_urls": ".*"},
)
class Typed:
    """Answers a picture."""

    def __init__(self) -> None:
        self.classifier = load()

    @bentoml.api
    def predict(self, image: Annotated[Path, ContentType("image/jpeg")]) -> dict[str, Any]:
        """Answer the uploaded picture."""
        (answer,) = self.classifier.predict([image.read_bytes()])
        return asdict(answer)
