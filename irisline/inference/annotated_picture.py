"""A picture with what a model made of it: the regions it found, what each says, what the answer rests on, what it is like.

Drawn with Pillow. Knows nothing of files.
"""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from irisline.core import display_names
from irisline.dataset import images
from irisline.dataset.crops import View
from irisline.dataset.images import Pixels
from irisline.inference import saliency
from irisline.inference.classifier import Classifier
from irisline.inference.out_of_distribution import Neighbour
from irisline.inference.predictions import Prediction, Subject

SIDE = 200  # pixels of a square
SMALL = 96  # of a training picture's
SIGNS = 15  # that fit below one
GAP = 12
MOST = 3  # classes below a square
LINE = 24  # of what is said above the picture
MARK = 16  # that a number needs
PAPER, INK, RING = "white", "#222222", "#f0e442"  # yellow of Okabe and Ito (2008), told from others by all
DARKEST = 0.35  # brightness left where covering changes nothing


def draw(classifier: Classifier, data: bytes) -> bytes:
    """Return a PNG of one picture, its answer, its views and the nearest training pictures; raise UnreadableImage."""
    picture = images.decode(data, classifier.max_side, classifier.max_pixels)
    ((views, outputs),) = classifier.read([data])
    answer = classifier.reader.picture(views, outputs)
    shown = _above(_ringed(picture, views), classifier.reader.nearest(views, outputs))
    lines, rows = sentences(answer), max(1, len(views))
    below = GAP + LINE * len(lines)
    height = max(shown.height, rows * (SIDE + 3 * GAP)) + below + GAP
    sheet = Image.new("RGB", (shown.width + 2 * SIDE + 4 * GAP, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    for at, line in enumerate(lines):
        pen.text((GAP, GAP + LINE * at), line, fill=INK, font=display_names.font(15))
    sheet.paste(shown, (GAP, below))
    for number, view in enumerate(views):
        top = below + number * (SIDE + 3 * GAP)
        heat = saliency.occlusion(classifier, view.pixels)
        for column, square in enumerate((view.pixels, _heated(view.pixels, heat))):
            place = (shown.width + 2 * GAP + column * (SIDE + GAP), top)
            sheet.paste(_upright(square).resize((SIDE, SIDE), Image.Resampling.BICUBIC), place)
        shares = classifier.reader.shares(outputs.logits[number]).items()
        told = [f"{name} {share:.0%}" for name, share in sorted(shares, key=lambda each: -each[1])[:MOST]]
        whose = _number(view, views)
        text = "  ".join([f"{whose}:", *told] if whose else told)
        pen.text((shown.width + 2 * GAP, top + SIDE + 2), text, fill=INK, font=display_names.font(11))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def sentences(answer: Prediction) -> list[str]:
    """Say what the answer is, and what it is of each subject where there are several."""
    subjects = answer.subjects if len(answer.subjects) > 1 else ()
    return [_said(answer), *(f"{number}: {_said(each)}" for number, each in enumerate(subjects, start=1))]


def _said(answer: Prediction | Subject) -> str:
    return f"unsure: {answer.reason}" if answer.unsure else f"{answer.label}, {answer.confidence:.0%} sure"


def _number(view: View, views: Sequence[View]) -> str:
    """Return the number of the subject a view is of, where there are several."""
    return str(view.subject + 1) if any(other.subject for other in views) else ""


def _ringed(picture: Image.Image, views: Sequence[View]) -> Image.Image:
    shown = picture.copy()
    pen = ImageDraw.Draw(shown)
    for view in views:
        if view.place:
            x, y = view.place.x * picture.width, view.place.y * picture.height
            radius = view.place.radius * picture.width
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=RING, width=2)
            beside = min(x + radius, picture.width - MARK), max(y - radius, MARK)
            pen.text(beside, _number(view, views), RING, display_names.font(15), "lb", stroke_width=2, stroke_fill=INK)
    return shown


def _above(shown: Image.Image, nearest: Sequence[Neighbour]) -> Image.Image:
    """Return a picture with the nearest training pictures in a row below."""
    if not nearest:
        return shown
    step, top = SMALL + GAP, shown.height + 2 * GAP
    sheet = Image.new("RGB", (max(shown.width, len(nearest) * step), top + step + GAP), PAPER)
    sheet.paste(shown, (0, 0))
    pen, font = ImageDraw.Draw(sheet), display_names.font(11)
    pen.text((0, shown.height + 4), "Nearest training pictures", fill=INK, font=font)
    for place, each in enumerate(nearest):
        thumbnail = Image.open(io.BytesIO(each.thumbnail), formats=["JPEG"])
        sheet.paste(thumbnail.resize((SMALL, SMALL), Image.Resampling.BICUBIC), (place * step, top))
        pen.text((place * step, top + SMALL + 2), display_names.short(each.label, SIGNS), fill=INK, font=font)
    return sheet


def _heated(square: Pixels, heat: NDArray[np.float64]) -> Pixels:
    """Return the square darkened where covering it changes little."""
    size = square.shape[1]
    coarse = Image.fromarray(np.clip(heat, 0, None).astype(np.float32))
    strength = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC)).clip(0)
    strength = strength / max(float(strength.max()), 1e-9)
    return np.asarray(square * (DARKEST + (1 - DARKEST) * strength), dtype=np.uint8)


def _upright(square: Pixels) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(square.transpose(1, 2, 0)))
