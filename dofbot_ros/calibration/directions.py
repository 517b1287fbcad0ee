"""Which way each joint turns: found out by moving it a little while somebody watches."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.arm.calibration import Calibration, ServoCalibration
from dofbot_ros.core.types import ARM_JOINTS, GRIP, GRIP_JOINT, JOINT_NAMES, FloatArray
from dofbot_ros.errors import CalibrationError, DofbotError

STEP_RAD = math.radians(5.0)
UPRIGHT_RAD = math.radians(20.0)
"""Each arm joint has to be this near to upright, where 5 degrees either way meet nothing [rad]."""
ROUNDING = 1.05
"""A step takes so much longer than the limits ask for, since it begins where the servo's whole tick is."""
FOLLOWED_RAD = math.radians(2.0)
"""A joint that is farther than this from where its step ends has not carried it out [rad]."""

RIGHT_WAY = {
    "joint1": "turn to the left (counter-clockwise, seen from above)",
    "joint2": "bend forward, away from the controller board",
    "joint3": "bend forward, away from the controller board",
    "joint4": "bend forward, away from the controller board",
    "joint5": "turn the hand counter-clockwise, seen from above",
    GRIP_JOINT: "close the fingers a little",
}
"""Joint -> what a positive step does on an arm whose calibration is right."""


class Watched(Protocol):
    """What the check needs of an arm."""

    @property
    def position(self) -> FloatArray:
        """Joint positions (6,) [rad]."""
        ...

    def move(self, times: Sequence[float], positions: ArrayLike, joints: Sequence[str]) -> None:
        """Move along a trajectory, and return when the arm rests."""
        ...


@dataclass(frozen=True)
class Direction:
    """What came of one joint: how far its own sensor says it turned [rad], and whether that was the right way."""

    joint: str
    turned: float
    right: bool


def step_seconds(wanted: float, velocity: float, acceleration: float) -> float:
    """How long a step of STEP_RAD takes: as long as wanted, or as long as the arm's limits ask for [s].

    A cubic from rest to rest over a way s in the time T has the velocity 3 s / 2 T and the acceleration 6 s / T^2.

    Args:
        wanted: [s].
        velocity: limit of the joints [rad/s].
        acceleration: limit of the joints [rad/s^2].
    """
    least = max(1.5 * STEP_RAD / velocity, math.sqrt(6.0 * STEP_RAD / acceleration))
    return max(wanted, ROUNDING * least)


def require_upright(arm: Watched) -> None:
    """See that no step of the check can meet anything.

    Raises:
        DofbotError: a joint is too far from upright.
    """
    away = np.abs(arm.position[:GRIP])
    if not away.max() <= UPRIGHT_RAD:
        joint = int(away.argmax())
        raise DofbotError(
            f"{ARM_JOINTS[joint]} is {math.degrees(away[joint]):.0f} degrees from upright, and the check needs every "
            f"joint within {math.degrees(UPRIGHT_RAD):.0f}: lead the arm upright by hand (`dofbot arm freedrive`)"
        )


def check_joint(arm: Watched, joint: str, seen: Callable[[str], bool], seconds: float) -> Direction:
    """Move one joint by STEP_RAD, ask whether it went the right way, and move it back.

    Args:
        arm: upright, with torque.
        joint: of JOINT_NAMES.
        seen: shown what should have been seen; whether it was.
        seconds: that the step is told to take, each way [s].

    Raises:
        DofbotError: the joint does not carry out its step.
    """
    column = JOINT_NAMES.index(joint)
    before = float(arm.position[column])
    # The gripper of an arm that was switched on open stands at its limit, and closes; a closed one opens.
    step = STEP_RAD if joint != GRIP_JOINT or before < 0.5 else -STEP_RAD
    arm.move([seconds], [[before + step]], [joint])
    turned = float(arm.position[column]) - before
    if abs(turned - step) > FOLLOWED_RAD:
        raise DofbotError(
            f"{joint} was told to turn by {math.degrees(step):.0f} degrees and its sensor says "
            f"{math.degrees(turned):.1f}: is something in its way, or its plug out?"
        )
    words = RIGHT_WAY[joint] if step > 0 else "open the fingers a little"
    right = seen(words)
    arm.move([seconds], [[before]], [joint])
    return Direction(joint, turned, right)


def with_signs(calibration: Calibration, found: Sequence[Direction]) -> Calibration:
    """The calibration with the sign of every joint that went the wrong way turned round, marked as checked.

    Args:
        calibration: that was in use while the arm was watched.
        found: of all six joints.

    Raises:
        CalibrationError: a joint is missing; or the gripper works the wrong way, which no sign mends.
    """
    missing = set(JOINT_NAMES) - {direction.joint for direction in found}
    if missing:
        raise CalibrationError(f"{', '.join(sorted(missing))} was not checked: nothing is written")
    wrong = [direction.joint for direction in found if not direction.right]
    if GRIP_JOINT in wrong:
        raise CalibrationError(
            "the fingers go the wrong way: no sign mends that, since their table begins at the open end. Mount the "
            "horn of servo 6 as the assembly guide shows; nothing is written"
        )
    changed: dict[str, Any] = {}
    for joint in wrong:
        servo: ServoCalibration = getattr(calibration, joint)
        changed[joint] = replace(servo, sign=-servo.sign)
    return replace(calibration, signs_checked=True, **changed)
