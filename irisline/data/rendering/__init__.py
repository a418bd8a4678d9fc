"""Drawn eyes: labelled pictures for a pool that may be shipped, each a function of its key.

`sample` turns a key and a colour into a `Scene`; `render` turns a scene into pixels; `draw_pool` fills a folder.
Knows nothing of models, stages or parameters.
"""

from irisline.data.rendering.camera import encode
from irisline.data.rendering.defects import Answer
from irisline.data.rendering.picture import TrueIris, render, true_irises
from irisline.data.rendering.pool import draw_pool
from irisline.data.rendering.sampling import COLOURS, sample
from irisline.data.rendering.scene import Scene

__all__ = ["COLOURS", "Answer", "Scene", "TrueIris", "draw_pool", "encode", "render", "sample", "true_irises"]
