"""Improves joint angles by gradient steps through the renderer, until the silhouette is that of the target."""

from __future__ import annotations

import torch
from torch import Tensor

from dofbot_ros.lab.imitation.hand import HandModel
from dofbot_ros.lab.imitation.silhouette import SOFT_M, hard, iou, soft

STEPS = 50
"""Gradient steps by default."""
RATE = 0.15
"""Of Adam, on angles in units where the limits are a logistic function's ends."""
WIDEST = 3.0
"""Times SOFT_M: the outlines' width in the first step, which shows the way to what lies further off."""
CHECKED_EVERY = 10
"""Steps between two looks at the hard silhouette; the best angles are kept."""


def refine(model: HandModel, angles: Tensor, target: Tensor, steps: int = STEPS) -> Tensor:
    """Angles (n, dof) [rad] whose silhouettes cover the targets better than, or as well as, those given.

    Args:
        model: of the hand.
        angles: to begin with [rad] (n, dof).
        target: silhouettes (n, size, size), true or 1 inside.
        steps: of gradient descent.
    """
    lower, span = model.lower, model.upper - model.lower
    wanted = target.float()
    size = target.shape[1]
    best = angles.clone()
    best_iou = iou(hard(model, best, size), wanted)
    share = ((angles - lower) / span).clamp(0.02, 0.98)
    logits = torch.logit(share).requires_grad_()
    optimiser = torch.optim.Adam([logits], lr=RATE)
    for step in range(steps):
        width = SOFT_M * (WIDEST + (1.0 - WIDEST) * step / max(1, steps - 1))
        shown = soft(model, lower + torch.sigmoid(logits) * span, size, width)
        loss = (1.0 - iou(shown, wanted)).sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if (step + 1) % CHECKED_EVERY == 0 or step + 1 == steps:
            now = (lower + torch.sigmoid(logits) * span).detach()
            reached = iou(hard(model, now, size), wanted)
            better = reached > best_iou
            best[better], best_iou = now[better], torch.maximum(best_iou, reached)
    return best
