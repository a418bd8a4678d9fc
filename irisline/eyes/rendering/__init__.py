"""Drawn eyes: labelled pictures for a pool that may be shipped, each a function of its key.

`sample` turns a key and a colour into a `Scene`; `render` turns a scene into pixels.
Knows nothing of models, stages or parameters.
"""

from irisline.eyes.rendering.camera import encode
from irisline.eyes.rendering.defects import Answer
from irisline.eyes.rendering.picture import TrueIris, render, true_irises
from irisline.eyes.rendering.sampling import COLOURS, sample
from irisline.eyes.rendering.scene import Scene

__all__ = ["COLOURS", "Answer", "Scene", "TrueIris", "encode", "render", "sample", "true_irises"]
