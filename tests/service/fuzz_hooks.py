"""What schemathesis sends where the API takes pictures: real ones, spoiled ones, and any bytes at all."""

import schemathesis
from hypothesis import strategies

from tests import planted

_WHOLE = [planted.saved(planted.picture(label), kind) for label in planted.CLASSES for kind in ("JPEG", "PNG", "WEBP")]
_CUT = [data[: len(data) // 2] for data in _WHOLE]

for _kind in ("image/jpeg", "image/png", "image/webp"):
    schemathesis.openapi.media_type(_kind, strategies.sampled_from([*_WHOLE, *_CUT]) | strategies.binary(max_size=2000))
