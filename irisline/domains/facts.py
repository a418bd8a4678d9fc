"""What each domain measures of an upright RGB picture: the values of its columns."""

from collections.abc import Callable, Mapping

from PIL import Image

from irisline.core.params import Crop
from irisline.eyes import facts as eyes

MEASURE: Mapping[Crop, Callable[[Image.Image], Mapping[str, float | None]]] = {"eyes": eyes.measure}
