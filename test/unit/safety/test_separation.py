"""Gaps between the arm's bodies and its base, against corners and shadows taken one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from dofbot_ros.arm.gripper import CLOSED
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.model import load_model
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import ConfigError
from dofbot_ros.safety.bodies import BODIES, Bodies, bodies_of, features, link_axes
from dofbot_ros.safety.separation import FAR, LINK1_BELOW_JOINT2, LINK1_HALF, Base, Box
from dofbot_ros.safety.workspace import WorkspaceConfig

ARM = Kinematics(base_height=0.11)
LOWER, UPPER = np.append(ARM.lower, 0.0), np.append(ARM.upper, CLOSED)
BOXES = WorkspaceConfig().base
ASIDE = (Box((-0.05, 0.02, 0.0), (0.09, 0.11, 0.07)), Box((-0.2, -0.1, 0.0), (-0.02, -0.05, 0.12)))
"""Boxes that do not lie symmetrically to the base's x axis, as on a desk of its own."""


@pytest.fixture(scope="module")
def bodies() -> Bodies:
    return bodies_of(load_model())


@pytest.fixture(scope="module")
def poses() -> FloatArray:
    """Half of them anywhere, half folded back over the base [rad] (n, 6)."""
    rng = np.random.default_rng(7)
    anywhere = rng.uniform(LOWER, UPPER, (150, 6))
    folded = rng.uniform(LOWER, UPPER, (150, 6))
    folded[:, 1] = rng.uniform(-1.5, -0.5, 150)
    return np.vstack([anywhere, folded])


def corners(lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Of a box, shape (8, 3)."""
    return np.array(list(itertools.product(*zip(lower, upper, strict=True))))


def link1_corners(yaw: float) -> FloatArray:
    """Of the box around link 1, which turns with joint 1, in base_link [m] (8, 3)."""
    c, s = np.cos(yaw), np.sin(yaw)
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    at = corners(-np.array(LINK1_HALF), np.array(LINK1_HALF)) @ turn.T
    return at + [0.0, 0.0, ARM.base_height - LINK1_BELOW_JOINT2]


def expected(bodies: Bodies, q: FloatArray, boxes: tuple[Box, ...]) -> FloatArray:
    """The widest gap of each body but the upper arm to the nearest box, on the axes that are looked at, (6,)."""
    f, yaw = features(ARM, q[None])[..., 0], q[0]
    c, s = np.cos(yaw), np.sin(yaw)
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    points = bodies.matrix @ f @ turn.T
    ends = [*bodies.starts[1:], len(points)]
    axes = np.vstack([np.eye(3), turn.T, link_axes(f[..., None])[..., 0] @ turn.T])
    obstacles = [link1_corners(yaw), *(corners(np.array(box.lower), np.array(box.upper)) for box in boxes)]
    gaps = []
    for begin, end in list(zip(bodies.starts, ends, strict=True))[1:]:
        body = points[begin:end] @ axes.T
        shadows = [obstacle @ axes.T for obstacle in obstacles]
        each = [np.maximum(body.min(0) - o.max(0), o.min(0) - body.max(0)).max() for o in shadows]
        gaps.append(min(each))
    return np.array(gaps)


def found(bodies: Bodies, q: FloatArray, boxes: tuple[Box, ...] = BOXES) -> FloatArray:
    f = features(ARM, q)
    return Base(ARM, boxes).distances(bodies, q[:, 0], f, bodies.lowest(f[:, 2]))


def outside(bodies: Bodies, q: FloatArray, boxes: tuple[Box, ...]) -> FloatArray:
    """How far each body but the upper arm is above all that stands still, or beyond it outward, (6,)."""
    f, outward = features(ARM, q[None]), np.array([np.cos(q[0]), np.sin(q[0]), 0.0])
    solid = np.vstack([link1_corners(q[0]), *(corners(np.array(box.lower), np.array(box.upper)) for box in boxes)])
    above = bodies.lowest(f[:, 2])[1:, 0] - solid[:, 2].max()
    beyond = bodies.lowest(f[:, 0])[1:, 0] - (solid @ outward).max()
    furthest: FloatArray = np.maximum(above, beyond)
    return furthest


@pytest.mark.parametrize("boxes", [BOXES, ASIDE])
def test_a_distance_is_the_widest_gap_on_any_axis_but_far_away_where_two_are_enough(
    bodies: Bodies, poses: FloatArray, boxes: tuple[Box, ...]
) -> None:
    distance, near = found(bodies, poses, boxes), 0
    for k, q in enumerate(poses):
        quick, widest = outside(bodies, q, boxes), expected(bodies, q, boxes)
        assert (quick <= widest + 1e-12).all()
        near += (quick < FAR).any()
        assert distance[:, k] == pytest.approx(widest if (quick < FAR).any() else quick, abs=1e-12)
    assert 100 < near < 280
    assert (distance < 0.0).any()


def test_one_pose_alone_has_the_same_distances_as_among_many(bodies: Bodies, poses: FloatArray) -> None:
    distance = found(bodies, poses)
    for k in range(0, len(poses), 10):
        assert found(bodies, poses[k : k + 1])[:, 0] == pytest.approx(distance[:, k], abs=1e-12)


def test_a_box_knows_its_middle_and_half_lengths() -> None:
    box = Box((-0.1, 0.0, 0.2), (0.3, 0.1, 0.8))
    assert box.middle == pytest.approx([0.1, 0.05, 0.5])
    assert box.half == pytest.approx([0.2, 0.05, 0.3])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_box_has_an_extent_along_every_axis(axis: int) -> None:
    upper = tuple(0.0 if i == axis else 0.1 for i in range(3))
    with pytest.raises(ConfigError) as refused:
        Box((0.0, 0.0, 0.0), upper)  # type: ignore[arg-type]
    assert str(refused.value) == f"box: lower must lie below upper in x, y and z, got (0.0, 0.0, 0.0) and {upper}"


# -- the points and axes behind it -------------------------------------------------------------------------------------


def test_the_features_place_the_joints_where_kinematics_does(poses: FloatArray) -> None:
    turned = poses.copy()
    turned[:, 0] = 0.0
    f = features(ARM, turned)
    links = ARM.link_points(turned[:, :5])
    for row, joint in ((0, 0), (4, 1), (7, 2)):
        np.testing.assert_allclose(f[row].T, links[:, joint], atol=1e-12)


def test_the_axes_are_orthogonal_units_and_the_hand_lies_along_the_tool(poses: FloatArray) -> None:
    f = features(ARM, poses)
    for x, y in ((1, 2), (5, 6), (8, 9)):
        assert np.einsum("in,in->n", f[x], f[y]) == pytest.approx(np.zeros(len(poses)), abs=1e-12)
    for row in (1, 2, 3, 5, 6, 8, 9, 10, 11):
        assert np.linalg.norm(f[row], axis=0) == pytest.approx(np.ones(len(poses)))
    assert np.cross(f[10].T, f[11].T) == pytest.approx(f[9].T, abs=1e-12)
    cosine, sine = np.cos(poses[:, 5]), np.sin(poses[:, 5])
    for row, of in ((12, 11), (14, 9)):
        assert f[row] == pytest.approx(f[of] * cosine)
        assert f[row + 1] == pytest.approx(f[of] * sine)


def test_link_axes_are_those_of_forearm_wrist_and_hand(poses: FloatArray) -> None:
    f = features(ARM, poses)
    assert link_axes(f) == pytest.approx(f[[5, 6, 8, 9, 10, 11]])


def test_spans_are_the_ends_of_each_bodys_points(bodies: Bodies, poses: FloatArray) -> None:
    f = features(ARM, poses[:7])
    least, most = bodies.span(f)
    points = np.einsum("kf,fan->kan", bodies.matrix, f)
    ends = [*bodies.starts[1:], len(points)]
    for i, (begin, end) in enumerate(zip(bodies.starts, ends, strict=True)):
        assert least[i] == pytest.approx(points[begin:end].min(axis=0))
        assert most[i] == pytest.approx(points[begin:end].max(axis=0))
    assert bodies.lowest(f[:, 2]) == pytest.approx(least[:, 2])
    assert least.shape == most.shape == (len(BODIES), 3, 7)
