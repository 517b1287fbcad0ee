"""What the arm is asked to do, judged by the forward kinematics of the output."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import N_ARM, FloatArray
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.teleop.config import ClutchConfig, MotionConfig, TeleopConfig
from dofbot_ros.teleop.input.landmarks import Landmarks, Observation
from dofbot_ros.teleop.retargeting.clutch import Reason

from ..synthetic_operator import FIST, PINCH, QUICK, START, Operator, follow, pipeline, start_joints

PERIOD = 1 / TeleopConfig().control_rate_hz
KINEMATICS = Kinematics()
WORKSPACE = Workspace(KINEMATICS)
CENTRE = (-0.7, 0.0, 0.0)

coordinate = st.one_of(st.floats(-0.6, 0.6), st.sampled_from([np.nan, np.inf, 50.0]))
frames = st.tuples(
    st.sampled_from(["hand", "hand", "hand", "hand", "none", "two", "nan", "poor"]),
    st.tuples(st.one_of(st.floats(-1.5, -0.2), st.sampled_from([np.nan, -40.0])), coordinate, coordinate),
    st.one_of(st.floats(0.0, 0.12), st.sampled_from([-0.05, 0.0, 0.5])),
    st.booleans(),
)


def frame(operator: Operator, kind: str, at: tuple[float, float, float], stamp: float) -> Observation:
    with np.errstate(all="ignore"):
        seen = operator.at(*at, stamp, score=0.2 if kind == "poor" else 0.95)
    assert seen.hand is not None
    if kind == "none":
        return Observation(stamp, seen.width, seen.height)
    if kind == "nan":
        world = seen.hand.world.copy()
        world[7, 1] = np.nan
        return replace(seen, hand=Landmarks(seen.hand.image, world, 0.9, "right"))
    return replace(seen, others=1) if kind == "two" else seen


@settings(max_examples=60, deadline=None)
@given(st.lists(frames, min_size=5, max_size=60), st.floats(0.02, 0.5), st.integers(0, 9))
def test_the_tool_never_exceeds_its_speed(
    stream: list[tuple[str, tuple[float, float, float], float, bool]], limit: float, seed: int
) -> None:
    """Any landmarks at any times: NaN, teleports, hands that come and go, stamps that stand still or run backwards."""
    config = TeleopConfig(
        motion=MotionConfig(max_tool_speed=limit),
        # Nothing is taken for a mistake of the detector here: every leap reaches the motion.
        clutch=ClutchConfig(max_hand_speed=1e6, settle_s=0.0),
    )
    teleop, joints, operator = pipeline(config), start_joints(0.3), Operator(seed=seed)
    now = stamp = 1.0
    for kind, at, gap, engage in stream:
        stamp = max(stamp + gap, now - 0.1)
        teleop.observe(frame(operator, kind, at, stamp), max(now, stamp))
        if engage:
            teleop.engage()
        for _ in range(3):
            now += PERIOD
            if command := teleop.step(joints, now):
                check_motion(joints, command.position, config)
                joints = command.position


def check_motion(before: FloatArray, after: FloatArray, config: TeleopConfig) -> None:
    assert np.isfinite(after).all()
    a, b = (KINEMATICS.forward(q[:N_ARM]) for q in (before, after))
    moved = np.linalg.norm([b.x - a.x, b.y - a.y, b.z - a.z])
    assert moved <= config.motion.max_tool_speed * PERIOD + 1e-9
    assert np.abs(after - before).max() <= config.motion.max_velocity * PERIOD * 1.01
    assert (after[:N_ARM] >= KINEMATICS.lower - 1e-6).all()
    assert (after[:N_ARM] <= KINEMATICS.upper + 1e-6).all()
    assert WORKSPACE.clearances(after).min() >= -0.02


def test_nothing_moves_until_engaged() -> None:
    teleop, operator = pipeline(), Operator()
    for i in range(60):
        now = 1.0 + i / 30
        teleop.observe(operator.at(-0.7 + 0.01 * i, 0.005 * i, 0.0, now), now)
        assert teleop.step(start_joints(), now) is None
    assert teleop.status.reason is Reason.START


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.floats(-1.2, -0.3), st.floats(-0.2, 0.2), st.floats(-0.15, 0.15), st.floats(0.0, 1.5))
def test_engaging_does_not_move_the_arm(forward: float, left: float, up: float, grip: float) -> None:
    """Wherever the hand is and whatever it pinches: the present pose is the anchor."""
    times, tools, commands = follow(lambda _: (forward, left, up), 1.8, Operator(PINCH, noise=0.0))
    del times, grip
    assert len(commands) > 20
    assert np.abs(tools - tools[0]).max() < 1e-6
    assert commands[0].tool.x == pytest.approx(START.x)


def test_the_gripper_is_picked_up_and_never_snaps() -> None:
    """Engaged with an open hand while a block is held, the fingers stay closed until the pinch has matched them."""
    teleop, opened, pinched = pipeline(), Operator(noise=0.0), Operator(PINCH, noise=0.0)
    joints, now = start_joints(gap_to_joint(0.03)), 1.0
    gaps = []
    for i in range(360):
        now = 1.0 + i * PERIOD
        teleop.observe((pinched if 180 <= i < 260 else opened).at(*CENTRE, now), now)
        if i == 80:
            assert teleop.engage() is None
        if command := teleop.step(joints, now):
            joints = command.position
            gaps.append(command.gap)
    held, squeezed, released = gaps[:90], gaps[160], gaps[-1]
    assert held == pytest.approx([0.03] * len(held), abs=1e-6)
    assert squeezed < 0.02
    assert released > 0.055


def test_a_lost_hand_is_held_within_200_ms_and_stops_smoothly() -> None:
    config = QUICK
    teleop, operator, joints = pipeline(config), Operator(noise=0.0), start_joints()
    last_frame, speeds, released = 2.5, [], None
    for tick in range(300):
        now = 1.0 + tick * PERIOD
        stamp = now - 0.03
        if stamp <= last_frame:
            teleop.observe(operator.at(-0.7, 0.15 * max(0.0, stamp - 2.0), 0.0, stamp), now)
        if not teleop.status.engaged and now < 2.0:
            teleop.engage()
        command = teleop.step(joints, now)
        if command is not None:
            speeds.append((now, float(np.abs(command.velocity).max()), command.velocity))
            joints = command.position
        if released is None and now > 2.0 and not teleop.status.engaged:
            released = now
    assert released is not None
    assert released - last_frame <= 0.2
    assert teleop.status.reason is Reason.STALE
    assert max(speed for now, speed, _ in speeds if now > 2.3) > 0.2
    velocities = np.array([v for _, _, v in speeds])
    assert np.abs(np.diff(velocities, axis=0)).max() <= config.motion.max_acceleration * PERIOD * 1.05
    assert speeds[-1][0] - released <= 0.3
    # The mean speed of the period in which a jerk-limited motion ends.
    assert speeds[-1][1] <= 0.5 * config.motion.max_jerk * PERIOD**2
    assert teleop.step(joints, 5.0) is None


def test_after_a_hold_it_needs_to_be_engaged_again() -> None:
    teleop, operator = pipeline(), Operator(noise=0.0)
    for i in range(90):
        now = 1.0 + i / 30
        there = not 40 <= i < 50
        teleop.observe(operator.at(*CENTRE, now) if there else Observation(now, 640, 480), now)
        if i == 30:
            assert teleop.engage() is None
        teleop.step(start_joints(), now)
    assert not teleop.status.engaged
    assert teleop.status.reason is Reason.HAND_LOST
    assert teleop.status.fault is None


def test_a_fist_releases() -> None:
    teleop = pipeline()
    for i in range(60):
        now = 1.0 + i / 30
        teleop.observe(Operator(FIST if i > 40 else 0, noise=0.0).at(*CENTRE, now), now)
        if i == 30:
            teleop.engage()
        teleop.step(start_joints(), now)
    assert teleop.status.reason is Reason.RELEASED


def test_an_arm_outside_its_limits_is_not_taken_over() -> None:
    teleop, operator = pipeline(), Operator()
    for i in range(30):
        teleop.observe(operator.at(*CENTRE, 1.0 + i / 30), 1.0 + i / 30)
    teleop.engage()
    assert teleop.step(np.array([0.0, 2.5, 0, 0, 0, 0]), 2.0) is None
    assert teleop.status.reason is Reason.UNREACHABLE


def test_an_arm_that_sank_onto_the_table_is_not_taken_over() -> None:
    """The governor would let it move nowhere but up: the operator is told rather than left with an arm that stands."""
    teleop, operator = pipeline(), Operator()
    for i in range(30):
        teleop.observe(operator.at(*CENTRE, 1.0 + i / 30), 1.0 + i / 30)
    teleop.engage()
    sunken = np.array([0.006, 0.406, 1.494, 1.244, 0.0, 0.0])
    assert WORKSPACE.violation(sunken)
    assert teleop.step(sunken, 2.0) is None
    assert not teleop.status.engaged
    assert teleop.status.reason is Reason.TOO_NEAR
    teleop.engage()
    assert teleop.step(start_joints(), 2.0) is not None


def test_more_than_the_arm_can_do_is_clamped_and_said() -> None:
    config = QUICK
    teleop, operator, joints = pipeline(config), Operator(noise=0.0), start_joints()
    for i in range(400):
        now = 1.0 + i * PERIOD
        teleop.observe(operator.at(-0.7, 0.0, min(0.35, 0.2 * max(0.0, now - 2.0)), now), now)
        if i == 80:
            teleop.engage()
        if command := teleop.step(joints, now):
            joints = command.position
    assert teleop.status.engaged
    assert teleop.status.clamped
    assert WORKSPACE.clearances(joints).min() >= 0.0
