"""Retargeting: from what the operator shows to what the arm shall do; the part that both modes share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

import numpy as np

from dofbot_ros.arm.gripper import MAX_GAP, gap_to_joint, joint_to_gap
from dofbot_ros.core.types import FloatArray
from dofbot_ros.teleop.config import Sign
from dofbot_ros.teleop.retargeting.clutch import Reason
from dofbot_ros.teleop.retargeting.target_limiter import Target

Ask = Literal["engage", "release"]


class Stamped(Protocol):
    """Anything that says when it was captured."""

    @property
    def stamp_s(self) -> float:
        """On the steady clock [s]."""
        ...


Source_contra = TypeVar("Source_contra", bound=Stamped, contravariant=True)


@dataclass(frozen=True, eq=False)
class Reading:
    """One observation in the terms of a mode.

    Attributes:
        fault: why it cannot be used; None when it can.
        values: the signal to follow, its meaning is the mode's own.
        point: where the hand is, to tell a jump [m], shape (3,).
        sign: what the operator shows.
        ask: what he asks of the clutch by a key or a button.
    """

    fault: Reason | None
    values: FloatArray = field(default_factory=lambda: np.zeros(0))
    point: FloatArray = field(default_factory=lambda: np.zeros(3))
    sign: Sign = "none"
    ask: Ask | None = None


class Retarget(Protocol[Source_contra]):
    """One mode of teleoperation, for one kind of input."""

    engage_sign: Sign
    release_sign: Sign

    def read(self, source: Source_contra) -> Reading:
        """The signal in one input."""
        ...

    def smooth(self, reading: Reading, stamp_s: float) -> FloatArray:
        """The filtered signal [same shape as values]; `stamp_s` is the capture time [s]."""
        ...

    def anchor(self, joints: FloatArray, stamp_s: float) -> None:
        """From now on what was read last means the present `joints` [rad] (6,)."""
        ...

    def target(self, values: FloatArray, stamp_s: float) -> Target:
        """What the filtered signal asks for."""
        ...

    def reset(self) -> None:
        """Forget the filtered past."""
        ...


class GapPickup:
    """The gripper follows the operator's fingers only from the moment they match it: engaging never drops a block.

    Args:
        tolerance_m: how near the requested gap must come to the present one [m].
    """

    def __init__(self, tolerance_m: float = 0.004) -> None:
        self._tolerance = tolerance_m
        self._gap = 0.0
        self._last: float | None = None
        self._following = False

    def anchor(self, grip: float) -> None:
        """Hold the present gripper angle [rad] until it is picked up."""
        self._gap = float(np.clip(joint_to_gap(grip), 0.0, MAX_GAP))
        self._last, self._following = None, False

    def __call__(self, gap: float) -> float:
        """Gripper angle [rad] for a requested `gap` [m]."""
        last, self._last = self._last, gap
        if not self._following:
            crossed = last is not None and (last - self._gap) * (gap - self._gap) <= 0.0
            self._following = crossed or abs(gap - self._gap) <= self._tolerance
        if self._following:
            self._gap = gap
        return float(gap_to_joint(self._gap))


def gap_of(value: float, closed: float, opened: float) -> float:
    """Gap [m] of an opening that reaches from `closed` (0 m) to `opened` (60 mm), clamped."""
    return float(MAX_GAP * np.clip((value - closed) / (opened - closed), 0.0, 1.0))
