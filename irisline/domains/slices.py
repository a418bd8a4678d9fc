"""The groups by which errors are counted, as each domain cuts them by the facts it measures."""

from irisline.core.domain import Cut
from irisline.eyes import slices as eyes

CUTS: tuple[Cut, ...] = (*eyes.CUTS,)
