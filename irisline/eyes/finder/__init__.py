"""The eyes in a picture, and the square around each iris that a network sees; the same code in training and service.

`find` gives the people whose eyes can be seen; `crop` gives the square of an eye, `balanced` the same in
white light. Needs numpy, Pillow and OpenCV only.
"""

import cv2

from irisline.eyes.finder.finder import Eye, Face, Found, find
from irisline.eyes.finder.iris_crop import crop, visibility
from irisline.eyes.finder.white_balance import balanced

cv2.setNumThreads(1)  # who looks at many pictures does so side by side

__all__ = ["Eye", "Face", "Found", "balanced", "crop", "find", "visibility"]
