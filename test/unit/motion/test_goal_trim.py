"""Goals that lead: joints that hang low are brought up, play is taken up, nothing is pressed, never much or quickly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.arm.gravity import Gravity
from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.core.types import N_JOINTS, FloatArray
from dofbot_ros.motion.goal_trim import ENGAGE_RAD, MOST_PLAY, MOST_TAKEN_UP, RELEASE_RAD, SPEED, TURNING, GoalTrim

GRAVITY = Gravity(DRAWN.kinematics)
PERIOD_S, MOST = 0.02, 0.05
ALL, NONE = np.ones(N_JOINTS, dtype=np.bool_), np.zeros(N_JOINTS, dtype=np.bool_)
BENT = np.array([0.2, 0.9, 0.5, 0.9, 0.0, 0.3])
angles = st.lists(st.floats(-1.5, 1.5), min_size=6, max_size=6).map(np.array)


class Arm:
    """Joints that give way to gravity by `give` [rad] at its greatest torque, and take `play` [rad] at any."""

    def __init__(self, give: float, play: float = 0.0) -> None:
        self.give, self.play = give, play
        self._late = [np.zeros(N_JOINTS)] * 4

    def measured(self, sent: FloatArray) -> FloatArray:
        """Where they are four periods after `sent` [rad] (6,) was."""
        self._late = [*self._late[1:], sent]
        shares = GRAVITY.shares(self._late[0])
        return self._late[0] + self.give * shares + 0.5 * self.play * np.sign(shares)


class LooseArm(Arm):
    """Joints with play that nothing takes up: each rests beside its goal, on the side from which it came."""

    def __init__(self, play: float, start: FloatArray) -> None:
        super().__init__(0.0, play)
        self._link = start.copy()
        self._late = [start] * 4

    def measured(self, sent: FloatArray) -> FloatArray:
        """Where they are four periods after `sent` [rad] (6,) was."""
        self._late = [*self._late[1:], sent]
        half = 0.5 * self.play
        self._link = np.clip(self._link, self._late[0] - half, self._late[0] + half)
        return self._link.copy()


def run(trim: GoalTrim, arm: Arm, goal: FloatArray, periods: int = 80) -> FloatArray:
    """Where the joints come to rest [rad] (6,)."""
    offset = trim.offset
    for _ in range(periods):
        measured = arm.measured(goal + offset)
        offset = trim.update(goal, measured, ALL, NONE)
    return measured


def test_gravity_is_that_of_the_simulated_arm() -> None:
    pytest.importorskip("pybullet")
    from dofbot_ros.sim.config import WorldConfig
    from dofbot_ros.sim.rendering.flaws import ArmFlaws
    from dofbot_ros.sim.world import World

    world = World(WorldConfig(marked=(), arm=ArmFlaws(droop_rad=0.01)))
    rng = np.random.default_rng(0)
    try:
        for _ in range(30):
            q = np.append(rng.uniform(-1.5, 1.5, 5), 0.8)
            np.testing.assert_allclose(GRAVITY.shares(q), world.arm.load(q.tolist()), atol=0.03)
    finally:
        world.close()


@pytest.mark.parametrize(("give", "play"), [(0.035, 0.0), (0.035, 0.026), (0.02, 0.017)])
def test_an_arm_that_gives_way_arrives_and_does_not_swing(give: float, play: float) -> None:
    trim, arm = GoalTrim(GRAVITY, PERIOD_S, MOST), Arm(give, play)
    measured = run(trim, arm, BENT)
    assert np.abs(measured - BENT).max() <= ENGAGE_RAD
    assert not trim.busy
    settled = trim.offset
    run(trim, arm, BENT)
    np.testing.assert_array_equal(trim.offset, settled)


def test_what_was_learned_holds_at_other_poses_at_once() -> None:
    trim, arm = GoalTrim(GRAVITY, PERIOD_S, MOST), Arm(0.035)
    run(trim, arm, BENT)
    other = np.array([0.0, 0.5, 0.7, 1.1, 0.0, 0.3])
    measured = run(trim, arm, other, periods=16)
    assert np.abs(measured - other).max() < ENGAGE_RAD


def test_an_arm_that_does_not_give_way_is_left_alone() -> None:
    trim = GoalTrim(GRAVITY, PERIOD_S, MOST)
    run(trim, Arm(0.0, 0.012), BENT)
    assert not trim.offset.any()


@pytest.mark.parametrize("side", [-1.0, 1.0])
@pytest.mark.parametrize("play_deg", [1.5, 2.0])
def test_turning_joints_with_play_arrive_from_either_side(play_deg: float, side: float) -> None:
    goal = np.array([0.3, 0.0, 0.0, 0.0, -0.4, 0.0])
    start = goal + side * 0.5 * TURNING
    play = np.radians(play_deg)
    trim, arm = GoalTrim(GRAVITY, PERIOD_S, MOST), LooseArm(play, start)
    assert np.abs(LooseArm(play, start).measured(goal) - goal)[TURNING].min() == 0.5
    measured = run(trim, arm, goal)
    assert np.abs(measured - goal)[TURNING].max() <= RELEASE_RAD
    assert not trim.busy
    settled = trim.offset.copy()
    assert (np.sign(settled) == -side * TURNING).all()
    run(trim, arm, goal)
    np.testing.assert_array_equal(trim.offset, settled)


def test_what_play_took_is_forgotten_when_the_arm_moves_on() -> None:
    start, goal = np.zeros(N_JOINTS), 0.5 * TURNING
    trim, arm = GoalTrim(GRAVITY, PERIOD_S, MOST), LooseArm(0.026, start)
    run(trim, arm, goal)
    assert np.abs(trim.offset[TURNING]).min() > RELEASE_RAD
    for step in range(6):
        moving = goal - 0.02 * (step + 1) * TURNING
        offset = trim.update(moving, arm.measured(moving + trim.offset), ALL, NONE)
    assert not offset.any()
    assert np.abs(run(trim, arm, moving) - moving)[TURNING].max() <= RELEASE_RAD


def test_play_is_taken_up_within_a_motion_alone() -> None:
    """An arm that was halted, or merely holds, does not move for it; what has been taken up stays."""
    goal = 0.5 * TURNING
    trim, arm = GoalTrim(GRAVITY, PERIOD_S, MOST), LooseArm(0.026, np.zeros(N_JOINTS))
    for _ in range(100):
        trim.update(goal, arm.measured(goal + trim.offset), ALL, NONE, under_way=False)
    assert not trim.offset.any()
    assert not trim.busy
    run(trim, arm, goal)
    taken_up = trim.offset.copy()
    assert taken_up.any()
    for _ in range(100):
        trim.update(goal, goal + 0.9 * MOST_PLAY * TURNING, ALL, NONE, under_way=False)
    np.testing.assert_array_equal(trim.offset, taken_up)
    assert not trim.busy


def test_a_turning_joint_that_something_holds_is_not_pushed() -> None:
    trim = GoalTrim(GRAVITY, PERIOD_S, MOST)
    goal = np.zeros(N_JOINTS)
    for _ in range(100):
        trim.update(goal, goal + 1.01 * MOST_PLAY * TURNING, ALL, NONE)
    assert not trim.offset.any()
    for _ in range(100):
        trim.update(goal, goal + 0.9 * MOST_PLAY * TURNING, ALL, NONE)
    assert trim.offset == pytest.approx(-MOST_TAKEN_UP * TURNING)
    assert not trim.busy


def test_zero_switches_it_off() -> None:
    for arm in (Arm(0.05), LooseArm(0.03, BENT + 0.5)):
        trim = GoalTrim(GRAVITY, PERIOD_S, 0.0)
        run(trim, arm, BENT)
        assert not trim.offset.any()
        assert not trim.busy


def test_a_joint_that_is_pushed_up_or_held_up_is_not_pressed() -> None:
    up = BENT - 0.03 * np.sign(GRAVITY.shares(BENT))
    trim = GoalTrim(GRAVITY, PERIOD_S, MOST)
    for _ in range(100):
        trim.update(BENT, up, ALL, NONE)
    assert not trim.offset.any()
    for _ in range(100):
        trim.update(BENT, BENT + 0.2 * np.sign(GRAVITY.shares(BENT)), ALL, ALL)
    assert not trim.offset.any()
    assert not trim.busy


def test_it_starts_from_nothing_when_the_arm_begins_to_hold() -> None:
    trim, arm = GoalTrim(GRAVITY, PERIOD_S, MOST), Arm(0.035)
    run(trim, arm, BENT)
    trim.start()
    assert not trim.offset.any()
    first = trim.update(BENT, BENT, ALL, NONE)
    assert 0.0 < np.abs(first).max() <= SPEED * PERIOD_S + 1e-12


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(angles, angles, st.integers(1, 30)), min_size=1, max_size=12))
def test_whatever_is_measured_it_stays_small_slow_and_against_gravity(
    story: list[tuple[FloatArray, FloatArray, int]],
) -> None:
    trim = GoalTrim(GRAVITY, PERIOD_S, MOST)
    before = trim.offset
    for goal, error, periods in story:
        for _ in range(periods):
            offset = trim.update(goal, goal - 0.1 * error, ALL, NONE)
            assert np.abs(offset).max() <= MOST + 1e-12
            assert np.abs(offset - before).max() <= SPEED * PERIOD_S + 1e-12
            assert np.abs(offset[TURNING]).max() <= MOST_TAKEN_UP + 1e-12
            assert not offset[5]
            before = offset
    # At rest for long enough to have come there, it acts against gravity.
    for _ in range(60):
        offset = trim.update(goal, goal, ALL, NONE)
    assert (offset * GRAVITY.shares(goal) <= 1e-12).all()
