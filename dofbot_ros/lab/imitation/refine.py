"""Improves joint angles by gradient steps through the renderer, until the silhouette is that of the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from dofbot_ros.lab.imitation.hand import Hand
from dofbot_ros.lab.imitation.silhouette import SOFT_M, hard, iou, soft

STEPS = 50
"""Gradient steps by default."""
RATE = 0.15
"""Of Adam, on angles in units where the limits are a logistic function's ends."""
PLACED = (0.03, 0.03, 0.25)
"""Most by which a placement may differ from the crop's: shifts [m] and logarithm of the scale."""
WIDEST = 3.0
"""Times SOFT_M: the outlines' width in the first step, which shows the way to what lies further off."""
KEPT = 0.02
"""Weight of the angles' squared distance to those given, in shares of their ranges: angles that the silhouette
does not determine, such as those of a finger that is bent over the palm, stay as they were."""
CHECKED_EVERY = 10
"""Steps between two looks at the hard silhouette; the best angles are kept."""

Fit = Literal["angles", "placement", "both"]


@dataclass(frozen=True)
class Refined:
    """What refinement found.

    Attributes:
        angles: [rad] (n, dof).
        placement: shift along x and y [m] and logarithm of the scale, (n, 3).
        overlap: IoU of the hard silhouettes, (n,).
    """

    angles: Tensor
    placement: Tensor
    overlap: Tensor


def refine(
    model: Hand,
    angles: Tensor,
    target: Tensor,
    steps: int = STEPS,
    *,
    fit: Fit = "angles",
    weight: Tensor | None = None,
) -> Refined:
    """Find angles whose silhouettes cover the targets better than, or as well as, those given.

    Args:
        model: of the hand.
        angles: to begin with [rad] (n, dof).
        target: silhouettes (n, size, size), true or 1 inside.
        steps: of gradient descent.
        fit: what may change: angles; placement (for photos, whose hands have other proportions); or both.
        weight: of pixels (n, size, size); None: all count.
    """
    lower, span, size = model.lower, model.upper - model.lower, target.shape[1]
    wanted, most = target.float(), torch.tensor(PLACED)
    logits = torch.logit(((angles - lower) / span).clamp(0.02, 0.98)).requires_grad_(fit != "placement")
    shift = torch.zeros(len(angles), 3).requires_grad_(fit != "angles")
    optimiser = torch.optim.Adam([part for part in (logits, shift) if part.requires_grad], lr=RATE)

    def now() -> tuple[Tensor, Tensor]:
        reached = angles if fit == "placement" else lower + torch.sigmoid(logits) * span
        return reached, torch.tanh(shift) * most

    best, placement = angles.clone(), torch.zeros(len(angles), 3)
    overlap = iou(hard(model, best, size), wanted, weight)
    for step in range(steps):
        width = SOFT_M * (WIDEST + (1.0 - WIDEST) * step / max(1, steps - 1))
        reached, placed = now()
        shown = soft(model, reached, size, width, None if fit == "angles" else placed)
        loss = (1.0 - iou(shown, wanted, weight)).sum() + KEPT * ((reached - angles) / span).square().sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if (step + 1) % CHECKED_EVERY == 0 or step + 1 == steps:
            with torch.no_grad():
                reached, placed = now()
            found = iou(hard(model, reached, size, placed), wanted, weight)
            better = found > overlap
            best[better], placement[better] = reached[better], placed[better]
            overlap = torch.maximum(overlap, found)
    return Refined(best, placement, overlap)
