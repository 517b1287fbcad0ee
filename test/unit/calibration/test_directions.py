"""Directions of joints: a wrong one is turned round in the calibration, and nothing is marked that was not seen."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.arm.robot import Robot
from dofbot_ros.calibration.directions import STEP_RAD, Direction, check_joint, require_upright, with_signs
from dofbot_ros.core.types import ARM_JOINTS, GRIP_JOINT, JOINT_NAMES
from dofbot_ros.errors import CalibrationError, DofbotError


class Arm:
    """Carries out what it is told by the calibration that is believed, on servos that are mounted as the true one says.

    Its sensor is the servo's: it agrees with the belief, so only somebody who watches can tell.
    """

    def __init__(self, believed, true) -> None:
        self._believed, self._true = believed, true
        self.position = np.zeros(6)
        self.stuck = False

    def move(self, times, positions, joints) -> None:
        if not self.stuck:
            self.position[JOINT_NAMES.index(joints[0])] = positions[-1][0]

    def true_angles(self) -> np.ndarray:
        return self._true.ticks_to_rad(self._believed.rad_to_ticks(self.position))


@given(st.lists(st.sampled_from([1, -1]), min_size=5, max_size=5))
def test_after_the_check_the_belief_is_the_truth(signs: list[int]) -> None:
    servos = {j: replace(getattr(DEFAULT_CALIBRATION, j), sign=s) for j, s in zip(ARM_JOINTS, signs, strict=True)}
    true = replace(DEFAULT_CALIBRATION, **servos)
    arm = Arm(DEFAULT_CALIBRATION, true)

    def watched(joint: str) -> Direction:
        column = JOINT_NAMES.index(joint)
        return check_joint(arm, joint, lambda _: bool(arm.true_angles()[column] > 0.5 * STEP_RAD), 1.0)

    found = with_signs(DEFAULT_CALIBRATION, [watched(joint) for joint in JOINT_NAMES])
    assert found == replace(true, signs_checked=True)
    assert not arm.position.any()
    Robot.calibrated(found)


def test_the_person_is_told_what_to_see_and_a_joint_that_stays_is_named() -> None:
    arm, told = Arm(DEFAULT_CALIBRATION, DEFAULT_CALIBRATION), []
    check_joint(arm, "joint1", lambda words: bool(told.append(words)) or True, 1.0)
    assert "to the left" in told[0]
    arm.position[5] = 1.5
    check_joint(arm, GRIP_JOINT, lambda words: bool(told.append(words)) or True, 1.0)
    assert "open the fingers" in told[1]
    arm.stuck = True
    with pytest.raises(DofbotError, match=r"joint3 was told to turn by 5 degrees and its sensor says 0\.0"):
        check_joint(arm, "joint3", lambda _: True, 1.0)


def test_nothing_is_written_of_an_arm_that_was_not_seen_whole_or_that_no_sign_mends() -> None:
    seen = [Direction(joint, STEP_RAD, joint != GRIP_JOINT) for joint in JOINT_NAMES]
    with pytest.raises(CalibrationError, match="joint5 was not checked"):
        with_signs(DEFAULT_CALIBRATION, [direction for direction in seen if direction.joint != "joint5"])
    with pytest.raises(CalibrationError, match="fingers go the wrong way"):
        with_signs(DEFAULT_CALIBRATION, seen)


def test_an_arm_that_is_bent_is_to_be_led_upright_first() -> None:
    arm = Arm(DEFAULT_CALIBRATION, DEFAULT_CALIBRATION)
    require_upright(arm)
    arm.position[2] = math.radians(40)
    with pytest.raises(DofbotError, match="joint3 is 40 degrees from upright"):
        require_upright(arm)
    arm.position[2] = np.nan
    with pytest.raises(DofbotError):
        require_upright(arm)
