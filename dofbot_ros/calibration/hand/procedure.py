"""The arm measures its gripper: it closes on a block of known size, and shows its hand to the camera."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from dofbot_ros.arm.calibration import Calibration
from dofbot_ros.arm.gripper import MAX_GAP, joint_to_gap, joint_to_servo_degrees
from dofbot_ros.calibration.hand.gap import Closing
from dofbot_ros.calibration.hand.record import HandPicture
from dofbot_ros.core.types import GRIP, N_ARM, FloatArray, ImageArray
from dofbot_ros.errors import CalibrationError
from dofbot_ros.grasp.planning.block_plan import BlockPlan, joint_line
from dofbot_ros.motion.arm import Arm
from dofbot_ros.motion.timed_path import retime
from dofbot_ros.motion.trajectory import MotionLimits

CLOSINGS = 4
"""On one thing: each finds it where the one before left it."""
READINGS = 5
"""That are averaged while the fingers hold."""
NOTHING = 0.25
"""Fingers that come nearer to their goal than this share of what they are squeezed by hold nothing."""
SQUARE_RAD = math.radians(8.0)
"""A hand that is rolled by more holds a block by its edges [rad]."""
TO_START_S = 0.3
"""To get to a path's beginning: an arm that was held up for a moment holds where it came to rest [s]."""
SPEED = 0.5
"""Share of the arm's limits with which it shows its hand: a servo that lags spoils no picture."""
READING_S, STILL_S = 0.06, 0.4
"""Between readings, and before a picture [s]."""


def close_on(
    arm: Arm,
    plan: Callable[[], BlockPlan],
    rest: Callable[[float], None],
    calibration: Calibration,
    width_m: float,
    *,
    times: int = CLOSINGS,
    closed: Callable[[Closing], None] = lambda _: None,
) -> list[Closing]:
    """Close on a block that stands on the table before the arm. The arm is upright before and after.

    Args:
        arm: with open fingers.
        plan: looks for the block, and plans to take it from upright.
        rest: waits for so long on the arm's clock [s].
        calibration: that the arm goes by.
        width_m: of the block [m].
        times: how often.
        closed: is told of each closing.

    Raises:
        CommandRefusedError: the arm refused a motion or ended it early.
        CalibrationError: the block is not square to the hand, or the fingers closed on nothing.
    """
    found = []
    for _ in range(times):
        planned = plan()
        if abs(planned.pick.roll) > SQUARE_RAD:
            raise CalibrationError(
                f"the block is turned by {math.degrees(abs(planned.pick.roll)):.0f} degrees, and would be held by its "
                "edges: put it before the arm, one face square to it"
            )
        arm.follow(planned.reach.later(TO_START_S))
        arm.follow(planned.descend)
        arm.gripper(planned.closed_gap)
        rest(STILL_S)
        reading = grip_ticks(arm, rest, calibration)
        gap = joint_to_gap(float(arm.position[GRIP]))
        arm.gripper(MAX_GAP)
        arm.follow(planned.lift)
        arm.follow(planned.give_up)
        if gap - planned.closed_gap < NOTHING * (width_m - planned.closed_gap):
            raise CalibrationError(
                f"the fingers closed on nothing: {1e3 * gap:.0f} mm are between them, the block has {1e3 * width_m:.0f}"
            )
        found.append(Closing(width_m, reading))
        closed(found[-1])
    return found


def grip_ticks(arm: Arm, rest: Callable[[float], None], calibration: Calibration) -> float:
    """What servo 6 reads, averaged [ticks]."""
    readings = []
    for _ in range(READINGS):
        readings.append(float(arm.position[GRIP]))
        rest(READING_S)
    servo = calibration.grip_joint
    degrees = float(joint_to_servo_degrees(float(np.mean(readings))))
    return servo.zero_ticks + servo.sign * servo.ticks_per_degree * degrees


def show_hand(
    arm: Arm,
    take: Callable[[HandPicture], None],
    poses: Sequence[FloatArray],
    *,
    picture: Callable[[], ImageArray],
    rest: Callable[[float], None],
    limits: MotionLimits,
) -> None:
    """Show the hand at `poses` (6,) [rad] and come back upright.

    Args:
        arm: upright.
        take: gets each picture of the hand.
        poses: of fingers.hand_poses().
        picture: an image taken from now on, RGB.
        rest: waits for so long on the arm's clock [s].
        limits: of the arm.
    """
    slow = replace(limits, velocity=SPEED * limits.velocity, acceleration=SPEED * limits.acceleration)
    rest(STILL_S)
    bare, upright = picture(), arm.position.copy()
    here = np.zeros(N_ARM)
    for q in poses:
        arm.gripper(joint_to_gap(float(q[GRIP])))
        arm.follow(retime(joint_line(here, q[:N_ARM]), slow).later(TO_START_S))
        here = q[:N_ARM]
        rest(STILL_S)
        position = arm.position.copy()
        take(HandPicture(bare, upright, picture(), position))
    arm.follow(retime(joint_line(here, np.zeros(N_ARM)), slow).later(TO_START_S))
