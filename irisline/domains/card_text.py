"""What each domain adds to the model card."""

from collections.abc import Mapping

from irisline.core.domain import CardText
from irisline.core.params import Crop
from irisline.eyes import card_text as eyes
from irisline.whole_picture import card_text as whole_picture

OF: Mapping[Crop, CardText] = {"none": whole_picture.CARD, "eyes": eyes.CARD}
