"""The governor's numbers one by one: bounds, ramps, what is named as a reason, and the braking way that it checks."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import FloatArray
from dofbot_ros.motion.braking import braking_velocity
from dofbot_ros.motion.trajectory import MotionLimits, Sample
from dofbot_ros.safety.governor import FALL_BACK_S, PAST_LIMIT, Governed, Governor
from dofbot_ros.safety.workspace import Workspace

DT = 0.02
VELOCITY, ACCELERATION = 1.6, 8.0
STEP = ACCELERATION * DT
"""Change of velocity in a period [rad/s]."""
LIMITS = MotionLimits(
    np.array([-1.5] * 5 + [0.0]), np.array([1.5] * 4 + [3.0, 1.5]), np.full(6, VELOCITY), np.full(6, ACCELERATION)
)
WORKSPACE = Workspace(Kinematics())


class Period:
    """A governor and the time that passes with its steps."""

    def __init__(
        self,
        start: FloatArray | None = None,
        soft_start_s: float = 0.0,
        limits: MotionLimits = LIMITS,
        workspace: Workspace = WORKSPACE,
    ) -> None:
        self.governor = Governor(limits, workspace, DT, soft_start_s, timeout_s=0.25)
        self.governor.start(np.zeros(6) if start is None else start, 0.0)
        self.now = 0.0

    def step(self, position: FloatArray, velocity: FloatArray | None = None) -> Governed:
        self.now += DT
        setpoint = Sample(position, np.zeros(6) if velocity is None else velocity)
        return self.governor.step(setpoint, self.now, self.now)

    def move(self, velocity: float, periods: int, joint: int = 0) -> Governed:
        """A setpoint that moves one joint steadily from where it is commanded to be."""
        for _ in range(periods):
            at = self.governor.state.position
            governed = self.step(at + joints(velocity * DT, joint), joints(velocity, joint))
        return governed


def joints(value: float, joint: int = 0) -> FloatArray:
    """Zeros but for one joint, shape (6,)."""
    return np.where(np.arange(6) == joint, value, 0.0)


def test_it_begins_at_rest_where_it_is_started_and_shares_no_array() -> None:
    measured = np.linspace(0.0, 0.5, 6)
    governor = Period(measured).governor
    measured[:] = 9.0
    state = governor.state
    assert state.position == pytest.approx(np.linspace(0.0, 0.5, 6))
    assert state.velocity.tolist() == [0.0] * 6
    state.position[:] = state.velocity[:] = 9.0
    assert governor.state.position == pytest.approx(np.linspace(0.0, 0.5, 6))
    assert governor.at_rest


def test_what_it_returns_is_its_state_and_shares_no_array() -> None:
    period = Period()
    governed = period.move(0.5, 3)
    assert governed.position == pytest.approx(period.governor.state.position)
    assert governed.velocity == pytest.approx(period.governor.state.velocity)
    governed.position[:] = governed.velocity[:] = 9.0
    assert np.abs(period.governor.state.position).max() < 1.0
    assert np.abs(period.governor.state.velocity).max() < 1.0


# -- ages and numbers --------------------------------------------------------------------------------------------------


def test_a_wish_is_followed_up_to_its_timeout_and_not_beyond() -> None:
    governor = Period().governor
    assert governor.step(Sample(joints(0.1), np.zeros(6)), 1.0, 1.25).reasons != ("stale",)
    assert governor.state.velocity[0] == pytest.approx(STEP)
    governed = governor.step(Sample(joints(0.1), np.zeros(6)), 1.0, 1.26)
    assert governed.reasons == ("stale: command is 0.26 s old, the limit is 0.25 s",)
    assert governed.unusable is True
    assert governed.velocity[0] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("where", ["position", "velocity"])
@pytest.mark.parametrize("joint", [0, 5])
def test_one_number_that_is_none_stops_all(where: str, joint: int) -> None:
    period = Period()
    period.move(0.4, 5, joint=1)
    words = {"position": np.zeros(6), "velocity": np.zeros(6), where: joints(np.nan, joint)}
    governed = period.step(words["position"], words["velocity"])
    assert governed.reasons == ("not finite: a joint value of the command is no number",)
    assert governed.velocity == pytest.approx(joints(0.4 - STEP, 1))


# -- limits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("setpoint", "rests"), [(9.0, 1.5), (1.51, 1.5), (-1.51, -1.5), (-9.0, -1.5)])
def test_a_wish_past_a_limit_ends_at_it_and_names_the_joint(setpoint: float, rests: float) -> None:
    period = Period()
    for _ in range(150):
        governed = period.step(joints(setpoint))
        assert "position limit: joint1" in governed.reasons
        assert abs(governed.position[0]) <= 1.5 + 1e-12
    assert governed.position == pytest.approx(joints(rests), abs=1e-9)
    assert governed.reasons == ("position limit: joint1",)


def test_rounding_past_a_limit_is_not_named() -> None:
    period = Period(joints(1.5))
    assert period.step(joints(1.5 + 5e-7)).reasons == ()
    assert period.step(joints(1.5 + 2e-6)).reasons == ("position limit: joint1",)


def test_each_joint_has_its_own_limits() -> None:
    period = Period(joints(2.8, 4))
    for _ in range(100):
        governed = period.step(joints(3.5, 4) + joints(-0.5, 5))
    assert governed.position == pytest.approx(joints(3.0, 4), abs=1e-9)
    assert governed.reasons == ("position limit: joint5, grip_joint",)


QUICK = replace(LIMITS, acceleration=np.full(6, 60.0))
"""So that the first period shows the velocity limit."""


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize(
    ("past", "slow"), [(2 * PAST_LIMIT, True), (0.5 * PAST_LIMIT, False), (-0.5 * PAST_LIMIT, False)]
)
def test_only_a_joint_that_stands_past_its_limit_comes_back_slowly(side: float, past: float, slow: bool) -> None:
    period = Period(joints(side * (1.5 + past)), limits=QUICK)
    governed = period.step(joints(0.5, 4))
    floor = Governor.SOFT_START_FLOOR * VELOCITY
    assert governed.velocity[0] == pytest.approx(-side * (floor if slow else 1.2))
    assert governed.velocity[4] == pytest.approx(1.2), "the others are as fast as ever"


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_joint_past_its_limit_goes_no_further_out(side: float) -> None:
    period = Period(joints(side * 1.6))
    for _ in range(20):
        governed = period.step(joints(side * 2.0))
    assert governed.position == pytest.approx(joints(side * 1.6))
    assert governed.reasons == ("position limit: joint1",)


def test_speed_beyond_the_limit_is_cut_and_named() -> None:
    period = Period()
    assert period.move(VELOCITY, 12).reasons == ()
    assert period.governor.state.velocity[0] == pytest.approx(VELOCITY)
    assert period.move(1.7, 1).reasons == ("velocity limit: joint1",)
    assert period.governor.state.velocity[0] == pytest.approx(VELOCITY)
    assert period.move(-1.7, 30).reasons == ("velocity limit: joint1",)
    assert period.governor.state.velocity[0] == pytest.approx(-VELOCITY)


def test_acceleration_beyond_the_limit_is_cut_and_named_where_it_shows() -> None:
    for excess, reasons in ((0.04, ()), (0.06, ("acceleration limit: joint3",))):
        governed = Period().move(STEP + excess * VELOCITY, 1, joint=2)
        assert governed.velocity == pytest.approx(joints(STEP, 2))
        assert governed.reasons == reasons


def test_the_velocity_limit_opens_evenly_over_the_soft_start() -> None:
    period = Period(soft_start_s=2.0)
    scale = period.governor.soft_start_scale
    assert [scale(t) for t in (-1.0, 0.0, 0.5, 1.0, 2.0, 9.0)] == pytest.approx([0.15, 0.15, 0.3625, 0.575, 1.0, 1.0])
    period.governor.soften(10.0)
    assert [scale(t) for t in (9.0, 10.0, 11.0, 12.0)] == pytest.approx([0.15, 0.15, 0.575, 1.0])
    period.governor.start(np.zeros(6), 20.0)
    assert scale(20.0) == pytest.approx(0.15)
    assert Period(soft_start_s=0.0).governor.soft_start_scale(0.0) == 1.0


def test_one_that_was_never_started_is_not_slowed_down() -> None:
    assert Governor(LIMITS, WORKSPACE, DT, 1.0, 0.25).soft_start_scale(-1e9) == 1.0


# -- the newest point of a stream --------------------------------------------------------------------------------------


# -- joints that are elsewhere -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize(
    ("periods", "behind", "back"),
    [
        (10, 0.05, 0.05),
        (10, 0.5, FALL_BACK_S * VELOCITY),
        (1, 0.05, FALL_BACK_S * STEP),
        (10, -0.05, 0.0),
        (10, 0.0, 0.0),
    ],
)
def test_falling_back_goes_to_where_the_joint_is_along_its_own_motion_only(
    side: float, periods: int, behind: float, back: float
) -> None:
    period = Period()
    period.move(side * VELOCITY, periods)
    before = period.governor.state
    period.governor.fall_back(before.position - joints(side * behind) - joints(0.3, 3))
    assert period.governor.state.position == pytest.approx(before.position - joints(side * back))
    assert period.governor.state.velocity == pytest.approx(before.velocity)


def test_rebasing_stops_the_joints_that_it_moves_and_no_others() -> None:
    period = Period()
    for _ in range(3):
        at = period.governor.state.position
        period.step(at + np.full(6, 0.4 * DT), np.full(6, 0.4))
    before = period.governor.state
    period.governor.rebase(before.position + joints(0.1, 2))
    assert period.governor.state.position == pytest.approx(before.position + joints(0.1, 2))
    assert period.governor.state.velocity == pytest.approx(np.where(np.arange(6) == 2, 0.0, before.velocity))


def test_resting_keeps_the_position_and_forgets_the_velocity() -> None:
    period = Period()
    period.move(0.4, 5)
    before = period.governor.state.position
    assert not period.governor.at_rest
    period.governor.rest()
    assert period.governor.at_rest
    assert period.governor.state.position == pytest.approx(before)


# -- braking -----------------------------------------------------------------------------------------------------------


def test_braking_slows_the_joint_that_takes_longest_at_its_limit_and_the_others_in_proportion() -> None:
    period = Period()
    for _ in range(10):
        at, speed = period.governor.state.position, np.array([1.6, -0.8, 0.0, 0.4, 0.0, 0.2])
        period.step(at + speed * DT, speed)
    for k in range(1, 11):
        governed = period.governor.halt()
        assert governed.velocity == pytest.approx(speed * (1.0 - k / 10.0), abs=1e-9)
        assert governed.reasons == ()
    assert period.governor.at_rest
    assert period.governor.halt().velocity.tolist() == [0.0] * 6


def test_the_last_period_of_braking_does_not_turn_round() -> None:
    period = Period()
    period.move(0.5 * STEP, 1)
    assert period.governor.halt().velocity.tolist() == [0.0] * 6


class NotingWorkspace(Workspace):
    """Notes the ways that it was asked about."""

    def __init__(self) -> None:
        super().__init__(Kinematics())
        self.asked: list[tuple[FloatArray, FloatArray]] = []

    def first_violation(self, path: FloatArray, start: FloatArray) -> tuple[int, str] | None:
        self.asked.append((path.copy(), start.copy()))
        return super().first_violation(path, start)


@pytest.mark.parametrize("speed", [1.6, 1.23, 0.5, 0.3, 0.1])
def test_the_way_that_is_checked_is_the_one_on_which_it_would_brake(speed: float) -> None:
    workspace = NotingWorkspace()
    period = Period(workspace=workspace)
    start = period.governor.state.position
    for _ in range(12):
        start, workspace.asked[:] = period.governor.state.position, []
        period.step(
            start + speed * DT * np.array([1, -0.5, 0.25, 0.1, 0, 0]), speed * np.array([1, -0.5, 0.25, 0.1, 0, 0])
        )
    (path, checked_from) = workspace.asked[-1]
    assert checked_from == pytest.approx(start)
    ways = [period.governor.state.position]
    while not period.governor.at_rest:
        ways.append(period.governor.halt().position)
    ratio = speed / STEP
    periods = [min(round(share * math.ceil(ratio)), math.floor(ratio)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert path == pytest.approx(np.array([ways[k] for k in periods]), abs=1e-9)
    assert path[-1] == pytest.approx(ways[-1], abs=1e-9)


def test_a_way_into_the_table_is_braked_and_the_reason_names_it() -> None:
    period = Period()
    down = np.array([0, 1.2, 1.2, 0.6, 0, 0])
    governed = period.step(down)
    while not governed.reasons[-1:] or not governed.reasons[-1].startswith("workspace"):
        speed, governed = governed.velocity, period.step(down)
    assert re.fullmatch(r"workspace: .+ too near the table: by \d+\.\d mm", governed.reasons[-1])
    ratio = (np.abs(speed) / STEP).max()
    assert governed.velocity == pytest.approx(speed * (1.0 - 1.0 / ratio))


@pytest.mark.parametrize("side", [-1.0, 1.0])
@pytest.mark.parametrize("distance", [0.5, 0.2, 0.0973, 0.031, 0.004])
def test_a_setpoint_that_goes_on_moving_at_a_joint_limit_takes_no_joint_past_it(side: float, distance: float) -> None:
    """Its velocity is fed forward, so that only the cut before the limit is left to brake."""
    limit = side * 1.5
    period = Period(joints(limit - side * 0.6, 4), limits=replace(LIMITS, upper=np.full(6, 1.5)))
    before = period.governor.state.position[4]
    while side * (limit - before) > distance:
        before = period.move(side * VELOCITY, 1, 4).position[4]
    for _ in range(60):
        left = side * (limit - before)
        governed = period.step(joints(limit, 4), joints(side * VELOCITY, 4))
        assert side * (limit - governed.position[4]) >= -1e-9
        most = braking_velocity(np.array([max(left, 0.0)]), np.array([STEP]), DT)[0]
        assert side * governed.velocity[4] <= most + 1e-9
        before = governed.position[4]
    assert before == pytest.approx(limit, abs=1e-6)


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_setpoint_at_rest_is_met_from_one_side_and_without_a_reason(side: float) -> None:
    target = np.array([0.5, 0.3, 0.1, 0.03, 0.004, 0.4]) * [side, side, side, side, side, 1.0]
    period = Period()
    for _ in range(60):
        governed = period.step(target)
        assert (np.abs(governed.position) <= np.abs(target) + 1e-9).all()
        assert {reason.split(":")[0] for reason in governed.reasons} <= {"velocity limit", "acceleration limit"}
    assert governed.position == pytest.approx(target, abs=1e-9)
    assert governed.reasons == ()
