"""A calibration that says where the fingers are: tool, description, workspace and planners go by it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.model import forward_chain, load_model, with_fingers
from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.types import FloatArray, ToolPose
from dofbot_ros.driver.tool_goal import tool_goal
from dofbot_ros.errors import CalibrationError
from dofbot_ros.grasp.planning.tilt_band import TiltBand
from dofbot_ros.safety.bodies import BODIES
from dofbot_ros.safety.workspace import Workspace

ACROSS, ALONG = 0.002, -0.0015
OFF = Robot.calibrated(replace(DEFAULT_CALIBRATION, finger_across_m=ACROSS, finger_along_m=ALONG))
FAR = Kinematics(fingers=(0.004, 0.0))
NARROW = Kinematics(fingers=(-0.003, 0.0), lower=(-0.5, -0.3, -0.2, -1.2, -0.4), upper=(0.7, 1.2, 1.5, 0.9, 1.0))

anywhere = st.tuples(*[st.floats(low, high) for low, high in zip(FAR.lower, FAR.upper, strict=True)]).map(np.array)
positions = st.tuples(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4), st.floats(-0.2, 0.5))
rolls = st.floats(-1.5, 3.1)


def row(pose: ToolPose) -> FloatArray:
    return np.array([pose.x, pose.y, pose.z, pose.pitch, pose.roll])


def test_a_description_tells_clients_where_the_fingers_are() -> None:
    described = Robot.described(OFF.describe())
    assert described.same_as(OFF)
    assert not described.same_as(Robot.calibrated())
    k = described.kinematics
    assert (k.finger_across, k.finger_along, k.tool) == pytest.approx((ACROSS, ALONG, 0.183 + ALONG))


def test_the_described_fingers_close_about_tool_link() -> None:
    model, q = OFF.describe(), np.array([0.3, 0.5, 0.6, 0.8, 0.4, gap_to_joint(0.030)])
    fingers = [forward_chain(model, q, f"{side}_finger")[:3, 3] for side in ("left", "right")]
    drawn = [forward_chain(load_model(), q, f"{side}_finger")[:3, 3] for side in ("left", "right")]
    T = OFF.kinematics.tool_transform(q[:5])
    moved = np.mean(fingers, axis=0) - np.mean(drawn, axis=0)
    np.testing.assert_allclose(moved, ACROSS * T[:3, 1] + ALONG * T[:3, 2], atol=1e-9)
    np.testing.assert_allclose(forward_chain(model, q, "tool_link"), T, atol=1e-12)
    np.testing.assert_allclose(T[:3, 3], forward_chain(load_model(), q, "tool_link")[:3, 3] + moved, atol=1e-9)


@given(anywhere)
@settings(deadline=None)
def test_what_goes_forward_comes_back_on_every_branch(q: FloatArray) -> None:
    goal = FAR.forward(q)
    reached = np.array([row(FAR.forward(branch)) for branch in FAR.inverse(goal)])
    off = reached - row(goal)
    off[:, 3:] = np.remainder(off[:, 3:] + math.pi, 2 * math.pi) - math.pi
    assert np.abs(off).max() < 1e-9
    if abs(q[2]) > 1e-3 and math.hypot(goal.x, goal.y) > 0.005:
        assert np.abs(FAR.inverse(goal) - q).max(axis=1).min() < 1e-6


@given(st.floats(-1.5, 1.5), rolls, st.sampled_from([0.0, 0.4]))
def test_the_upright_arm_reaches_where_it_is(yaw: float, roll: float, bent: float) -> None:
    # No point is nearer to joint 1's axis than its tool then.
    q = np.array([yaw, bent, -2.0 * bent, bent, roll])
    goal = FAR.forward(q)
    near = FAR.solve(goal, near=q)
    np.testing.assert_allclose(row(FAR.forward(near)), row(goal), atol=1e-8)
    assert not np.isnan(FAR.inverse_batch([row(goal)])).any(axis=2).all()


def test_many_goals_at_once_are_the_single_ones() -> None:
    rng = np.random.default_rng(3)
    q = rng.uniform(FAR.lower, FAR.upper, (300, 5))
    goals = FAR.forward_batch(q)
    np.testing.assert_allclose(goals, [row(FAR.forward(one)) for one in q], atol=1e-12)
    for goal, solved in zip(goals, FAR.inverse_batch(goals), strict=True):
        found = solved[~np.isnan(solved).any(axis=1)]
        np.testing.assert_allclose(found, FAR.inverse(ToolPose(*goal.tolist())), atol=1e-9)
    beside_the_axis = np.array([[0.001, 0.001, 0.2, 1.0, 0.0]])
    assert np.isnan(FAR.inverse_batch(beside_the_axis)).all()


@given(anywhere)
def test_the_jacobian_is_the_derivative(q: FloatArray) -> None:
    step = 1e-6
    ends = [[FAR.link_points(q + sign * step * np.eye(5)[i])[3] for i in range(5)] for sign in (1, -1)]
    numeric = (np.array(ends[0]) - ends[1]).T / (2 * step)
    np.testing.assert_allclose(FAR.jacobian(q)[:3], numeric, atol=1e-7)


@given(positions, rolls, st.lists(st.floats(-math.pi, math.pi), min_size=10, max_size=10))
def test_pitch_range_is_where_there_are_solutions(
    point: tuple[float, float, float], roll: float, pitches: list[float]
) -> None:
    ranges = FAR.pitch_range(*point, roll)
    assert all(-math.pi <= low <= math.pi for low, _ in ranges)
    for pitch in pitches:
        if any(abs(math.remainder(pitch - end, 2 * math.pi)) < 1e-6 for interval in ranges for end in interval):
            continue
        inside = any(low <= pitch + turns <= high for low, high in ranges for turns in (0, 2 * math.pi))
        assert (not np.isnan(FAR.inverse_batch([[*point, pitch, roll]])).any(axis=2).all()) == inside


@settings(deadline=None)
@given(positions, st.floats(-3.0, 3.0), rolls, st.sampled_from([FAR, NARROW]))
def test_the_nearest_pose_is_reached_and_a_reached_one_is_its_own(
    point: tuple[float, float, float], pitch: float, roll: float, arm: Kinematics
) -> None:
    nearest = arm.nearest(ToolPose(*point, pitch, roll))
    again = row(arm.forward(arm.solve(arm.nearest(nearest))))
    np.testing.assert_allclose(again[:3], row(nearest)[:3], atol=1e-6)


@settings(deadline=None)
@given(anywhere)
def test_a_full_pose_of_the_tool_gives_its_angles_back(q: FloatArray) -> None:
    T, goal = FAR.tool_transform(q), FAR.forward(q)
    if math.hypot(goal.x, goal.y) < 0.06 or (goal.x * math.cos(q[0]) + goal.y * math.sin(q[0]) < 0.0) != (goal.x < 0):
        return
    found = tool_goal(T, FAR.finger_across)
    assert abs(math.remainder(found.pitch - goal.pitch, 2 * math.pi)) < 1e-6
    assert abs(math.remainder(found.roll - goal.roll, 2 * math.pi)) < 1e-6


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
        np.testing.assert_allclose(T[:3, 3], (x, y, z), atol=1e-9)


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
