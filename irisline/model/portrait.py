"""A picture with what a model made of it: the eyes it found, what each says, what the answer rests on, what it is like.

Drawn with Pillow. Knows nothing of files.
"""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from irisline.data import images
from irisline.data.images import Pixels
from irisline.data.views import View
from irisline.model import saliency
from irisline.model.answers import Person, Prediction
from irisline.model.classifier import Classifier
from irisline.model.neighbours import Neighbour

SIDE = 200  # pixels of a square
SMALL = 96  # of a training picture's
GAP = 12
PAPER, INK, RING = "white", "#222222", "#f0e442"  # yellow of Okabe and Ito (2008), told from others by all
DARKEST = 0.35  # brightness left where covering changes nothing


def draw(classifier: Classifier, data: bytes) -> bytes:
    """Give a PNG of one picture, its answer, its views and the nearest training pictures; raise UnreadableImage."""
    picture = images.decode(data, classifier.max_side, classifier.max_pixels)
    ((views, outputs),) = classifier.read([data])
    answer = classifier.reader.picture(views, outputs)
    shown = _above(_ringed(picture, views), classifier.reader.nearest(views, outputs))
    rows = max(1, len(views))
    sheet = Image.new(
        "RGB", (shown.width + 2 * SIDE + 4 * GAP, max(shown.height, rows * (SIDE + 3 * GAP)) + 4 * GAP), PAPER
    )
    pen = ImageDraw.Draw(sheet)
    pen.text((GAP, GAP), sentence(answer), fill=INK, font=ImageFont.load_default(16))
    sheet.paste(shown, (GAP, 3 * GAP))
    for number, view in enumerate(views):
        top = 3 * GAP + number * (SIDE + 3 * GAP)
        heat = saliency.occlusion(classifier, view.pixels)
        for column, square in enumerate((view.pixels, _heated(view.pixels, heat))):
            place = (shown.width + 2 * GAP + column * (SIDE + GAP), top)
            sheet.paste(_upright(square).resize((SIDE, SIDE), Image.Resampling.BICUBIC), place)
        shares = classifier.reader.shares(outputs.logits[number])
        text = "  ".join(f"{name} {share:.0%}" for name, share in shares.items())
        pen.text((shown.width + 2 * GAP, top + SIDE + 2), text, fill=INK, font=ImageFont.load_default(13))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def sentence(answer: Prediction) -> str:
    """Say what the answer is, of each person where there are several."""
    told: Sequence[Prediction | Person] = answer.people if len(answer.people) > 1 else [answer]
    return "; ".join(
        f"unsure: {one.reason}" if one.unsure else f"{one.label}, {one.confidence:.0%} sure" for one in told
    )


def _ringed(picture: Image.Image, views: Sequence[View]) -> Image.Image:
    shown = picture.copy()
    pen = ImageDraw.Draw(shown)
    for view in views:
        if view.place:
            x, y = view.place.x * picture.width, view.place.y * picture.height
            radius = view.place.radius * picture.width
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=RING, width=2)
    return shown


def _above(shown: Image.Image, nearest: Sequence[Neighbour]) -> Image.Image:
    """Give a picture with the nearest training pictures in a row below."""
    if not nearest:
        return shown
    step, top = SMALL + GAP, shown.height + 2 * GAP
    sheet = Image.new("RGB", (max(shown.width, len(nearest) * step), top + step + GAP), PAPER)
    sheet.paste(shown, (0, 0))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    pen.text((0, shown.height + 4), "Nearest training pictures", fill=INK, font=font)
    for place, each in enumerate(nearest):
        thumbnail = Image.open(io.BytesIO(each.thumbnail), formats=["JPEG"])
        sheet.paste(thumbnail.resize((SMALL, SMALL), Image.Resampling.BICUBIC), (place * step, top))
        pen.text((place * step, top + SMALL + 2), each.label, fill=INK, font=font)
    return sheet


def _heated(square: Pixels, heat: NDArray[np.float64]) -> Pixels:
    """Give the square darkened where covering it changes little."""
    size = square.shape[1]
    coarse = Image.fromarray(np.clip(heat, 0, None).astype(np.float32))
    strength = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC)).clip(0)
    strength = strength / max(float(strength.max()), 1e-9)
    return np.asarray(square * (DARKEST + (1 - DARKEST) * strength), dtype=np.uint8)


def _upright(square: Pixels) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(square.transpose(1, 2, 0)))
