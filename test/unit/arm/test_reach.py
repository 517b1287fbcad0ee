"""What is reachable, and what is nearest to what is not: the closed forms against searches over everything."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import ToolPose
from dofbot_ros.errors import UnreachableError

ARM = Kinematics()
HALF = math.pi / 2
# Limits as a crash guard might set them: nothing is symmetric, and joint 1 covers no half circle.
NARROW = Kinematics(lower=(-0.5, -0.3, -0.2, -1.2, -0.4), upper=(0.7, 1.2, 1.5, 0.9, 1.0))

positions = st.tuples(st.floats(-0.45, 0.45), st.floats(-0.45, 0.45), st.floats(-0.3, 0.6))
angles = st.floats(-math.pi, math.pi)


def reaches(arm, x, y, z, pitch):
    """Which of the pitches (n,) reach the point, by solving for each."""
    pitch = np.asarray(pitch, dtype=float)
    fixed = np.broadcast_to([x, y, z], (pitch.size, 3))
    solved = arm.inverse_batch(np.column_stack([fixed, pitch, np.full(pitch.size, arm.lower[4])]))
    return ~np.isnan(solved).any(axis=2).all(axis=1)


def position(pose):
    return np.array([pose.x, pose.y, pose.z])


def between(a, b):
    return abs(math.remainder(a - b, 2 * math.pi))


@pytest.fixture(scope="module", params=[ARM, NARROW], ids=["full", "narrow"])
def cloud(request):
    """An arm, and positions of its tool on a grid over joints 2 to 4 (for every yaw, the plane is the same)."""
    arm = request.param
    axes = [np.linspace(arm.lower[i], arm.upper[i], 61) for i in (1, 2, 3)]
    q = np.stack(np.meshgrid([0.0], *axes, [0.0], indexing="ij"), axis=-1).reshape(-1, 5)
    return arm, arm.forward_batch(q)[:, [0, 2]]


GOALS = np.random.default_rng(7).uniform([-0.4, -0.4, -0.3, -3, -3], [0.5, 0.4, 0.6, 3, 3], (20, 5)).tolist()
PLACES = [
    [0.0, 0.0, 0.1075, 1.0, 0.0],  # the shoulder itself
    [0.08285, 0.0, 0.1075, -0.5, 0.0],  # an elbow at its limit
    [0.0, 0.0, 0.7, 0.3, 0.0],  # above the arm, on joint1's axis
    [0.0, 0.0, 0.25, 2.0, 0.0],  # inside the arm, on joint1's axis
    [1.0, 0.0, 0.1075, 0.0, 0.0],  # far ahead
    [-1.0, 1e-9, 0.1075, 0.0, 0.0],  # far behind
    [0.2, 0.0, -1.0, 3.0, 0.0],  # far below the table
]


@pytest.mark.parametrize("goal", GOALS + PLACES, ids=str)
def test_the_nearest_position_beats_a_search_over_all_joints(cloud, goal):
    arm, points = cloud
    goal = ToolPose(*goal)
    nearest = arm.nearest(goal)
    assert len(arm.inverse(nearest)) >= 1
    distance = np.linalg.norm(position(nearest) - position(goal))
    yaws = np.linspace(arm.lower[0], arm.upper[0], 31)
    along = goal.x * np.cos(yaws) + goal.y * np.sin(yaws)
    across = goal.y * np.cos(yaws) - goal.x * np.sin(yaws)
    best = math.inf
    for a, c in zip(along, across, strict=True):
        squares = (points[:, 0] - a) ** 2 + (points[:, 1] - goal.z) ** 2
        best = min(best, math.sqrt(squares.min() + c * c))
    assert distance <= best + 1e-9
    # The grid is 3 degrees wide, 6 in yaw: it cannot be far from the best there is.
    assert best <= distance + 0.03


@pytest.mark.parametrize("arm", [ARM, NARROW], ids=["full", "narrow"])
@given(position_=positions, pitch=angles)
def test_of_the_pitches_at_the_nearest_position_the_nearest_is_taken(arm, position_, pitch):
    nearest = arm.nearest(ToolPose(*position_, pitch, arm.lower[4]))
    scanned = np.linspace(-math.pi, math.pi, 2000)
    reached = scanned[reaches(arm, nearest.x, nearest.y, nearest.z, scanned)]
    # On the edge of the workspace the position says little about the pitch: 1e-10 m of rounding allow 2e-5 rad.
    assert all(between(other, pitch) >= between(nearest.pitch, pitch) - 1e-4 for other in reached)


@given(positions, angles, st.floats(-HALF, math.pi))
def test_pitch_and_roll_are_kept_where_they_can_be(point, pitch, roll):
    goal = ToolPose(*point, pitch, roll)
    ranges = ARM.pitch_range(*point)
    nearest = ARM.nearest(goal)
    assert nearest.roll == roll
    if ranges:
        np.testing.assert_allclose(position(nearest), point, atol=1e-9)
        inside = any(lo <= pitch + turns <= hi for lo, hi in ranges for turns in (0, 2 * math.pi))
        if inside:
            assert between(nearest.pitch, pitch) < 1e-9


def test_a_roll_out_of_reach_goes_to_the_nearer_limit():
    goal = ToolPose(0.2, 0.0, 0.05, math.radians(147), -2.0)
    with pytest.raises(UnreachableError, match=r"no joint angles reach .* roll -114\.6 deg; the nearest") as caught:
        ARM.inverse(goal)
    assert caught.value.goal == goal
    assert caught.value.nearest.roll == pytest.approx(-HALF)
    assert caught.value.nearest.pitch == pytest.approx(goal.pitch)
    np.testing.assert_allclose(position(caught.value.nearest), position(goal), atol=1e-9)
    assert ARM.nearest(ToolPose(0.2, 0.0, 0.05, 2.6, -2.6)).roll == pytest.approx(math.pi)


def test_a_reachable_goal_is_its_own_nearest():
    goal = ARM.forward([0.2, 0.4, 0.8, 1.0, 0.3])
    nearest = ARM.nearest(goal)
    np.testing.assert_allclose(position(nearest), position(goal), atol=1e-12)
    assert (nearest.pitch, nearest.roll) == (pytest.approx(goal.pitch), pytest.approx(goal.roll))


def test_far_away_the_arm_stretches_towards_the_goal():
    nearest = ARM.nearest(ToolPose(3.0, 4.0, 0.1075, 3.0, 0.0))
    np.testing.assert_allclose(position(nearest), [0.3487 * 0.6, 0.3487 * 0.8, 0.1075], atol=1e-9)
    assert nearest.pitch == pytest.approx(HALF)


def test_at_the_shoulder_the_free_direction_goes_to_the_pitch():
    """Every point of a circle about joint 2 is as near; the goal's pitch decides, within what the shoulder can turn."""
    nearest = ARM.nearest(ToolPose(0.0, 0.0, 0.1075, 2.0, 0.0))
    least = math.dist((0.0, 0.0, 0.1075), (nearest.x, nearest.y, nearest.z))
    assert least == pytest.approx(
        np.linalg.norm(position(ARM.forward([0, 0, HALF, HALF, 0])) - [0, 0, 0.1075]), abs=1e-9
    )
    assert nearest.pitch == pytest.approx(2.0)


@given(positions, st.lists(angles, min_size=20, max_size=20))
def test_pitch_range_is_exactly_where_there_are_solutions(point, pitches):
    ranges = ARM.pitch_range(*point)
    edges = [edge for interval in ranges for edge in interval]
    clear = [p for p in pitches if all(between(p, edge) > 1e-6 for edge in edges)]
    expected = [any(lo <= p + turns <= hi for lo, hi in ranges for turns in (0, 2 * math.pi)) for p in clear]
    assert reaches(ARM, *point, clear).tolist() == expected


@given(positions)
def test_pitch_ranges_are_in_order_and_begin_within_one_turn(point):
    ranges = ARM.pitch_range(*point)
    assert ranges == sorted(ranges)
    for lo, hi in ranges:
        assert -math.pi <= lo <= math.pi
        assert lo <= hi <= lo + 2 * math.pi


@given(positions, angles)
def test_the_ends_of_a_pitch_range_are_reached(point, pitch):
    ranges = ARM.pitch_range(*point)
    assume(ranges)
    for interval in ranges:
        for end in interval:
            nearest = ARM.nearest(ToolPose(*point, end, 0.0))
            assert between(nearest.pitch, end) < 1e-6
            np.testing.assert_allclose(position(nearest), point, atol=1e-7)


def test_the_edge_of_the_workspace_has_one_pitch():
    ((lo, hi),) = ARM.pitch_range(0.3487, 0.0, 0.1075)
    assert lo == pytest.approx(HALF, abs=1e-6)
    assert hi == pytest.approx(HALF, abs=1e-6)
    assert ARM.pitch_range(0.3488, 0.0, 0.1075) == []


def test_straight_down_does_not_split_a_range():
    """An interval that crosses pi is one interval, and its end is larger than pi."""
    arm = Kinematics(upper=(HALF, math.pi, math.pi, math.pi, math.pi), lower=(-HALF, -HALF, -HALF, -HALF, -HALF))
    assert any(lo < math.pi < hi for lo, hi in arm.pitch_range(0.1, 0.0, 0.0))
