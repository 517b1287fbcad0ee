"""UrdfHand: a hand of a URDF's joints and shapes, differentiable in its angles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from dofbot_ros.arm.model import ArmModel, Joint
from dofbot_ros.errors import ConfigError
from dofbot_ros.lab.imitation.hand import FINGERS, PALM_M, HandModel
from dofbot_ros.lab.imitation.urdf.capsules import link_capsules
from dofbot_ros.lab.imitation.urdf.kinematics import Poses, link_poses

STANDARD = HandModel(17)
PALM_MIDDLE = 0.53
"""Where the palm's middle is, from the wrist to the middle finger's knuckle: what a photo is cropped about."""


@dataclass(frozen=True, eq=False)
class UrdfHand:
    """A hand with the interface of HandModel, in its frame: turned, moved and scaled there by its own palm.

    y goes from the wrist (the joint `wrist`, or the root) to the middle finger's knuckle, which are PALM_M apart; x is
    the axis about which that finger bends; the thumb is on the left. A hand of the other side is mirrored.

    Attributes:
        model: as read.
        joints: degree of freedom -> joint, with a "-" before one that turns the other way, in the order of the angles.
    """

    model: ArmModel
    joints: dict[str, str]

    @property
    def dof(self) -> int:
        """How many angles it has."""
        return len(self.joints)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the degrees of freedom, in the order of the angles."""
        return tuple(self.joints)

    @property
    def still(self) -> tuple[str, ...]:
        """Joints that nothing moves."""
        moved = {word.removeprefix("-") for word in self.joints.values()}
        return tuple(joint.name for joint in self.model.actuated if joint.name not in moved)

    @cached_property
    def lower(self) -> Tensor:
        """Least angles [rad] (dof,)."""
        return self._limits[0]

    @cached_property
    def upper(self) -> Tensor:
        """Largest angles [rad] (dof,)."""
        return self._limits[1]

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Poses of a hand that shows something, (count, dof) [rad]: those of HandModel, as shares of the ranges."""
        share = (STANDARD.sample(count, generator) - STANDARD.lower) / (STANDARD.upper - STANDARD.lower)
        return self.lower + share[:, self._columns] * (self.upper - self.lower)

    def bend(self, angles: Tensor) -> Tensor:
        """How far each finger is bent, as a share of what its joints can, (n, 5); 0 for one that the hand lacks."""
        shares = []
        for finger in FINGERS:
            own = [i for i, name in enumerate(self.names) if name in (f"{finger} base", f"{finger} middle")]
            most = float(self.upper[own].sum()) if own else 1.0
            shares.append(angles[:, own].sum(dim=1) / most)
        return torch.stack(shares, dim=1)

    def from_standard(self, angles: Tensor) -> Tensor:
        """Angles (n, dof) within the limits, of angles (n, 17) of HandModel(17) [rad]."""
        return angles[:, self._columns].clamp(self.lower, self.upper)

    def landmarks(self, angles: Tensor) -> Tensor:
        """MediaPipe's 21 landmarks (n, 21, 3) [m] of a person's hand in this pose: those of HandModel(17)."""
        standard = angles.new_zeros(len(angles), STANDARD.dof)
        standard[:, self._columns] = angles
        return STANDARD.landmarks(standard.clamp(STANDARD.lower, STANDARD.upper))

    def capsules(self, angles: Tensor) -> tuple[Tensor, Tensor]:
        """Ends (n, k, 2, 3) and radii (k,) [m] of the capsules at angles (n, dof) [rad]."""
        axes, scale = self._frame
        poses, (ends, radii) = self._poses(angles), self.shapes
        parts = [
            point[:, None, None] + torch.einsum("nij,kej->nkei", turn, ends[link])
            for link, (turn, point) in poses.items()
            if link in ends
        ]
        wrist, knuckle = self._palm(poses)
        centre = wrist + PALM_MIDDLE * (knuckle - wrist)
        return scale * (torch.cat(parts, dim=1) - centre[:, None, None]) @ axes.T, scale * radii

    @cached_property
    def shapes(self) -> tuple[dict[str, Tensor], Tensor]:
        """Ends (k, 2, 3) of each link's capsules in its frame, in the order of _poses, and radii of all [m]."""
        ends, radii = {}, []
        for link in self._poses(torch.zeros(1, self.dof)):
            placed, wide = link_capsules(self.model, link)
            if len(wide):
                ends[link] = torch.from_numpy(placed).float()
                radii += wide.tolist()
        return ends, torch.tensor(radii)

    def check_frame(self, where: str) -> None:
        """See that the palm tells how the hand lies.

        Raises:
            ConfigError: it does not.
        """
        wrist, knuckle = self._palm(self._poses(torch.zeros(1, self.dof)))
        axis = self._bending_axis
        along = (knuckle - wrist)[0]
        if float(torch.linalg.cross(axis, along).norm()) < 1e-3:
            raise ConfigError(
                "its palm has no direction: the middle finger's base has to lie before the wrist (the joint wrist, or "
                "the root link), and to bend about an axis across that line",
                where,
            )

    @cached_property
    def _limits(self) -> tuple[Tensor, Tensor]:
        ends = []
        for word in self.joints.values():
            joint = self.model.joint(word.removeprefix("-"))
            ends.append((-joint.upper, -joint.lower) if word.startswith("-") else (joint.lower, joint.upper))
        lower, upper = torch.tensor(ends).T
        return lower.contiguous(), upper.contiguous()

    @cached_property
    def _columns(self) -> list[int]:
        """Of HandModel(17)'s angles, those that this hand has."""
        return [STANDARD.names.index(name) for name in self.names]

    @cached_property
    def _bending_axis(self) -> Tensor:
        """About which the middle finger's base bends, in the root link with all angles at 0, (3,)."""
        word = self.joints["middle base"]
        joint = self.model.joint(word.removeprefix("-"))
        turn, _ = self._poses(torch.zeros(1, self.dof))[joint.child]
        axis = turn[0] @ torch.from_numpy(joint.axis).float()
        return -axis if word.startswith("-") else axis

    @cached_property
    def _frame(self) -> tuple[Tensor, float]:
        """Axes of the picture as rows (3, 3) in the root link, and the scale by which the hand has a palm of PALM_M."""
        poses = self._poses(torch.zeros(1, self.dof))
        wrist, knuckle = self._palm(poses)
        along = (knuckle - wrist)[0]
        y = along / along.norm()
        x = self._bending_axis - (self._bending_axis @ y) * y
        x = x / x.norm()
        z = torch.linalg.cross(x, y)
        if "thumb base" in self.joints:
            thumb = poses[self.model.joint(self.joints["thumb base"].removeprefix("-")).child][1][0]
            x = -x if float((thumb - wrist[0]) @ x) > 0.0 else x
        return torch.stack([x, y, z]), PALM_M / float(along.norm())

    def _palm(self, poses: Poses) -> tuple[Tensor, Tensor]:
        """Where wrist and middle knuckle are, (n, 3) each [m]."""
        knuckle = poses[self.model.joint(self.joints["middle base"].removeprefix("-")).child][1]
        if "wrist" not in self.joints:
            return torch.zeros_like(knuckle), knuckle
        return poses[self.model.joint(self.joints["wrist"].removeprefix("-")).child][1], knuckle

    def _poses(self, angles: Tensor) -> Poses:
        """Where the links are at angles (n, dof) [rad]."""
        moved = {word.removeprefix("-"): (i, word) for i, word in enumerate(self.joints.values())}

        def position(joint: Joint) -> Tensor | None:
            if joint.name not in moved:
                return None
            i, word = moved[joint.name]
            return -angles[:, i] if word.startswith("-") else angles[:, i]

        return link_poses(self.model, len(angles), position)
