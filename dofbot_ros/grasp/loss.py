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
    row, column, rotation = actions.T
    log_p = nn.functional.log_softmax(logits.reshape(n, -1), dim=1).reshape(logits.shape)
    held = torch.zeros(n, device=logits.device)
    for weight, dr, dc in _neighbours(spread):
        at = rows, rotation, (row + dr).clamp(0, size - 1), (column + dc).clamp(0, size - 1)
        held = held - weight * log_p[at]
    target = success.to(logits.dtype)
    loss = (held * target).sum() / target.sum().clamp(min=1.0)
    if failure_weight > 0.0:
        tried = logits[rows, rotation, row, column]
        loss = loss + failure_weight * nn.functional.binary_cross_entropy_with_logits(tried, target)
    return loss


def _neighbours(spread: float) -> list[tuple[float, int, int]]:
    """Weight, row and column offset of the target's pixels; the weights add up to one."""
    if spread == 0.0:
        return [(1.0, 0, 0)]
    reach = math.ceil(2.0 * spread)
    offsets = range(-reach, reach + 1)
    cells = [(math.exp(-0.5 * (r * r + c * c) / spread**2), r, c) for r in offsets for c in offsets]
    total = sum(weight for weight, _, _ in cells)
    return [(weight / total, r, c) for weight, r, c in cells]
