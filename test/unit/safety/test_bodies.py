"""The bodies against everything that the URDF draws, read and placed independently of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dofbot_ros.arm.gripper import CLOSED
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.model import load_model, parse_model
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import ConfigError, InputError
from dofbot_ros.safety.bodies import BODIES, Bodies, bodies_of, dofbot_bodies, features
from dofbot_ros.safety.separation import LINK1_BELOW_JOINT2, LINK1_HALF
from dofbot_ros.safety.workspace import NAMES, Workspace, WorkspaceConfig

from .drawn_arm import FIXED, DrawnArm

ARM = Kinematics()
DRAWN = DrawnArm()
LOWER, UPPER = np.append(ARM.lower, 0.0), np.append(ARM.upper, CLOSED)
WORKSPACE = Workspace(ARM)
HAND = ("link5", "right_crank", "right_bar", "left_crank", "left_bar")
LINKS = {
    "upper arm": ("link2",),
    "forearm": ("link3",),
    "wrist": ("link4",),
    "wrist camera": ("camera_link",),
    "gripper": HAND,
    "right finger": ("right_finger",),
    "left finger": ("left_finger",),
}
OUTER = tuple(link for links in LINKS.values() for link in links if link != "link2")
anywhere = arrays(np.float64, 6, elements=st.floats(0.0, 1.0)).map(lambda share: LOWER + share * (UPPER - LOWER))


def draw(seed: int, count: int) -> FloatArray:
    """Joint vectors evenly within the limits; in a third of them some joints stand at an end."""
    rng = np.random.default_rng(seed)
    q = rng.uniform(LOWER, UPPER, (count, 6))
    at_end = (rng.random((count, 1)) < 0.33) & (rng.random(q.shape) < 0.5)
    return np.where(at_end, np.where(rng.random(q.shape) < 0.5, LOWER, UPPER), q)


def near_table(seed: int, count: int) -> FloatArray:
    """Joint vectors whose lowest point is within 30 mm of the table, above it or below."""
    found: list[FloatArray] = []
    while sum(map(len, found)) < count:
        q = draw(seed, 8 * count)
        q = q[ARM.link_points(q[:, :5])[:, 2:, 2].min(axis=1) < 0.09]
        found.append(q[np.abs(DRAWN.lowest(q)) < 0.03])
        seed += 1000
    return np.vstack(found)[:count]


def test_each_link_of_the_urdf_belongs_to_a_body_or_to_the_base() -> None:
    assert {p.link for p in DRAWN.primitives} == {*OUTER, "link2", *FIXED}
    assert tuple(LINKS) == BODIES


@pytest.fixture(scope="module")
def bodies() -> Bodies:
    """Made anew, whatever the process has kept."""
    return bodies_of(load_model())


def test_the_bodies_that_are_kept_are_those_of_the_shipped_urdf(bodies: Bodies) -> None:
    assert dofbot_bodies().starts == bodies.starts
    np.testing.assert_allclose(dofbot_bodies().matrix, bodies.matrix, atol=1e-12)
    assert dofbot_bodies() is dofbot_bodies()


@pytest.mark.parametrize("body", BODIES)
def test_the_lowest_point_of_a_body_is_that_of_its_primitives(bodies: Bodies, body: str) -> None:
    """Never above it; below it by no more than the corners of the prism that stands for a cylinder."""
    q = draw(1, 4000)
    model = bodies.lowest(features(ARM, q)[:, 2])[BODIES.index(body)]
    short = DRAWN.lowest(q, LINKS[body]) - model
    assert short.min() > -1e-9
    # What stands out most is the corner of a side view that is as wide everywhere as at its widest.
    assert short.max() < 0.0006


@settings(max_examples=60, deadline=None)
@given(anywhere, st.floats(0.098, 0.120))
def test_the_base_height_of_a_calibration_lifts_all_bodies(q: FloatArray, base_height: float) -> None:
    heights = dofbot_bodies().lowest(features(Kinematics(base_height=base_height), q[None])[:, 2])
    assert heights.min() == pytest.approx(DrawnArm(base_height).lowest(q[None])[0], abs=6e-4)


@pytest.mark.slow
def test_no_allowed_pose_near_the_table_has_a_part_below_it() -> None:
    """13 % did when the fingers were one line on the tool's axis."""
    q = near_table(2, 30_000)
    allowed = WORKSPACE.clearances(q).min(axis=1) >= 0.0
    assert allowed.sum() > 5000
    lowest = DRAWN.lowest(q)
    assert lowest[allowed].min() >= WORKSPACE.config.tip_margin - 1e-9
    # And what keeps its margins is not refused for the table's sake.
    table = WORKSPACE.clearances(q)[:, : len(BODIES)].min(axis=1)
    assert (table[lowest > WORKSPACE.config.table_margin + 6e-4] >= 0.0).all()


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(anywhere)
def test_around_the_boundary_an_allowed_pose_is_above_the_table(q: FloatArray) -> None:
    """Joint 2 is turned until the pose is just allowed; there, and a little to either side, the promise holds."""
    ways = np.repeat(q[None], 181, axis=0)
    ways[:, 1] = np.linspace(LOWER[1], UPPER[1], 181)
    fine = WORKSPACE.clearances(ways).min(axis=1) >= 0.0
    edges = np.flatnonzero(fine[1:] != fine[:-1])
    for edge in edges:
        a, b = ways[edge].copy(), ways[edge + 1].copy()
        for _ in range(30):
            middle = 0.5 * (a + b)
            same = (WORKSPACE.violation(middle) == "") == fine[edge]
            a, b = (middle, b) if same else (a, middle)
        inside = a if fine[edge] else b
        around = inside + np.linspace(-0.02, 0.02, 21)[:, None] * np.eye(6)[1]
        allowed = around[WORKSPACE.clearances(around).min(axis=1) >= 0.0]
        assert DRAWN.lowest(allowed).min() >= 0.0


@pytest.mark.slow
def test_no_allowed_pose_has_a_part_in_base_or_link_1() -> None:
    q = draw(3, 60_000)
    q = q[WORKSPACE.clearances(q).min(axis=1) >= 0.0]
    distance = WORKSPACE.clearances(q)[:, len(BODIES) :].min(axis=1)
    nearest = q[np.argsort(distance)[:4000]]
    assert distance.max() > 0.02
    assert not DRAWN.touching(nearest, OUTER, FIXED).any()


@pytest.mark.slow
@pytest.mark.parametrize("base_height", [0.098, 0.120])
def test_nor_at_another_base_height(base_height: float) -> None:
    workspace, q = Workspace(Kinematics(base_height=base_height)), draw(4, 15_000)
    clearances = workspace.clearances(q)
    order = np.argsort(np.where(clearances.min(axis=1) < 0.0, np.inf, clearances[:, len(BODIES) :].min(axis=1)))
    assert not DrawnArm(base_height).touching(q[order[:1500]], OUTER, FIXED).any()


@pytest.mark.slow
def test_what_runs_into_the_base_is_refused_for_it() -> None:
    q = draw(5, 20_000)
    q = q[(WORKSPACE.clearances(q)[:, len(BODIES) :].min(axis=1) < 0.01) & (DRAWN.lowest(q) > 0.005)]
    q = q[DRAWN.touching(q, OUTER, FIXED)]
    assert len(q) > 50
    assert (WORKSPACE.clearances(q)[:, len(BODIES) :].min(axis=1) < 0.0).all()


@pytest.mark.slow
def test_within_the_joint_limits_the_arm_cannot_touch_itself() -> None:
    """So the workspace need not look: neither hand nor camera reach the upper arm or the forearm."""
    q = draw(6, 4000)
    ends = np.array(np.meshgrid([0.0], *[[low, high] for low, high in zip(LOWER[1:], UPPER[1:], strict=True)]))
    q = np.vstack([ends.reshape(6, -1).T, q])
    hand = (*HAND, "right_finger", "left_finger")
    assert not DRAWN.touching(q, (*hand, "link4", "camera_link"), ("link2",)).any()
    assert not DRAWN.touching(q, (*hand, "camera_link"), ("link3",)).any()
    assert not DRAWN.touching(q, hand, ("camera_link",)).any()


def test_the_boxes_of_the_base_and_of_link_1_cover_what_is_drawn() -> None:
    config = WorkspaceConfig()
    for base_height in (0.098, 0.1075, 0.120):
        drawn = DrawnArm(base_height)
        poses = drawn.poses(np.zeros((1, 6)))
        for primitive in drawn.primitives:
            if primitive.link not in FIXED:
                continue
            pose = poses[primitive.link][0]
            centre = pose[:3, :3] @ primitive.centre + pose[:3, 3]
            half = np.array([primitive.reach(axis) for axis in np.eye(3) @ primitive.turn])
            middle, size = np.array([0.0, 0.0, base_height - LINK1_BELOW_JOINT2]), np.array(LINK1_HALF)
            boxes = [(np.array(box.lower), np.array(box.upper)) for box in config.base]
            if primitive.link == "link1":
                boxes = [(middle - size, middle + size)]
            assert any((centre - half >= a - 1e-9).all() and (centre + half <= b + 1e-9).all() for a, b in boxes)


def test_the_pose_that_was_29_mm_below_the_table() -> None:
    q = np.array([1.232, 1.364, 0.662, 0.11, -1.365, 0.183])
    assert WORKSPACE.violation(q) == "left finger too near the table: by 30.3 mm"
    assert DRAWN.lowest(q[None])[0] == pytest.approx(-0.0293, abs=1e-4)


@pytest.mark.parametrize("roll", [-math.pi / 2, math.pi / 2])
def test_the_lower_finger_is_the_one_that_is_named(roll: float) -> None:
    q = np.array([0.0, 1.364, 0.662, 0.11, roll, 0.0])
    finger = "left finger" if roll < 0.0 else "right finger"
    assert WORKSPACE.violation(q).startswith(f"{finger} too near the table: by ")
    assert NAMES[int(WORKSPACE.clearances(q).argmin())] == f"{finger} too near the table"


def test_a_model_without_a_hand_is_told() -> None:
    urdf = load_model().urdf.replace("left_finger", "left_thumb")
    with pytest.raises(InputError, match=r"link 'left_finger' is not one of .*left_thumb"):
        bodies_of(parse_model(urdf))


def test_a_mesh_is_told_with_its_link() -> None:
    urdf = load_model().urdf.replace('<box size="0.0265 0.04 0.023"/>', '<mesh filename="servo.stl"/>')
    with pytest.raises(ConfigError, match="visual of link5: shape 'mesh' is not one of box, cylinder, sphere"):
        bodies_of(parse_model(urdf))
