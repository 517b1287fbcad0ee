"""A calibration that says where the fingers are: robot, description, workspace and planners go by it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.arm.model import forward_chain, load_model, with_fingers
from dofbot_ros.arm.robot import Robot
from dofbot_ros.errors import CalibrationError
from dofbot_ros.grasp.planning.tilt_band import TiltBand
from dofbot_ros.safety.bodies import BODIES
from dofbot_ros.safety.workspace import Workspace

ACROSS, ALONG = 0.002, -0.0015
OFF = Robot.calibrated(replace(DEFAULT_CALIBRATION, finger_across_m=ACROSS, finger_along_m=ALONG))


def test_a_description_tells_clients_where_the_fingers_are() -> None:
    described = Robot.described(OFF.describe())
    assert described.same_as(OFF)
    assert not described.same_as(Robot.calibrated())
    k = described.kinematics
    assert (k.finger_across, k.finger_along, k.tool) == pytest.approx((ACROSS, ALONG, 0.183 + ALONG))


def test_the_described_fingers_close_beside_tool_link() -> None:
    model, q = OFF.describe(), np.array([0.3, 0.5, 0.6, 0.8, 0.4, gap_to_joint(0.030)])
    fingers = [forward_chain(model, q, f"{side}_finger")[:3, 3] for side in ("left", "right")]
    drawn = [forward_chain(load_model(), q, f"{side}_finger")[:3, 3] for side in ("left", "right")]
    T = OFF.kinematics.tool_transform(q[:5])
    moved = np.mean(fingers, axis=0) - np.mean(drawn, axis=0)
    np.testing.assert_allclose(moved, ACROSS * T[:3, 1] + ALONG * T[:3, 2], atol=1e-9)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    radius=st.floats(0.16, 0.26),
    azimuth=st.floats(-1.2, 1.2),
    roll=st.floats(-1.4, 3.0),
    place=st.floats(0.1, 0.9),
    across=st.floats(-0.004, 0.004),
)
def test_a_column_brings_the_middle_between_the_fingers_to_its_points(
    radius: float, azimuth: float, roll: float, place: float, across: float
) -> None:
    kinematics = Robot.calibrated(replace(DEFAULT_CALIBRATION, finger_across_m=across)).kinematics
    x, y = radius * math.cos(azimuth), radius * math.sin(azimuth)
    column = TiltBand(kinematics, 0.02).column(x, y, (0.02, 0.05), place, roll)
    if column is None:
        return
    for z, q in zip(np.linspace(0.02, 0.05, len(column)), column, strict=True):
        T = kinematics.tool_transform(q)
        np.testing.assert_allclose(T[:3, 3] + across * T[:3, 1], (x, y, z), atol=5e-6)


def test_longer_fingers_may_not_come_as_low() -> None:
    longer = Robot.calibrated(replace(DEFAULT_CALIBRATION, finger_along_m=0.003)).kinematics
    q = np.array([[0.0, 0.6, 1.2, 1.2, 0.0, 0.5]])
    drawn, real = (Workspace(k).clearances(q)[0] for k in (Robot.calibrated().kinematics, longer))
    right = BODIES.index("right finger")
    down = -math.cos(0.6 + 1.2 + 1.2)
    assert drawn[right] - real[right] == pytest.approx(0.003 * down, abs=1e-9)


def test_without_an_error_nothing_changes_and_a_large_one_is_refused() -> None:
    model = load_model()
    assert with_fingers(model, 0.0, 0.0) is model
    with pytest.raises(CalibrationError, match=r"finger_across_m 0\.02 is not this arm's"):
        replace(DEFAULT_CALIBRATION, finger_across_m=0.02)
