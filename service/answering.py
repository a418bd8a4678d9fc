"""From what was seen of pictures to answers, by the live version, and what an answer rests on. Knows nothing of waiting."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from irisline.core.errors import IrislineError, UnreadableImage
from irisline.dataset.crops import View
from irisline.inference import saliency
from irisline.inference.out_of_distribution import Neighbour
from irisline.inference.predictions import Prediction
from irisline.inference.runtime import Outputs
from service.live import Live


@dataclass(frozen=True)
class Answer:
    """A prediction and the version that gave it, with what it rests on where that was asked; or why it cannot be decoded."""

    live: Live
    prediction: Prediction | UnreadableImage
    views: Sequence[View] = ()
    outputs: Outputs | None = None
    saliency: list[list[float]] | None = None
    nearest: Sequence[Neighbour] = ()


def predict(live: Live, prepared: Sequence[list[View] | Exception]) -> Iterator[Answer | Exception]:
    """Yield an answer to each picture, or the error that stands in its place; the network sees all of them at once."""
    outputs = iter(live.classifier.outputs_of([seen for seen in prepared if not isinstance(seen, Exception)]))
    for seen in prepared:
        if isinstance(seen, UnreadableImage):
            yield Answer(live, seen)
        elif isinstance(seen, Exception):
            yield seen
        else:
            given = next(outputs)
            yield Answer(live, live.classifier.reader.picture(seen, given), seen, given)


def explain(answer: Answer) -> Answer:
    """Return an answer with what it rests on."""
    if not answer.views or answer.outputs is None:  # nothing was looked at
        return answer
    classifier = answer.live.classifier
    fall = saliency.occlusion(classifier, answer.views[0].pixels).round(4).tolist()
    return replace(answer, saliency=fall, nearest=classifier.reader.nearest(answer.views, answer.outputs))


def without_frames(error: Exception) -> Exception:
    """Return an expected error without the frames it came through, which hold the picture and the answer that holds the error.

    Such a circle is left to the garbage collector, and many pictures may come before it looks.
    """
    if isinstance(error, IrislineError):
        error.__traceback__ = error.__cause__ = error.__context__ = None
    return error
