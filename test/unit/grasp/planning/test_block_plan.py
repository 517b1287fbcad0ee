"""Whole plans: within limits and margins, through the right poses, and a clear word where there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.arm.gripper import CLOSED, gap_to_joint, tip_distance
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import FloatArray
from dofbot_ros.grasp.planning.block_plan import BlockMove, BlockPlan, BlockPlanner, GraspError
from dofbot_ros.grasp.planning.hand_geometry import StandingBlock, distance_to_blocks, hand_balls
from dofbot_ros.motion.timed_path import TimedPath
from dofbot_ros.motion.trajectory import MotionLimits, Sample, Trajectory
from dofbot_ros.safety.workspace import Workspace

ARM = Kinematics()
WORKSPACE = Workspace(ARM)
LIMITS = MotionLimits(np.append(ARM.lower, 0.0), np.append(ARM.upper, CLOSED), np.full(6, 1.6), np.full(6, 8.0))
PLANNER = BlockPlanner(ARM, LIMITS, WORKSPACE)
HOME = np.zeros(5)


@st.composite
def moves(draw: st.DrawFn) -> BlockMove:
    """A block, a target and two bystanders, apart from each other as in the trials."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    places: list[tuple[float, float]] = []
    while len(places) < 4:
        radius, azimuth = math.sqrt(rng.uniform(0.16**2, 0.26**2)), rng.uniform(-1.05, 1.05)
        place = (radius * math.cos(azimuth), radius * math.sin(azimuth))
        if all(math.dist(place, other) > 0.075 for other in places):
            places.append(place)
    blocks = [StandingBlock(*place, rng.uniform(-math.pi, math.pi)) for place in places[1:]]
    return BlockMove(blocks[0], places[0], tuple(blocks[1:]))


def sampled(path: TimedPath, grip: float) -> FloatArray:
    """Joint vectors (n, 6) every 10 ms of what the daemon makes of a motion; refused as the daemon would."""
    gripper = np.full(len(path.times), grip)
    start = Sample(np.append(path.positions[0], grip), np.zeros(6))
    velocities = np.column_stack([path.velocities, np.zeros(len(gripper))])
    trajectory = Trajectory(path.times, np.column_stack([path.positions, gripper]), velocities, start)
    trajectory.check(LIMITS)
    return trajectory.sample(np.arange(0.0, path.duration_s, 0.01)).position


def moves_of(plan: BlockPlan) -> tuple[TimedPath, ...]:
    return (plan.reach.then(plan.descend), plan.lift, plan.carry.then(plan.lower), plan.leave)


def with_grip(plan: BlockPlan) -> list[tuple[TimedPath, float]]:
    open_, closed = gap_to_joint(plan.open_gap), gap_to_joint(0.030)
    return list(zip(moves_of(plan), (open_, closed, closed, open_), strict=True))


@settings(max_examples=10, deadline=None)
@given(moves())
def test_a_plan_keeps_limits_workspace_and_distance_to_the_others(move: BlockMove) -> None:
    plan = PLANNER.plan(HOME, move)
    for path, grip in with_grip(plan):
        q = sampled(path, grip)
        assert WORKSPACE.clearances(q).min() > -1e-4
        balls = hand_balls(ARM, q)
        assert distance_to_blocks(*balls, move.others).min() > 0.003
    assert plan.clearance >= 0.004
    assert sum(path.duration_s for path in moves_of(plan)) < 8.0


@settings(max_examples=10, deadline=None)
@given(moves())
def test_the_motions_follow_each_other_and_end_where_they_began(move: BlockMove) -> None:
    plan = PLANNER.plan(HOME, move)
    ends = [HOME, *(path.positions[-1] for path in moves_of(plan))]
    for path, before in zip(moves_of(plan), ends, strict=False):
        np.testing.assert_allclose(path.positions[0], before, atol=1e-9)
    np.testing.assert_allclose(plan.leave.positions[-1], HOME, atol=1e-9)
    np.testing.assert_allclose(plan.give_up.positions[0], plan.lift.positions[-1], atol=1e-9)
    np.testing.assert_allclose(plan.give_up.positions[-1], HOME, atol=1e-9)


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(moves())
def test_the_fingers_close_around_the_block(move: BlockMove) -> None:
    plan = PLANNER.plan(HOME, move)
    tool = ARM.tool_transform(plan.descend.positions[-1])
    block = np.linalg.inv(tool) @ (move.block.x, move.block.y, 0.015, 1.0)
    assert abs(block[0]) < 3e-5  # the tool's axis goes through its middle
    assert abs(block[1]) < 3e-5
    assert -0.015 < block[2] < 0.004  # behind the tips of the closed fingers, between their pads
    open_tip = tool[:3, 3] - (ARM.tool - tip_distance(gap_to_joint(plan.open_gap))) * tool[:3, 2]
    assert open_tip[2] > 0.025  # open fingers end above the block
    assert abs(math.asin(tool[2, 1])) <= math.radians(20.1)
    corner = tool[2, 3] - 0.006 * abs(tool[2, 0]) - 0.021 * abs(tool[2, 1])
    # Higher than what the fingers need on the block only where the rest of what they are told would come too low.
    assert 0.0025 - 1e-4 < corner < 0.0031


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(moves())
def test_fingers_that_close_as_far_as_they_are_told_stay_above_the_table(move: BlockMove) -> None:
    """Block or none: the governor judges the command, which goes on when a block stops the fingers."""
    plan = PLANNER.plan(HOME, move)
    fingers = np.linspace(gap_to_joint(plan.open_gap), gap_to_joint(plan.closed_gap), 20)
    q = np.column_stack([np.repeat(plan.descend.positions[-1:], 20, axis=0), fingers])
    # Room for what the governor leaves between the poses that it looks at.
    assert WORKSPACE.clearances(q).min() > 4e-4
    assert WORKSPACE.clearances(sampled(plan.lift, float(fingers[-1]))).min() > 0.0


def test_a_block_is_let_go_upright_where_the_tilts_allow_it() -> None:
    plan = PLANNER.plan(HOME, BlockMove(StandingBlock(0.2, 0.05, 0.2), (0.18, -0.1)))
    assert plan.released_tilt < math.radians(3.0)
    assert math.hypot(plan.place.x, plan.place.y) == pytest.approx(math.hypot(0.18, 0.1), abs=0.01)


@pytest.mark.parametrize("target", [(0.40, 0.0), (-0.2, 0.0), (0.05, 0.05)])
def test_a_target_out_of_reach_is_told(target: tuple[float, float]) -> None:
    with pytest.raises(GraspError, match=r"no tilt of the tool reaches both ends .* 0\.15 to 0\.27 m"):
        PLANNER.plan(HOME, BlockMove(StandingBlock(0.2, 0.0, 0.0), target))


def test_a_block_that_is_hemmed_in_is_left_alone_and_the_neighbour_named() -> None:
    sides = ((0.036, 0.0), (-0.036, 0.0), (0.0, 0.036), (0.0, -0.036))
    neighbours = tuple(StandingBlock(0.20 + dx, dy, 0.0) for dx, dy in sides)
    with pytest.raises(
        GraspError, match=r"none of \d+ ways .* is free: the block at x 0\.\d+ y -?0\.\d+ \(\d+ times\)"
    ):
        PLANNER.plan(HOME, BlockMove(StandingBlock(0.20, 0.0, 0.0), (0.2, 0.15), neighbours))


def test_a_block_between_two_neighbours_is_taken_from_the_free_sides() -> None:
    neighbours = (StandingBlock(0.20, 0.036, 0.0), StandingBlock(0.20, -0.036, 0.0))
    plan = PLANNER.plan(HOME, BlockMove(StandingBlock(0.20, 0.0, 0.0), (0.2, 0.15), neighbours))
    closing = ARM.tool_transform(plan.descend.positions[-1])[:3, 1]
    assert abs(closing[0]) > 0.9
