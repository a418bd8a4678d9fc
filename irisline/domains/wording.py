"""The words of each domain."""

from collections.abc import Mapping

from irisline.core.domain import Wording
from irisline.core.params import Crop
from irisline.eyes import wording as eyes
from irisline.whole_picture import wording as whole_picture

OF: Mapping[Crop, Wording] = {"none": whole_picture.WORDING, "eyes": eyes.WORDING}
