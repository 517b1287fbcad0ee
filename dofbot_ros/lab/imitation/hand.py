"""The simulated hand: capsules placed by 12 or 17 joint angles, as differentiable functions of them.

Frame: the palm's middle is the origin, x right, y up in the picture, z towards the camera [m]. The thumb is on the
left: pictures of the other hand are mirrored before they get here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from dofbot_ros.config.ranges import Checked

FINGERS = ("thumb", "index", "middle", "ring", "little")

KNUCKLES = ((-0.026, 0.040), (-0.008, 0.046), (0.011, 0.042), (0.028, 0.032))
"""Where index, middle, ring and little finger begin: x, y [m]."""
SPLAY = (-0.16, -0.03, 0.10, 0.24)
"""Their direction in the picture with the hand spread at rest, from y towards x [rad]."""
PHALANGES = ((0.044, 0.027, 0.022), (0.049, 0.031, 0.023), (0.045, 0.029, 0.023), (0.035, 0.021, 0.020))
"""Lengths from knuckle to tip [m]; tips end a radius further."""
FINGER_RADIUS = (0.0095, 0.0095, 0.0090, 0.0080)
THUMB_BASE, THUMB_PARTS, THUMB_RADIUS = (-0.022, -0.030), (0.042, 0.032, 0.026), 0.0115
"""Metacarpal and two phalanges of the thumb, from its base [m]."""
WRIST, WRIST_RADIUS, FOREARM = (0.0, -0.052), 0.024, 0.20
PALM_RADIUS = 0.015
DIP_SHARE = 0.67
"""By what share of the middle joint's angle the last one bends along with it: one tendon moves both."""

FLEX, WRIST_RANGE, ELBOW_RANGE, SPREAD_RANGE, ROLL_RANGE = 1.55, 0.52, 1.04, 0.30, 0.80


PALM_M = 0.098
"""From the wrist to the middle finger's knuckle [m]: the measure of a photo's crop, and of other hands."""


class Hand(Protocol):
    """A hand of capsules: the one below, or one read from a URDF."""

    @property
    def dof(self) -> int:
        """How many angles it has."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Of the joints, in the order of the angles; some of HandModel(17).names."""
        ...

    @property
    def lower(self) -> Tensor:
        """Least angles [rad] (dof,)."""
        ...

    @property
    def upper(self) -> Tensor:
        """Largest angles [rad] (dof,)."""
        ...

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Poses of a hand that shows something, (count, dof) [rad]."""
        ...

    def bend(self, angles: Tensor) -> Tensor:
        """How far each finger is bent, as a share of what both its joints can, (n, 5), of angles (n, dof) [rad]."""
        ...

    def capsules(self, angles: Tensor) -> tuple[Tensor, Tensor]:
        """Ends (n, k, 2, 3) and radii (k,) [m] of the capsules at angles (n, dof) [rad]."""
        ...

    def landmarks(self, angles: Tensor) -> Tensor:
        """MediaPipe's 21 landmarks (n, 21, 3) [m] of a person's hand in this pose."""
        ...

    def from_standard(self, angles: Tensor) -> Tensor:
        """Angles (n, dof) within the limits, of angles (n, 17) of HandModel(17) [rad]."""
        ...


@dataclass(frozen=True)
class HandModel(Checked):
    """Joints of a hand and their limits.

    Attributes:
        dof: 12 (two for each finger, wrist, elbow) or 17 (and the spread of four fingers, the forearm's roll).
    """

    dof: int = 12

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if self.dof not in (12, 17):
            yield f"dof must be 12 or 17, got {self.dof}"

    @property
    def names(self) -> tuple[str, ...]:
        """Of the joints, in the order of the angles."""
        flexions = tuple(f"{finger} {part}" for finger in FINGERS for part in ("base", "middle"))
        more = (*(f"{finger} spread" for finger in FINGERS[1:]), "roll") if self.dof == 17 else ()
        return (*flexions, "wrist", "elbow", *more)

    @property
    def lower(self) -> Tensor:
        """Least angles [rad] (dof,)."""
        more = [-SPREAD_RANGE] * 4 + [-ROLL_RANGE] if self.dof == 17 else []
        return torch.tensor([0.0] * 10 + [-WRIST_RANGE, -ELBOW_RANGE, *more])

    @property
    def upper(self) -> Tensor:
        """Largest angles [rad] (dof,)."""
        more = [SPREAD_RANGE] * 4 + [ROLL_RANGE] if self.dof == 17 else []
        return torch.tensor([FLEX] * 10 + [WRIST_RANGE, ELBOW_RANGE, *more])

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Poses of a hand that shows something, (count, dof) [rad]: fingers rather straight or bent than half bent."""
        share = torch.rand(count, self.dof, generator=generator)
        state = torch.rand(count, 5, generator=generator)
        # Both joints of a finger bend together, as fingers do, each by its own part more or less.
        together = torch.where(
            state < 0.4, 0.15 * share[:, :5], torch.where(state > 0.6, 1.0 - 0.25 * share[:, :5], state)
        )
        own = 0.2 * (share[:, 5:10] - 0.5)
        share[:, 0:10:2] = (together + own).clamp(0.0, 1.0)
        share[:, 1:10:2] = (together - own).clamp(0.0, 1.0)
        return self.lower + share * (self.upper - self.lower)

    def bend(self, angles: Tensor) -> Tensor:
        """How far each finger is bent, as a share of what both its joints can, (n, 5), of angles (n, dof) [rad]."""
        return (angles[:, 0:10:2] + angles[:, 1:10:2]) / (2.0 * FLEX)

    def from_standard(self, angles: Tensor) -> Tensor:
        """See Hand.from_standard."""
        return angles[:, : self.dof].clamp(self.lower, self.upper)

    def capsules(self, angles: Tensor) -> tuple[Tensor, Tensor]:
        """Where the hand's capsules lie.

        Args:
            angles: [rad] (n, dof).

        Returns:
            Ends (n, 20, 2, 3) and radii (20,) [m].
        """
        points, parts, radii = _skeleton(self, angles)
        ends = torch.stack([torch.stack([points[a], points[b]], dim=1) for a, b in parts], dim=1)
        return ends, torch.tensor(radii)

    def landmarks(self, angles: Tensor) -> Tensor:
        """The 21 landmarks of MediaPipe's hand, (n, 21, 3) [m]."""
        points, _, _ = _skeleton(self, angles)
        names = ["wrist", *(f"thumb{i}" for i in range(4)), *(f"{f}{i}" for f in FINGERS[1:] for i in range(4))]
        return torch.stack([points[name] for name in names], dim=1)


def _skeleton(model: HandModel, angles: Tensor) -> tuple[dict[str, Tensor], list[tuple[str, str]], list[float]]:
    """Named points (n, 3), pairs of them between which capsules lie, and the capsules' radii."""
    n = angles.shape[0]
    zero = angles.new_zeros(n)
    points: dict[str, Tensor] = {"wrist": _fixed(WRIST, n)}
    parts: list[tuple[str, str]] = []
    radii: list[float] = []

    def bone(a: str, b: str, radius: float) -> None:
        parts.append((a, b))
        radii.append(radius)

    # The thumb turns in the palm's plane, towards the fingers.
    turn = -0.95 + 0.25 * angles[:, 0]
    points["thumb0"] = _fixed(THUMB_BASE, n)
    for i, (length, bend) in enumerate(zip(THUMB_PARTS, (0.0, 0.55, 0.9), strict=True)):
        turn = turn + (bend * (angles[:, 0] if i == 1 else angles[:, 1]) if i else zero)
        points[f"thumb{i + 1}"] = points[f"thumb{i}"] + length * _direction(turn, zero)
        bone(f"thumb{i}", f"thumb{i + 1}", THUMB_RADIUS + (0.004 if i == 0 else 0.0))
    for f, finger in enumerate(FINGERS[1:]):
        spread = angles[:, 12 + f] if model.dof == 17 else zero
        side = SPLAY[f] + spread
        base, middle = angles[:, 2 + 2 * f], angles[:, 3 + 2 * f]
        flexions = (base, base + middle, base + (1.0 + DIP_SHARE) * middle)
        points[f"{finger}0"] = _fixed(KNUCKLES[f], n)
        bone("wrist", f"{finger}0", PALM_RADIUS)
        for i, (length, flexion) in enumerate(zip(PHALANGES[f], flexions, strict=True)):
            points[f"{finger}{i + 1}"] = points[f"{finger}{i}"] + length * _direction(side, flexion)
            bone(f"{finger}{i}", f"{finger}{i + 1}", FINGER_RADIUS[f])
    roll = angles[:, 16] if model.dof == 17 else zero
    points = {name: _turned(_rolled(point, roll), angles[:, 10] + angles[:, 11]) for name, point in points.items()}
    points["elbow"] = points["wrist"] - FOREARM * _turned(_fixed((0.0, 1.0), n), angles[:, 11])
    bone("wrist", "elbow", WRIST_RADIUS)
    return points, parts, radii


def _fixed(place: tuple[float, float], n: int) -> Tensor:
    return torch.tensor([*place, 0.0]).expand(n, 3)


def _direction(side: Tensor, flexion: Tensor) -> Tensor:
    """Unit vectors (n, 3): turned in the picture by `side` from y towards x, bent by `flexion` towards the camera."""
    return torch.stack([side.sin() * flexion.cos(), side.cos() * flexion.cos(), flexion.sin()], dim=1)


def _rolled(point: Tensor, angle: Tensor) -> Tensor:
    x, y, z = point.unbind(dim=1)
    return torch.stack([angle.cos() * x + angle.sin() * z, y, angle.cos() * z - angle.sin() * x], dim=1)


def _turned(point: Tensor, angle: Tensor) -> Tensor:
    x, y, z = point.unbind(dim=1)
    return torch.stack([angle.cos() * x + angle.sin() * y, angle.cos() * y - angle.sin() * x, z], dim=1)
