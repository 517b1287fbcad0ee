"""Poses of the links of a URDF's tree, differentiable in its joints' positions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from dofbot_ros.arm.model import ArmModel, Joint
from dofbot_ros.core.transforms import skew

Poses = dict[str, tuple[Tensor, Tensor]]
"""Link -> its turn (n, 3, 3) and place (n, 3) [m] in the root link."""


def link_poses(model: ArmModel, count: int, position: Callable[[Joint], Tensor | None]) -> Poses:
    """Where the links are, root first.

    Args:
        model: read from a URDF.
        count: how many poses at a time, n.
        position: of a joint that follows no other (n,) [rad] or [m]; None leaves it as near to 0 as it can be.
    """
    (root,) = set(model.links) - {joint.child for joint in model.joints}
    poses = {root: (torch.eye(3).expand(count, 3, 3), torch.zeros(count, 3))}
    left = list(model.joints)
    while left:
        joint = next(one for one in left if one.parent in poses)
        left.remove(joint)
        turn, point = poses[joint.parent]
        origin = torch.from_numpy(joint.origin).float()
        turn, point = turn @ origin[:3, :3], point + turn @ origin[:3, 3]
        if joint.kind != "fixed":
            leader = joint if joint.mimic is None else model.joint(joint.mimic.joint)
            q = position(leader)
            if q is None:
                q = torch.full((count,), min(max(0.0, leader.lower), leader.upper))
            if joint.mimic is not None:
                q = joint.mimic.multiplier * q + joint.mimic.offset
            turn, point = _moved(joint, q, turn, point)
        poses[joint.child] = (turn, point)
    return poses


def _moved(joint: Joint, position: Tensor, turn: Tensor, point: Tensor) -> tuple[Tensor, Tensor]:
    """A pose after its joint, by Rodrigues' formula."""
    axis = torch.from_numpy(joint.axis).float()
    if joint.kind == "prismatic":
        return turn, point + position[:, None] * (turn @ axis)
    k = torch.from_numpy(np.asarray(skew(joint.axis))).float()
    angle = position[:, None, None]
    return turn @ (torch.eye(3) + angle.sin() * k + (1.0 - angle.cos()) * (k @ k)), point
