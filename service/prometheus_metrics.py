"""What Prometheus is told. Labels are from small sets of our own, never from what a request says: their number is bounded."""

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from irisline.inference.predictions import Prediction
    from service.live import Live

ANSWERS = Counter("irisline_answers", "Pictures answered.", ["label", "unsure", "version"])
CONFIDENCE = Histogram(
    "irisline_confidence", "Probability of the answer given.", ["label"],
    buckets=(0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0),
)  # fmt: skip
DECODE_FAILURES = Counter("irisline_decode_failures", "Pictures that could not be decoded.")
BATCH_SIZE = Histogram(
    "irisline_batch_size", "Pictures that went through the network at once.", buckets=(1, 2, 4, 8, 16, 32)
)
REQUESTS = Counter("irisline_requests", "Requests served or sent away, by route and HTTP status.", ["route", "status"])
SECONDS = Histogram(
    "irisline_request_seconds", "From a request's arrival to the start of its answer.", ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)  # fmt: skip
CUT = Counter(
    "irisline_connections_cut",
    "Connections that were ended: idle, late, unreadable, crowded out by new ones, or refused.",
    ["reason"],
)
QUEUE_DEPTH = Gauge("irisline_queue_depth", "Pictures that wait.")
# 1 is the version that is live, 0 those that were.
MODEL_INFO = Gauge(
    "irisline_model_info", "The version that is live.", ["name", "version", "digest", "precision"]
)  # fmt: skip
SWAPS = Counter("irisline_swaps", "Versions that took over while the service ran, or were refused.", ["result"])
for _result in ("done", "refused"):
    SWAPS.labels(_result)  # an increase from nothing is seen only where nothing was told before
FOLLOWING = Gauge(
    "irisline_following", "1: the registry's alias is followed; 0: it cannot be read.", ["alias"]
)  # fmt: skip


def count(prediction: "Prediction", version: int) -> None:
    """Count an answer that a version gave."""
    ANSWERS.labels(prediction.label, str(prediction.unsure).lower(), version).inc()
    CONFIDENCE.labels(prediction.label).observe(prediction.confidence)


def show_live(before: "Live | None", now: "Live") -> None:
    """Show which version is live instead of which."""
    for live, value in ((before, 0), (now, 1)):
        if live:
            version = live.identity
            MODEL_INFO.labels(version.name, version.version, version.digest, live.classifier.precision).set(value)
