from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import N_ARM, N_JOINTS, FloatArray
from dofbot_ros.safety.bodies import BODIES
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.teleop.config import MotionConfig, ReachConfig, TeleopConfig, load_config
from dofbot_ros.teleop.retargeting.retarget import GapPickup, gap_of
from dofbot_ros.teleop.retargeting.target_limiter import TargetLimiter, ToolTarget
from dofbot_ros.teleop.retargeting.tool_speed_limiter import ToolSpeedLimiter

from ..synthetic_operator import START, start_joints

KINEMATICS = Kinematics()
WORKSPACE = Workspace(KINEMATICS)
REACH = TargetLimiter(KINEMATICS, WORKSPACE, ReachConfig())
PERIOD = 1 / 50

joints = st.tuples(
    st.floats(-1.2, 1.2), st.floats(0.0, 1.0), st.floats(0.0, 1.5), st.floats(0.0, 1.5), st.floats(-1.5, 3.1),
    st.floats(0.0, 1.57),
).map(np.array)  # fmt: skip
requests = st.builds(
    ToolTarget,
    point=st.tuples(st.floats(-1.0, 1.0), st.floats(-1.0, 1.0), st.floats(-0.5, 1.0)),
    share=st.floats(0.0, 1.0),
    turn=st.floats(-3.0, 3.0),
    roll=st.floats(-7.0, 7.0),
    grip=st.floats(0.0, 1.57),
)


@settings(max_examples=200, deadline=None)
@given(joints, requests)
def test_whatever_is_wished_the_target_is_allowed(present: FloatArray, requested: ToolTarget) -> None:
    """From any pose that is clear: within limits and bounds of the workspace, and the whole joint-space way too."""
    margin = ReachConfig().clearance_m
    assume(WORKSPACE.clearances(present).min() >= margin)
    target = REACH.tool(requested, present)
    way = present + np.linspace(0.0, 1.0, 9)[:, None] * (target.joints - present)
    arm = target.joints[:N_ARM]
    assert ((arm >= KINEMATICS.lower - 1e-9) & (arm <= KINEMATICS.upper + 1e-9)).all()
    assert WORKSPACE.clearances(target.joints).min() >= margin - 1e-9
    assert WORKSPACE.clearances(way).min() >= -0.01


@settings(max_examples=100, deadline=None)
@given(st.floats(0.17, 0.24), st.floats(-0.1, 0.1), st.floats(0.08, 0.18), st.floats(0.2, 0.8), st.floats(-1.0, 2.0))
def test_what_can_be_reached_is_reached_exactly(x: float, y: float, z: float, share: float, roll: float) -> None:
    target = REACH.tool(ToolTarget((x, y, z), share, 0.0, roll, 0.3), start_joints())
    tool = target.tool
    assert not target.clamped
    assert (tool.x, tool.y, tool.z, tool.roll) == pytest.approx((x, y, z, roll), abs=1e-6)
    assert REACH.pitch_share(tool) == pytest.approx(share, abs=1e-3)


def test_engaging_leaves_the_pitch_as_it_is() -> None:
    share = REACH.pitch_share(START)
    target = REACH.tool(ToolTarget((START.x, START.y, START.z), share, 0.0, 0.0, 0.0), start_joints())
    assert np.abs(target.joints - start_joints()).max() < 1e-6


@settings(deadline=None)
@given(joints)
def test_an_arm_that_stands_still_is_wished_to_stand_still(present: FloatArray) -> None:
    """Anywhere, outside the bounds as well: to a tenth of a degree where the elbow is all but straight."""
    assume(WORKSPACE.clearances(present).min() >= ReachConfig().clearance_m)
    tool = KINEMATICS.forward(present[:N_ARM])
    assume(tool.x > 0.02)
    assume(0.0 <= tool.pitch <= np.pi)
    requested = ToolTarget((tool.x, tool.y, tool.z), REACH.pitch_share(tool), 0.0, tool.roll, float(present[N_ARM]))
    assert np.abs(REACH.tool(requested, present).joints - present).max() < 2e-3


def test_a_hand_pushing_into_the_table_slides_along_it() -> None:
    present = start_joints()
    for x in np.linspace(0.20, 0.28, 40):
        present = REACH.tool(ToolTarget((float(x), 0.0, -0.1), 0.5, 0.0, 0.0, 0.0), present).joints
    tool = KINEMATICS.forward(present[:N_ARM])
    assert tool.x == pytest.approx(0.28, abs=0.01)
    assert tool.z < 0.04


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.one_of(st.none(), joints), st.integers(1, 12)), max_size=12), st.floats(0.02, 0.4))
def test_paced_motion_is_smooth_and_slow_enough(plan: list[tuple[FloatArray | None, int]], limit: float) -> None:
    """Any targets, any halts: the speed of joints and tool is limited, and velocity does not leap."""
    config = MotionConfig(max_tool_speed=limit)
    motion = ToolSpeedLimiter(config, KINEMATICS, PERIOD)
    motion.reset(start_joints())
    before, velocity = start_joints(), np.zeros(N_JOINTS)
    for target, periods in [*plan, (None, 60)]:
        for _ in range(periods):
            sample = motion.step(target)
            a, b = (KINEMATICS.forward(q[:N_ARM]) for q in (before, sample.position))
            assert np.linalg.norm([b.x - a.x, b.y - a.y, b.z - a.z]) <= limit * PERIOD + 1e-9
            assert np.abs(sample.velocity).max() <= config.max_velocity * 1.01
            np.testing.assert_allclose(sample.velocity, (sample.position - before) / PERIOD, atol=1e-9)
            before, velocity = sample.position, sample.velocity
    if limit > 0.1:
        assert motion.at_rest
        assert np.abs(velocity).max() < 1e-6


def test_paced_motion_arrives() -> None:
    motion, goal = ToolSpeedLimiter(MotionConfig(max_tool_speed=0.1), KINEMATICS, PERIOD), start_joints(0.5) + 0.2
    motion.reset(start_joints())
    for _ in range(200):
        sample = motion.step(goal)
    assert sample.position == pytest.approx(goal, abs=1e-6)
    assert motion.at_rest


def test_the_gripper_follows_once_the_gap_was_matched_or_crossed() -> None:
    for gaps, follows in (([0.06, 0.05], False), ([0.06, 0.02], True), ([0.01, 0.028], True), ([0.0, 0.01], False)):
        pickup = GapPickup()
        pickup.anchor(gap_to_joint(0.03))
        out = [pickup(gap) for gap in gaps][-1]
        assert out == pytest.approx(gap_to_joint(gaps[-1] if follows else 0.03))


def test_the_gap_is_clamped() -> None:
    assert [gap_of(v, 0.2, 0.8) for v in (-1.0, 0.2, 0.5, 0.8, 9.0)] == pytest.approx([0.0, 0.0, 0.03, 0.06, 0.06])


def test_the_shipped_configuration_is_the_default() -> None:
    assert load_config() == TeleopConfig()


@pytest.mark.parametrize("roll", [-math.pi / 2, 0.7, math.pi / 2])
@pytest.mark.parametrize("grip", [0.0, 1.0])
def test_a_rolled_hand_slides_along_the_table_on_its_lower_finger(roll: float, grip: float) -> None:
    """It is raised by what that finger needs and not stopped; without jumps, and no higher than needed."""
    present, way = start_joints(), []
    for share in np.linspace(0.0, 1.0, 20):
        present = REACH.tool(ToolTarget((0.20, 0.0, 0.12), 0.5, 0.0, share * roll, share * grip), present).joints
    for z in np.linspace(0.12, 0.0, 60):
        present = REACH.tool(ToolTarget((0.20, 0.0, float(z)), 0.5, 0.0, roll, grip), present).joints
    for x in np.linspace(0.20, 0.26, 60):
        present = REACH.tool(ToolTarget((float(x), 0.0, 0.0), 0.5, 0.0, roll, grip), present).joints
        way.append(KINEMATICS.forward(present[:N_ARM]))
    assert way[-1].x == pytest.approx(0.26, abs=1e-3)
    assert max(abs(b.z - a.z) for a, b in itertools.pairwise(way)) < 0.003
    fingers = WORKSPACE.clearances(present)[BODIES.index("right finger") : len(BODIES)].min()
    assert fingers == pytest.approx(ReachConfig().clearance_m, abs=0.002) or way[-1].z < 0.0105
