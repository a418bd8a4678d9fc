"""What Prometheus is told beside BentoML's own numbers. Knows names and labels; nobody reads pictures here."""

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from irisline.model.classifier import Prediction
    from irisline.model.identity import Identity

ANSWERS = Counter("irisline_answers", "Pictures answered.", ["label", "unsure", "version"])
CONFIDENCE = Histogram(
    "irisline_confidence", "Probability of the answer given.", ["label"],
    buckets=(0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0),
)  # fmt: skip
DECODE_FAILURES = Counter("irisline_decode_failures", "Pictures that could not be decoded.")
BATCH_SIZE = Histogram(
    "irisline_batch_size", "Pictures that went through the network at once.", buckets=(1, 2, 4, 8, 16, 32)
)
REFUSED = Counter("irisline_requests_refused", "Requests sent away, by HTTP status.", ["status"])
QUEUE_DEPTH = Gauge("irisline_queue_depth", "Pictures that wait.", multiprocess_mode="livesum")
# An info metric cannot be kept for several processes: 1 is the version that is live, 0 those that were.
MODEL_INFO = Gauge(
    "irisline_model_info", "The version that is live.", ["name", "version", "digest", "precision"],
    multiprocess_mode="livemax",
)  # fmt: skip
SWAPS = Counter("irisline_swaps", "Versions that took over while the service ran, or were refused.", ["result"])


def count(prediction: "Prediction", version: int) -> None:
    """Count an answer that a version gave."""
    ANSWERS.labels(prediction.label, str(prediction.unsure).lower(), version).inc()
    CONFIDENCE.labels(prediction.label).observe(prediction.confidence)


def show_live(before: "Identity | None", now: "Identity") -> None:
    """Show which version is live instead of which."""
    for identity, value in ((before, 0), (now, 1)):
        if identity:
            MODEL_INFO.labels(identity.name, identity.version, identity.digest, identity.precision).set(value)
