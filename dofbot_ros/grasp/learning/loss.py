"""What training minimises."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def grasp_loss(logits: Tensor, actions: Tensor, success: Tensor, spread: float, failure_weight: float) -> Tensor:
    """Cross-entropy of the grasps that held, plus binary cross-entropy of all grasps where they were tried.

    Args:
        logits: (n, rotations, size, size).
        actions: row, column, rotation, (n, 3).
        success: (n,) bool.
        spread: of the target over pixels [pixels].
        failure_weight: of the second part.
    """
    n, _, size, _ = logits.shape
    rows = torch.arange(n, device=logits.device)
    cell, rotation = actions[:, :2], actions[:, 2]
    # One look-up for all cells of the target: each costs a whole map in the backward pass.
    weights, offsets = _neighbours(spread)
    cells = (cell[:, None] + offsets.to(logits.device)).clamp(0, size - 1)
    wanted = logits[rows[:, None], rotation[:, None], cells[..., 0], cells[..., 1]] @ weights.to(logits)
    held = torch.logsumexp(logits.reshape(n, -1), dim=1) - wanted
    target = success.to(logits.dtype)
    loss = (held * target).sum() / target.sum().clamp(min=1.0)
    if failure_weight > 0.0:
        tried = logits[rows, rotation, cell[:, 0], cell[:, 1]]
        loss = loss + failure_weight * nn.functional.binary_cross_entropy_with_logits(tried, target)
    return loss


def _neighbours(spread: float) -> tuple[Tensor, Tensor]:
    """Weights (m,) of the target's pixels, which add up to one, and their row and column offsets (m, 2)."""
    if spread == 0.0:
        return torch.ones(1), torch.zeros(1, 2, dtype=torch.int64)
    reach = math.ceil(2.0 * spread)
    line = torch.arange(-reach, reach + 1)
    offsets = torch.cartesian_prod(line, line)
    weights = torch.exp(-0.5 * (offsets**2).sum(dim=1) / spread**2)
    return weights / weights.sum(), offsets
