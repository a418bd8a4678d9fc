"""What a network sees of a drawn square in one epoch: another cut, sharpness, light and noise each time; and the truth of it.

The cuts are off by as much as a finder of eyes is. Knows nothing of files or of how a network is fitted.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset

from irisline.eyes.finder.iris_crop import SPAN
from pretrain.table import WIDE

SHIFT, SIZE, TURN = 0.10, 0.08, 0.12
"""Standard deviations of the error of a cut: in iris radii, of the radius' logarithm, in radians."""

COARSEST = 22
"""Pixels that the wide square may have been taken with: an iris of 1.7 pixels' radius."""

TINT, EXPOSURE, CONTRAST, NOISE = 0.10, 0.20, 0.20, 0.02


@dataclass(frozen=True)
class Views(Dataset[tuple[Tensor, Tensor]]):
    """Batches by lists of indices: views, 0..255 of shape (n, 3, size, size), and their truth (n, 1 + known + 3)."""

    squares: Tensor
    """uint8 (n, 3, wide, wide)."""
    truth: Tensor
    """float32 (n, 1 + known): number of the colour, then what is known, NaN where it is not."""
    size: int
    varied: bool

    def __len__(self) -> int:
        return len(self.truth)

    def __getitem__(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        squares, truth = self.squares[indices].float(), self.truth[indices]
        if not self.varied:
            centred = torch.zeros(len(indices), 3)
            return _cut(squares, centred, torch.zeros(len(indices)), torch.ones(len(indices)), self.size), torch.cat(
                [truth, centred], dim=1
            )
        offsets = torch.randn(len(indices), 3) * torch.tensor([SHIFT, SHIFT, SIZE])
        mirrored = torch.where(torch.rand(len(indices)) < 0.5, -1.0, 1.0)
        cut = _cut(_coarse(squares), offsets, torch.randn(len(indices)) * TURN, mirrored, self.size)
        seen = torch.cat([offsets[:, :1] * mirrored[:, None], offsets[:, 1:]], dim=1)
        return _lit(cut), torch.cat([truth, seen], dim=1)


def _coarse(squares: Tensor) -> Tensor:
    """Return the squares as a camera with fewer pixels takes them, as many for the whole batch."""
    wide = squares.shape[-1]
    pixels = int(torch.randint(COARSEST, wide + 1, (1,)))
    small = functional.interpolate(squares, size=pixels, mode="area")
    return functional.interpolate(small, size=wide, mode="bilinear", align_corners=False)


def _cut(squares: Tensor, offsets: Tensor, turns: Tensor, mirrored: Tensor, size: int) -> Tensor:
    share = torch.exp(offsets[:, 2]) / WIDE
    across, down = (offsets[:, axis] * 2 / (SPAN * WIDE) for axis in (0, 1))
    cosine, sine = turns.cos() * share, turns.sin() * share
    rows = [torch.stack([cosine * mirrored, -sine, across], 1), torch.stack([sine * mirrored, cosine, down], 1)]
    grid = functional.affine_grid(torch.stack(rows, 1), [len(squares), 3, size, size], align_corners=False)
    return functional.grid_sample(squares, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _lit(views: Tensor) -> Tensor:
    count = len(views)
    gains = torch.exp(torch.randn(count, 3, 1, 1) * TINT + torch.randn(count, 1, 1, 1) * EXPOSURE)
    lit = views * gains
    middle = lit.mean((2, 3), keepdim=True)
    stretched = (lit - middle) * torch.exp(torch.randn(count, 1, 1, 1) * CONTRAST) + middle
    return (stretched + torch.randn_like(views) * torch.rand(count, 1, 1, 1) * (255 * NOISE)).clamp(0, 255)
