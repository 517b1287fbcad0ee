"""The baseline: joint angles read off 21 hand landmarks, each joint's angle between the bones beside it."""

from __future__ import annotations

import torch
from torch import Tensor

from dofbot_ros.lab.imitation.hand import ELBOW_RANGE, FINGERS, Hand, HandModel

NOISE_M = (0.003, 0.003, 0.008)
"""Of landmarks that stand for a detector's where a target is generated: it cannot look at a silhouette [m]."""


def noisy_landmarks(model: Hand, angles: Tensor, generator: torch.Generator) -> Tensor:
    """Landmarks (n, 21, 3) [m] of poses as a detector might tell them."""
    points = model.landmarks(angles)
    return points + torch.tensor(NOISE_M) * torch.randn(points.shape, generator=generator)


def angles_from_landmarks(model: Hand, points: Tensor) -> Tensor:
    """Angles (n, dof) [rad] of landmarks (n, 21, 3), x right, y up, z towards the camera.

    Landmarks end at the wrist: the forearm is taken to go on straight.
    """
    wrist, middle = points[:, 0], points[:, 9]
    axis = middle - wrist
    turned = torch.atan2(axis[:, 0], axis[:, 1])
    # The bone from the wrist to the middle finger's knuckle is not quite the hand's axis at rest.
    rest = HandModel(17).landmarks(torch.zeros(1, 17))[0]
    turned = turned - torch.atan2(rest[9, 0] - rest[0, 0], rest[9, 1] - rest[0, 1])
    elbow = turned.clamp(-ELBOW_RANGE, ELBOW_RANGE)
    columns = list(_thumb(points, turned))
    for f in range(len(FINGERS) - 1):
        first = 5 + 4 * f
        knuckle, proximal = (points[:, first + i + 1] - points[:, first + i] for i in range(2))
        hand = torch.stack([turned.sin(), turned.cos(), torch.zeros_like(turned)], dim=1)
        columns += [_between(knuckle, hand), _between(knuckle, proximal)]
    columns += [turned - elbow, elbow] + [torch.zeros_like(turned)] * 5
    return model.from_standard(torch.stack(columns, dim=1))


def _thumb(points: Tensor, turned: Tensor) -> tuple[Tensor, Tensor]:
    """Both angles of the thumb, which turns in the palm's plane: see hand.py."""
    second, third = (torch.atan2(bone[:, 0], bone[:, 1]) for bone in (points[:, i + 1] - points[:, i] for i in (2, 3)))
    # Solved for both angles: second = turned - 0.95 + 0.80 base, third = second + 0.9 middle.
    return (second - turned + 0.95) / 0.80, (third - second) / 0.9


def _between(a: Tensor, b: Tensor) -> Tensor:
    """Angles between vectors (n, 3) [rad]."""
    cosine = (a * b).sum(dim=1) / (a.norm(dim=1) * b.norm(dim=1)).clamp(min=1e-9)
    return torch.acos(cosine.clamp(-1.0, 1.0))
