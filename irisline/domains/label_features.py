"""What each domain judges labels by: a short row of numbers, float32 (d,), of a square uint8 (3, size, size)."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from irisline.core.params import Crop
from irisline.eyes import label_features as eyes

OF_SQUARE: Mapping[Crop, Callable[[NDArray[np.uint8]], NDArray[np.float32]]] = {"eyes": eyes.contrasts}
