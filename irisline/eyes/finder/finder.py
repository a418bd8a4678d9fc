"""The eyes in a picture: of each face, of a band with both eyes, of a close-up of one; or the reason why there are none.

Training rows, evaluation and the service all find here. The same picture gives the same eyes; nothing is kept between calls.
Knows nothing of labels, params or files.
"""

import math
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np
from PIL import Image

from irisline.eyes.finder.faces import IRIS_SHARES, Box, eye_window, find_faces
from irisline.eyes.finder.iris_candidates import candidates
from irisline.eyes.finder.iris_network import Numbers, Verdict, as_array, judge, moved
from irisline.eyes.finder.pyramid import Pixels, Pyramid
from irisline.eyes.wording import WORDING

Framing = Literal["face", "eyes", "eye"]


TILTS = (-20.0, 20.0)
"""Degrees at which faces are looked for when nothing else is found."""

LOOKS = 3
"""How often a place is judged and moved to where the verdict says."""

PER_LEVEL = 6
PER_LEVEL_IN_FACE = 6

WORTH_A_LOOK = 0.02
"""Probability below which a place is not looked at again."""

SURE, POSSIBLE = 0.6, 0.25
SURE_IN_FACE, POSSIBLE_IN_FACE = 0.35, 0.1
"""Probabilities from which a place is an eye, and from which it is the second of one: less is asked where a face is."""

CLOSE_UP = 0.05
SURE_IF_SMALL = 0.9
"""A single eye without a face is a close-up: its radius is at least this share of the longer side, or it is very sure."""

OPEN = 0.3
"""Share of the iris that the lids must leave open."""

SMALLEST_IRIS = 2.2
IRIS_OF_PICTURE = (0.016, 0.30)
"""Least radius in pixels; least and greatest in shares of the longer side."""

APART = (7.0, 15.0)
"""Least and greatest distance between the irises of a person in iris radii; 10.7 on average, less of a turned head."""

ALIKE = 1.4
STEEPEST = math.radians(38)


@dataclass(frozen=True)
class Eye:
    """An iris: centre and radius in pixels, probability that it is one, share of it that the lids leave open."""

    x: float
    y: float
    radius: float
    confidence: float
    openness: float


@dataclass(frozen=True)
class Face:
    """The one or two eyes of a person, left to right in the picture, and how the picture shows them."""

    eyes: tuple[Eye, ...]
    framing: Framing

    @property
    def tilt(self) -> float:
        """Return the angle in radians of the line through both eyes, clockwise; 0 of a single eye."""
        if len(self.eyes) < 2:
            return 0.0
        left, right = self.eyes
        return math.atan2(right.y - left.y, right.x - left.x)


@dataclass(frozen=True)
class Found:
    """The people in a picture whose eyes can be seen, the nearest first; without any, the reason.

    Faces far smaller than the others are left out.
    """

    faces: tuple[Face, ...]
    reason: str


def find(picture: Image.Image) -> Found:
    """Return the eyes in an upright RGB picture."""
    pixels = np.asarray(picture, dtype=np.uint8)
    faces = _of_faces(pixels, 0.0) or _anywhere(pixels)
    for tilt in TILTS if not faces else ():
        faces = faces or _of_faces(pixels, tilt)
    faces.sort(key=lambda face: (-face.eyes[0].radius, face.eyes[0].x, face.eyes[0].y))
    return Found(tuple(faces), "" if faces else WORDING.nothing_found)


def _of_faces(pixels: Pixels, tilt: float) -> list[Face]:
    near_then_far = (_in_faces(pixels, boxes) for boxes in find_faces(pixels, tilt))
    return next(filter(None, near_then_far), [])


def _in_faces(pixels: Pixels, boxes: list[Box]) -> list[Face]:
    """Return the faces in boxes whose eyes can be seen, each once: boxes may overlap."""
    faces: list[Face] = []
    for box in boxes:
        face = _in_face(pixels, box)
        known = [eye for other in faces for eye in other.eyes]
        if face and not any(_distance(eye, other) < eye.radius for eye in face.eyes for other in known):
            faces.append(face)
    return faces


def _in_face(pixels: Pixels, box: Box) -> Face | None:
    left, top, right, bottom = eye_window(box, pixels)
    if right - left < 8 or bottom - top < 8:
        return None
    smallest = max(IRIS_SHARES[0] * box.side, SMALLEST_IRIS)
    pyramid = Pyramid(np.ascontiguousarray(pixels[top:bottom, left:right]), smallest)
    seen = look(pyramid, IRIS_SHARES[1] * box.side, PER_LEVEL_IN_FACE)
    eyes = [replace(eye, x=eye.x + left, y=eye.y + top) for eye in seen if eye.confidence >= POSSIBLE_IN_FACE]
    if not eyes or eyes[0].confidence < SURE_IN_FACE:
        return None
    together = [pair for pair in pairs(eyes) if max(eye.confidence for eye in pair) >= SURE_IN_FACE]
    return Face(together[0] if together else (eyes[0],), "face")


def _anywhere(pixels: Pixels) -> list[Face]:
    """Return faces for eyes that no face was found around: a band, a close-up, a head that is tilted or cut off."""
    longest = max(pixels.shape[:2])
    pyramid = Pyramid(pixels, max(IRIS_OF_PICTURE[0] * longest, SMALLEST_IRIS))
    eyes = look(pyramid, IRIS_OF_PICTURE[1] * longest, PER_LEVEL)
    possible = [eye for eye in eyes if eye.confidence >= POSSIBLE]
    together = [pair for pair in pairs(possible) if max(eye.confidence for eye in pair) >= SURE]
    if together:
        return [Face(pair, "eyes") for pair in together]
    alone = [eye for eye in eyes if eye.confidence >= (SURE if eye.radius >= CLOSE_UP * longest else SURE_IF_SMALL)]
    return [Face((alone[0],), "eye")] if alone else []


def look(pyramid: Pyramid, largest: float, per_level: int) -> list[Eye]:
    """Return the eyes among the likeliest places with a radius up to a largest one, the surest first, none twice."""
    places = as_array(candidates(pyramid, largest, per_level))
    if not len(places):
        return []
    verdict = judge(pyramid, places)
    for _ in range(LOOKS - 1):
        worth = verdict.probability >= WORTH_A_LOOK
        places = moved(places, verdict)[worth]
        if not len(places):
            return []
        verdict = judge(pyramid, places)
    return _distinct(moved(places, verdict), verdict)


def _distinct(places: Numbers, verdict: Verdict) -> list[Eye]:
    kept: list[Eye] = []
    for i in np.argsort(-verdict.probability, kind="stable"):
        x, y, radius = (float(value) for value in places[i])
        eye = Eye(x, y, radius, float(verdict.probability[i]), float(verdict.openness[i]))
        if eye.openness >= OPEN and all(_distance(eye, other) > eye.radius + other.radius for other in kept):
            kept.append(eye)
    return kept


def _distance(one: Eye, other: Eye) -> float:
    return math.hypot(one.x - other.x, one.y - other.y)


def pairs(eyes: list[Eye]) -> list[tuple[Eye, Eye]]:
    """Return the pairs of eyes that may be one person's, left to right, the surest first; no eye is in two."""
    fitting = [pair for pair in combinations(sorted(eyes, key=lambda eye: eye.x), 2) if _one_person(*pair)]
    taken: list[tuple[Eye, Eye]] = []
    for left, right in sorted(fitting, key=lambda pair: -pair[0].confidence * pair[1].confidence):
        if not any(eye in pair for pair in taken for eye in (left, right)):
            taken.append((left, right))
    return taken


def _one_person(left: Eye, right: Eye) -> bool:
    radius = math.sqrt(left.radius * right.radius)
    alike = 1 / ALIKE < left.radius / right.radius < ALIKE
    level = abs(math.atan2(right.y - left.y, right.x - left.x)) < STEEPEST
    return alike and level and APART[0] < _distance(left, right) / radius < APART[1]
