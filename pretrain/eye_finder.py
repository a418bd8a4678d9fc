"""Fit the small network that judges irises on drawn pictures: python -m pretrain.eye_finder.

Writes irisline/eyes/finder/weights.npz. Each turn learns from what the network of the turn before gets wrong.
"""

import argparse
import sys
from typing import Any

import cv2
import numpy as np
import torch
from torch.nn import functional

from irisline.eyes.finder.iris_network import SPOKES, WEIGHTS, features, weights
from pretrain.eye_rows import Rows, draw, draw_blank, rows_of, spoilt

KEY = "eye finder"
EYES, BLANKS = 2600, 1600
HIDDEN = 32
EPOCHS, BATCH = 8, 1024
RATE, DECAY = 3e-3, 0.03
SHAKE = 0.15
"""Noise on the features, as a share of their spread."""

SHIFT_WEIGHT, OPEN_WEIGHT = 6.0, 0.5


def main() -> None:
    """Draw, fit, write; twice unless told otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--share", type=float, default=1.0, help="of the pictures")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    drawn = [draw(f"{KEY}/eyes", i) for i in range(round(EYES * asked.share))]
    drawn += [draw_blank(f"{KEY}/blank", i) for i in range(round(BLANKS * asked.share))]
    for turn in range(asked.turns):
        made = [
            rows_of(spoilt(one, f"{turn}/{i}"), f"{turn}/{i}", again=turn > 0)
            for i, one in enumerate(drawn[:: 1 if turn else 2])
        ]
        rows = Rows(np.concatenate([one.samples for one in made]), np.concatenate([one.truth for one in made]))
        said = f"turn {turn}: {len(rows.truth)} places, {rows.truth[:, 0].mean():.0%} of them irises\n"
        sys.stdout.write(said)
        sys.stdout.flush()
        write(fit(rows))


def write(network: torch.nn.Module) -> None:
    """Put a network where the finder reads it."""
    names = ("hidden", "hidden_bias", "out", "out_bias")
    halves = [weight.detach().numpy().T.astype(np.float16) for weight in network.parameters()]
    named: dict[str, Any] = dict(zip(names, halves, strict=True))
    np.savez(WEIGHTS, **named)
    weights.cache_clear()


def fit(rows: Rows, epochs: int = EPOCHS, batch: int = BATCH) -> torch.nn.Module:
    """Return a network of one hidden layer for the rows and their mirror images."""
    torch.manual_seed(0)
    inputs, truth = _with_mirrored(rows)
    network = torch.nn.Sequential(
        torch.nn.Linear(inputs.shape[1], HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, truth.shape[1])
    )
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    steps = len(inputs) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=epochs * steps)
    for _ in range(epochs):
        for chosen in torch.randperm(len(inputs))[: steps * batch].reshape(steps, batch):
            shaken = inputs[chosen] + SHAKE * torch.randn(batch, inputs.shape[1])
            loss = _loss(network(shaken), truth[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return network


def _with_mirrored(rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
    rings = rows.samples.shape[1] // SPOKES
    mirrored = (np.arange(rings)[:, None] * SPOKES + (SPOKES // 2 - np.arange(SPOKES)) % SPOKES).ravel()
    flipped = rows.truth * np.array([1, -1, 1, 1, 1], dtype=np.float32)
    both = [features(rows.samples[:, order].astype(np.float32)) for order in (slice(None), mirrored)]
    return torch.from_numpy(np.concatenate(both)), torch.from_numpy(np.concatenate([rows.truth, flipped]))


def _loss(answers: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    iris = truth[:, 0] > 0.5
    found = functional.binary_cross_entropy_with_logits(answers[:, 0], truth[:, 0])
    shift = functional.smooth_l1_loss(answers[iris, 1:4], truth[iris, 1:4], beta=0.1)
    lids = functional.binary_cross_entropy_with_logits(answers[iris, 4], truth[iris, 4])
    return found + SHIFT_WEIGHT * shift + OPEN_WEIGHT * lids


if __name__ == "__main__":
    main()
