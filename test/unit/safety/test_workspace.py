import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import ToolPose
from dofbot_ros.safety.workspace import NAMES, Workspace, _segment_to_box, _segment_to_segment
from dofbot_ros.service.config import HOME, PARK

ARM = Kinematics()
WORKSPACE = Workspace(ARM)
points = arrays(np.float64, (2, 3), elements=st.floats(-0.3, 0.3))


def joints(x, y, z, tilt_deg, roll=0.0):
    return np.append(ARM.solve(ToolPose(x, y, z, np.pi - np.radians(tilt_deg), roll)), np.pi / 3)


@pytest.mark.parametrize("pose", [HOME, PARK])
def test_home_and_park_are_allowed(pose):
    assert WORKSPACE.violation(np.array(pose)) == ""


@pytest.mark.parametrize(
    ("radius", "tilt"), [(0.15, 10), (0.16, 12), (0.18, 20), (0.20, 22), (0.22, 28), (0.24, 34), (0.26, 40)]
)
@pytest.mark.parametrize("roll", [0.0, np.pi / 2, np.pi])
def test_grasps_on_the_table_are_allowed_all_over_the_reach(radius, tilt, roll):
    assert WORKSPACE.violation(joints(radius, 0.0, 0.005, tilt, roll)) == ""


@pytest.mark.parametrize(
    ("q", "name"),
    [
        ([0, 1.5, 0.9, 0.0, 0, 0], "above the table"),
        ([0, -1.2, 1.57, 1.57, 0, np.pi / 2], ""),
        ([0, 0.0, 1.57, 1.57, 0, np.pi / 2], "gripper to the base"),
        ([0, -0.4, 1.57, 1.57, 0, np.pi / 2], ""),
        ([0, -1.5, -0.5, -0.3, 0, 0], "gripper to the base"),
    ],
)
def test_known_poses(q, name):
    violation = WORKSPACE.violation(np.array(q, dtype=float))
    assert (name in violation) if name else not violation, violation


def test_the_tips_may_touch_down_to_their_margin_and_no_further():
    z = WORKSPACE.config.tip_margin
    # tool_link is the tip at a gap of 30 mm, which is grip pi/3.
    assert WORKSPACE.violation(joints(0.2, 0, z + 1e-4, 22)) == ""
    assert "finger tips above the table: 0.5 mm too near" in WORKSPACE.violation(joints(0.2, 0, z - 5e-4, 22))


def test_closing_the_gripper_lengthens_the_tool():
    barely = joints(0.2, 0, 0.002, 22)
    assert WORKSPACE.violation(barely) == ""
    barely[5] = np.pi / 2
    assert "finger tips" in WORKSPACE.violation(barely)


def test_many_poses_at_once_are_the_same_as_one_by_one():
    q = np.random.default_rng(0).uniform(-1.5, 1.5, (50, 6))
    np.testing.assert_allclose(WORKSPACE.clearances(q), [WORKSPACE.clearances(row) for row in q])
    assert WORKSPACE.clearances(q).shape == (50, len(NAMES))


@given(points, points)
def test_segment_distance_against_dense_sampling(first, second):
    if min(np.ptp(first, axis=0).max(), np.ptp(second, axis=0).max()) < 1e-3:
        return
    s = np.linspace(0, 1, 60)[:, None]
    a, b = first[0] + s * np.subtract(*first[::-1]), second[0] + s * np.subtract(*second[::-1])
    sampled = np.linalg.norm(a[:, None] - b[None], axis=-1).min()
    exact = float(_segment_to_segment(first[0], first[1], second[0], second[1]))
    assert exact <= sampled + 1e-6
    assert sampled - exact < 0.02


@given(points)
def test_box_distance_is_zero_inside_and_never_too_large(segment):
    lower, upper = np.array([-0.1, -0.1, 0.0]), np.array([0.1, 0.1, 0.1])
    distance = float(_segment_to_box(segment[0], segment[1], lower, upper))
    ends = np.maximum(np.maximum(lower - segment, segment - upper), 0)
    assert distance <= np.linalg.norm(ends, axis=1).min() + 1e-12
    if ((segment[0] >= lower) & (segment[0] <= upper)).all():
        assert distance == 0.0
