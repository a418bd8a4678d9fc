"""The camera: light and white balance, exposure, lens blur, sensor noise, tone curve, JPEG.

Knows nothing of what is in the picture. Its choices never depend on the irises: exposure is metered before they
are drawn.
"""

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from irisline.core.seeding import generator
from irisline.eyes.rendering import colour as palette
from irisline.eyes.rendering.colour import Plane
from irisline.eyes.rendering.scene import Camera, Light

METER_TRUST = 0.5
"""How far metering makes up for a dark or light subject: 1 brings any subject to the same level."""


def illuminate(canvas: Plane, light: Light, camera: Camera) -> None:
    """Multiply reflectances by the light, mixed across the picture, as the white balance leaves it."""
    _, height, width = canvas.shape
    main, second = palette.black_body(light.kelvin), palette.black_body(light.second_kelvin)
    gains = palette.white_balance(main, camera.balance, camera.tint)
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * np.float32(np.cos(light.mix_angle))
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.float32(np.sin(light.mix_angle))
    share = np.clip(0.5 + 0.6 * (across + down), 0.0, 1.0) * np.float32(light.mix)
    brightness = palette.luminance((main[0] * gains[0], main[1] * gains[1], main[2] * gains[2]))
    for band in range(3):
        gain = gains[band] / brightness
        canvas[band] *= np.float32(main[band] * gain) + share * np.float32((second[band] - main[band]) * gain)


def meter(canvas: Plane, camera: Camera) -> float:
    """Exposure for a canvas (3, height, width): its middle is brought near the level that the camera aims at."""
    _, height, width = canvas.shape
    middle = canvas[:, height // 6 : -height // 6, width // 6 : -width // 6]
    level = float(sum(weight * float(middle[band].mean()) for band, weight in enumerate(palette.LUMINANCE)))
    return camera.exposure / float(max(level, 1e-3) ** METER_TRUST * 0.3 ** (1.0 - METER_TRUST))


def develop(canvas: Plane, camera: Camera, exposure: float, key: str) -> NDArray[np.uint8]:
    """Linear light (3, height, width) to an 8-bit sRGB picture (height, width, 3)."""
    linear = _lens(np.ascontiguousarray(np.moveaxis(canvas, 0, 2)) * np.float32(exposure), camera)
    linear += _sensor_noise(linear, camera, key)
    curved = palette.to_srgb(_shoulder(np.maximum(linear, 0.0)))
    curved += np.float32(camera.contrast) * curved * (1.0 - curved) * (curved - 0.45)
    grey = curved.mean(axis=2, keepdims=True)
    out = grey + np.float32(camera.saturation) * (curved - grey)
    return np.asarray(np.clip(out * 255.0 + 0.5, 0, 255), dtype=np.uint8)


def _lens(linear: Plane, camera: Camera) -> Plane:
    """Vignette, defocus and camera shake."""
    height, width = linear.shape[:2]
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    linear = linear * (1.0 - np.float32(camera.vignette) * 0.5 * (down**2 + across**2))[..., None]
    blurred = cv2.GaussianBlur(linear, (0, 0), camera.defocus)
    if camera.motion:
        blurred = cv2.filter2D(blurred, -1, _motion_kernel(camera.motion, camera.motion_angle))
    return np.asarray(blurred, dtype=np.float32)


def _motion_kernel(length: float, angle: float) -> Plane:
    size = 2 * int(np.ceil(length)) + 1
    kernel = np.zeros((size, size), dtype=np.float32)
    steps = np.linspace(-length / 2, length / 2, 24)
    middle = size // 2
    rows, columns = np.round(middle + steps * np.sin(angle)), np.round(middle + steps * np.cos(angle))
    np.add.at(kernel, (rows.astype(int), columns.astype(int)), np.float32(1 / 24))
    return kernel


def _sensor_noise(linear: Plane, camera: Camera, key: str) -> Plane:
    """Shot and read noise, clumped by a denoiser when `grain` is high."""
    raw = generator(key, "sensor").standard_normal(linear.shape, dtype=np.float32)
    if camera.grain > 0.4:
        raw = np.asarray(cv2.GaussianBlur(raw, (0, 0), camera.grain), dtype=np.float32) * np.float32(2.2 * camera.grain)
    strength: Plane = raw * np.float32(camera.noise) * np.sqrt(np.maximum(linear, 0.0) + np.float32(0.02))
    return strength


def _shoulder(linear: Plane) -> Plane:
    """Roll highlights off above 0.6 so that they reach 1 softly."""
    over = np.maximum(linear - np.float32(0.6), 0.0)
    rolled: Plane = np.minimum(linear, 0.6) + np.float32(0.4) * (over / (over + np.float32(0.4)))
    return rolled


def encode(picture: NDArray[np.uint8], quality: int) -> bytes:
    """JPEG bytes of an RGB picture of shape (height, width, 3)."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
