"""Renders the hand's silhouette, hard or as a smooth function of its joint angles.

Seen along z without perspective: a pixel is as dark as its distance to the nearest capsule's outline says, as in Liu et
al., Soft Rasterizer: A Differentiable Renderer for Image-based 3D Reasoning, 2019.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from dofbot_ros.lab.imitation.hand import Hand

VIEW_M = 0.34
"""Edge of the square around the palm's middle that a picture shows [m]."""
SIZE = 56
"""Edge of a picture [px], as the first system had it."""
SOFT_M = 0.0025
"""Width of a soft outline: under half a pixel [m]."""


def distances(model: Hand, angles: Tensor, size: int = SIZE, placement: Tensor | None = None) -> Tensor:
    """Distance of each pixel's centre to the silhouette's outline [m], negative inside, (n, size, size).

    Args:
        model: of the hand.
        angles: [rad] (n, dof).
        size: edge of the picture [px].
        placement: shift along x and y [m] and logarithm of the scale, (n, 3); None: as the crop has it.
    """
    ends, radii = model.capsules(angles)
    flat = ends[..., :2]
    if placement is not None:
        scale = placement[:, 2].exp()
        flat = flat * scale[:, None, None, None] + placement[:, None, None, :2]
        radii = radii * scale[:, None]
    a, b = flat[..., 0, :], flat[..., 1, :]
    along = b - a
    length = (along * along).sum(dim=-1).clamp(min=1e-9)
    grid = _grid(size)
    # |p - a - t (b - a)|, with t the nearest place on the capsule's axis, spelled out to keep few large arrays.
    dx, dy = grid[:, 0] - a[..., 0:1], grid[:, 1] - a[..., 1:2]
    t = ((dx * along[..., 0:1] + dy * along[..., 1:2]) / length[..., None]).clamp(0.0, 1.0)
    square = (dx - t * along[..., 0:1]).square() + (dy - t * along[..., 1:2]).square()
    outline = (square + 1e-10).sqrt() - radii[..., None]
    return outline.amin(dim=1).view(-1, size, size)


def soft(
    model: Hand, angles: Tensor, size: int = SIZE, width_m: float = SOFT_M, placement: Tensor | None = None
) -> Tensor:
    """Silhouettes (n, size, size), 0..1, differentiable in angles and placement."""
    return torch.sigmoid(-distances(model, angles, size, placement) / width_m)


def hard(model: Hand, angles: Tensor, size: int = SIZE, placement: Tensor | None = None) -> Tensor:
    """Silhouettes (n, size, size), true inside."""
    with torch.no_grad():
        return distances(model, angles, size, placement) < 0.0


def iou(a: Tensor, b: Tensor, weight: Tensor | None = None) -> Tensor:
    """Intersection over union of silhouettes (n, h, w), each 0..1 or true and false: (n,).

    Args:
        a, b: silhouettes.
        weight: of each pixel, (n, h, w), 0 for those that do not count; None: all count.
    """
    a, b = a.float(), b.float()
    if weight is not None:
        a, b = a * weight, b * weight
    a, b = a.flatten(1), b.flatten(1)
    both = (a * b).sum(dim=1)
    return both / (a.sum(dim=1) + b.sum(dim=1) - both).clamp(min=1e-6)


@lru_cache(maxsize=4)
def _grid(size: int) -> Tensor:
    """Centres of pixels, row by row from the top: x, y (size^2, 2) [m]."""
    along = ((torch.arange(size) + 0.5) / size - 0.5) * VIEW_M
    x, y = torch.meshgrid(along, -along, indexing="xy")
    return torch.stack([x.flatten(), y.flatten()], dim=1)
