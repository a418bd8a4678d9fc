"""The domain that draws pictures of its classes, for a pool whose labels are known: eyes alone can be drawn. Loads OpenCV."""

from irisline.eyes.rendering import COLOURS as CLASSES
from irisline.eyes.rendering.defects import Answer, Slot, good, plan, spoiled

__all__ = ["CLASSES", "Answer", "Slot", "good", "plan", "spoiled"]
