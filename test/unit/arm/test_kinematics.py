"""Closed-form kinematics: what goes forward comes back, on every branch, up to the limits and in the singular poses."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.transforms import log_so3
from dofbot_ros.core.types import ToolPose
from dofbot_ros.errors import InputError, UnreachableError

ARM = Kinematics()
HALF = math.pi / 2


def joint(lower, upper):
    """Anywhere between the limits, and often on them, at zero, or a rounding error away from either."""
    special = [lower, upper, 0.0, math.nextafter(lower, 0), math.nextafter(upper, 0), 1e-6, -1e-6, 1e-8, 3e-5]
    return st.floats(lower, upper) | st.sampled_from(special)


joints = st.tuples(*[joint(lo, hi) for lo, hi in zip(ARM.lower, ARM.upper, strict=True)]).map(np.array)
smooth_joints = st.tuples(*[st.floats(lo, hi) for lo, hi in zip(ARM.lower, ARM.upper, strict=True)]).map(np.array)


def difference(pose, goal):
    """How far a pose (5,) is from a goal (5,), angles modulo a whole turn."""
    error = np.asarray(pose) - goal
    error[..., 3:] = np.remainder(error[..., 3:] + math.pi, 2 * math.pi) - math.pi
    return np.abs(error).max()


def row(pose):
    return np.array([pose.x, pose.y, pose.z, pose.pitch, pose.roll])


@given(joints)
@example(np.zeros(5))
@example(np.array([0.3, HALF, 0.0, -HALF, 0.0]))
@example(np.array([-HALF, -HALF, HALF, HALF, math.pi]))
def test_every_branch_reaches_the_goal_within_the_limits(q):
    goal = ARM.forward(q)
    branches = ARM.inverse(goal)
    assert 1 <= len(branches) <= 4
    for branch in branches:
        assert (branch >= ARM.lower).all()
        assert (branch <= ARM.upper).all()
        assert difference(row(ARM.forward(branch)), row(goal)) < 1e-9


@given(smooth_joints)
def test_the_angles_that_made_the_goal_are_among_the_branches(q):
    """Where joint1's axis leaves the yaw open, or the elbow is straight, the angles are only near."""
    goal = ARM.forward(q)
    near_axis = math.hypot(goal.x, goal.y) < 1e-6
    tolerance = 2e-5 if abs(q[2]) < 1e-4 else 1e-7
    start = 1 if near_axis else 0
    assert np.abs(ARM.inverse(goal) - q)[:, start:].max(axis=1).min() < tolerance


def test_branches_are_different_and_the_outward_elbow_comes_first():
    branches = ARM.inverse(ToolPose(0.2, 0.05, 0.35, 0.8, 0.4))
    assert len(branches) == 2
    assert branches[0, 2] > 0 > branches[1, 2]


def test_on_the_y_axis_both_yaws_count():
    """Facing the point at +90 degrees, or turned away at -90 and leaning back; pitch counts forward in both."""
    branches = ARM.inverse(ToolPose(0.0, 0.03, 0.42, 0.2, 0.0))
    assert sorted(set(np.sign(branches[:, 0]))) == [-1, 1]
    assert len(branches) == 4
    for branch in branches:
        assert difference(row(ARM.forward(branch)), [0.0, 0.03, 0.42, 0.2, 0.0]) < 1e-9


def test_behind_the_arm_it_leans_back():
    branch = ARM.solve(ToolPose(-0.15, 0.05, 0.3, -1.2, 0.0))
    assert abs(branch[0]) < HALF
    assert difference(row(ARM.forward(branch)), [-0.15, 0.05, 0.3, -1.2, 0.0]) < 1e-9


def test_the_stretched_arm_has_one_solution():
    np.testing.assert_allclose(ARM.inverse(ToolPose(0.0, 0.0, 0.1075 + 0.3487, 0.0)), np.zeros((1, 5)), atol=1e-5)


def test_on_joint1s_axis_the_yaw_is_kept():
    goal = ARM.forward([0.7, 0.8, -1.2, -0.4, 0.3])
    goal = ToolPose(0.0, 0.0, goal.z, *_on_axis_pitch(goal.z), 0.3)
    assert ARM.solve(goal, near=[1.1, 0, 0, 0, 0])[0] == pytest.approx(1.1)
    assert ARM.solve(goal, near=[2.0, 0, 0, 0, 0])[0] == pytest.approx(HALF)
    assert (ARM.inverse(goal)[:, 0] == 0).all()


def _on_axis_pitch(z):
    lo, hi = ARM.pitch_range(0.0, 0.0, z)[0]
    return ((lo + hi) / 2,)


@given(joints, st.integers(-2, 2), st.integers(-2, 2))
def test_a_goals_angles_count_modulo_whole_turns(q, pitch_turns, roll_turns):
    goal = ARM.forward(q)
    turned = ToolPose(
        goal.x, goal.y, goal.z, goal.pitch + 2 * math.pi * pitch_turns, goal.roll + 2 * math.pi * roll_turns
    )
    assert difference(row(ARM.forward(ARM.solve(turned))), row(goal)) < 1e-9


@given(joints)
def test_solve_stays_on_the_branch_it_is_near(q):
    goal = ARM.forward(q)
    chosen = ARM.solve(goal, near=q)
    best = np.abs(ARM.inverse(goal) - q).max(axis=1).min()
    assert np.abs(chosen - q).max() <= best + 1e-12


def test_solve_accepts_a_whole_joint_vector_as_near():
    goal = ARM.forward([0.1, 0.4, 0.6, 0.8, 0.0])
    np.testing.assert_allclose(
        ARM.solve(goal, near=[0.1, 0.4, 0.6, 0.8, 0.0, 1.0]), [0.1, 0.4, 0.6, 0.8, 0.0], atol=1e-9
    )


@given(smooth_joints)
def test_jacobian_is_the_derivative_of_the_pose(q):
    step = 1e-6
    numeric = np.zeros((6, 5))
    for i in range(5):
        plus, minus = (ARM.tool_transform(q + sign * step * np.eye(5)[i]) for sign in (1, -1))
        numeric[:3, i] = (plus[:3, 3] - minus[:3, 3]) / (2 * step)
        numeric[3:, i] = log_so3(plus[:3, :3] @ minus[:3, :3].T) / (2 * step)
    np.testing.assert_allclose(ARM.jacobian(q), numeric, atol=1e-7)


def test_tool_axes_at_rest_are_those_of_the_base():
    pose = ARM.tool_transform(np.zeros(5))
    np.testing.assert_allclose(pose[:3, :3], np.eye(3), atol=1e-15)
    np.testing.assert_allclose(pose[:3, 3], [0, 0, 0.1075 + 2 * 0.08285 + 0.183])


def test_positive_pitch_bends_forward_and_positive_yaw_turns_left():
    np.testing.assert_allclose(ARM.tool_transform([0, HALF, 0, 0, 0])[:3, 2], [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(ARM.tool_transform([HALF, HALF, 0, 0, 0])[:3, 2], [0, 1, 0], atol=1e-12)


def test_batches_equal_single_solutions():
    rng = np.random.default_rng(3)
    goals = ARM.forward_batch(rng.uniform(ARM.lower, ARM.upper, (500, 5)))
    strewn = rng.uniform([-0.4, -0.4, -0.2, -7, -7], [0.4, 0.4, 0.5, 7, 7], (500, 5))
    axis = [[0.0, 0.0, 0.3, 0.5, 0.0], [0.0, 0.03, 0.42, 0.2, 0.0], [0.0, 0.0, 0.4562, 0.0, 0.0], [np.nan] * 5]
    goals = np.concatenate([goals, strewn, axis])
    solved = ARM.inverse_batch(goals)
    assert solved.shape == (len(goals), 4, 5)
    reached = 0
    for goal, branches in zip(goals, solved, strict=True):
        found = branches[~np.isnan(branches).any(axis=1)]
        try:
            expected = ARM.inverse(ToolPose(*goal.tolist()))
        except (UnreachableError, InputError):
            expected = np.zeros((0, 5))
        np.testing.assert_allclose(found, expected, atol=1e-9)
        reached += len(expected) > 0
    assert 500 < reached < 1000


def test_batch_poses_equal_single_poses():
    q = np.random.default_rng(4).uniform(ARM.lower, ARM.upper, (3, 20, 5))
    poses = ARM.forward_batch(q)
    assert poses.shape == (3, 20, 5)
    np.testing.assert_allclose(poses[1, 2], row(ARM.forward(q[1, 2])), atol=1e-15)
    assert ARM.link_points(q).shape == (3, 20, 4, 3)


def test_every_point_of_the_design_table_is_where_it_says():
    """A few cells of the reach table: tilt from straight down at a radius and a tip height [deg]."""
    for radius, height, low, high in [(0.12, 0.005, 3, 10), (0.16, 0.105, 42, 49), (0.20, 0.055, 28, 40)]:
        ((lo, hi),) = ARM.pitch_range(radius, 0.0, height)
        assert 180 - math.degrees(hi) == pytest.approx(low, abs=1.0)
        assert 180 - math.degrees(lo) == pytest.approx(high, abs=1.0)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("field", range(5))
def test_a_goal_that_is_not_finite_is_refused(field, value):
    goal = [0.2, 0.0, 0.1, 2.0, 0.0]
    goal[field] = value
    with pytest.raises(InputError, match="five finite numbers"):
        ARM.solve(ToolPose(*goal))


def test_impossible_lengths_and_limits_are_refused():
    with pytest.raises(InputError, match="link lengths must be positive"):
        Kinematics(tool=0.0)
    with pytest.raises(InputError, match="joint limits must rise"):
        Kinematics(lower=(1.0,) * 5, upper=(0.5,) * 5)
