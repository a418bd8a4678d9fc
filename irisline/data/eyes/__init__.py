"""The eyes in a picture, and the square around each iris that a network sees; the same code in training and service.

`find` gives the people whose eyes can be seen; `crop` gives the square of an eye. Needs numpy, Pillow and OpenCV only.
"""

from irisline.data.eyes.cropping import crop, visibility
from irisline.data.eyes.finding import NO_EYE, Eye, Face, Found, find

__all__ = ["NO_EYE", "Eye", "Face", "Found", "crop", "find", "visibility"]
