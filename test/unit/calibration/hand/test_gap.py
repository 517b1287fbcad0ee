"""Servo 6 from closings on things of known width, against hidden servos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration
from dofbot_ros.arm.gripper import gap_to_joint, joint_to_servo_degrees
from dofbot_ros.calibration.hand.gap import Closing, fit_gap
from dofbot_ros.calibration.hand.result import gap_kept
from dofbot_ros.errors import CalibrationError, InputError

STORED = DEFAULT_CALIBRATION


def hidden(zero: int, scale: float) -> Calibration:
    servo = STORED.grip_joint
    true = replace(servo, zero_ticks=servo.zero_ticks + zero, ticks_per_degree=scale * servo.ticks_per_degree)
    return replace(STORED, grip_joint=replace(true, min_ticks=true.zero_ticks, max_ticks=true.zero_ticks + 2100))


def closing(true: Calibration, width_mm: float, noise: float = 0.0) -> Closing:
    servo = true.grip_joint
    degrees = float(joint_to_servo_degrees(gap_to_joint(1e-3 * width_mm)))
    return Closing(1e-3 * width_mm, servo.zero_ticks + servo.ticks_per_degree * degrees + noise)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(zero=st.integers(-60, 60), scale=st.floats(0.97, 1.03))
def test_zero_and_scale_come_out_of_several_widths(zero: int, scale: float) -> None:
    true = hidden(zero, scale)
    found = fit_gap(STORED, [closing(true, width) for width in (10.0, 20.0, 30.0, 40.0, 50.0)])
    assert found.servo.zero_ticks == pytest.approx(true.grip_joint.zero_ticks, abs=1)
    assert found.servo.ticks_per_degree == pytest.approx(true.grip_joint.ticks_per_degree, rel=1e-6)
    assert found.held_out_mm.max() < 0.1
    assert replace(STORED, grip_joint=found.servo).grip_joint == found.servo


def test_one_width_tells_the_zero_alone_and_the_result_is_kept() -> None:
    true, noise = hidden(25, 1.0), np.random.default_rng(0).normal(0.0, 1.0, 4)
    kept, told = gap_kept(STORED, [closing(true, 30.0, float(n)) for n in noise])
    assert kept.grip_joint.zero_ticks == pytest.approx(true.grip_joint.zero_ticks, abs=2)
    assert kept.grip_joint.ticks_per_degree == STORED.grip_joint.ticks_per_degree
    assert (told["gap_taken"], told["gap_held_out_mm"] < 0.2, told["gap_stored_mm"] > 0.8) == (True, True, True)


def test_closings_that_contradict_each_other_change_nothing() -> None:
    kept, told = gap_kept(STORED, [closing(STORED, 30.0, noise) for noise in (-60.0, 55.0, -50.0, 60.0)])
    assert (kept, told["gap_taken"]) == (STORED, False)


def test_too_few_closings_and_impossible_widths_are_refused() -> None:
    with pytest.raises(CalibrationError, match="2 closings, 3 are needed"):
        fit_gap(STORED, [closing(STORED, 30.0)] * 2)
    with pytest.raises(InputError, match="0 to 60 mm, not 70"):
        fit_gap(STORED, [Closing(0.070, 1000.0)] * 3)
