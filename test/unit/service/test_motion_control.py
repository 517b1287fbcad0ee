"""The motion that runs: how it begins, is judged each period, and ends; by exact times and values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dofbot_ros.arm.backend import ArmReading, ServoHealth
from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.types import GRIP, FloatArray
from dofbot_ros.motion.source import Follow, GoTo, Stream
from dofbot_ros.motion.tool_jog import ToolJog
from dofbot_ros.motion.trajectory import MotionLimits, Sample, Trajectory
from dofbot_ros.safety.adherence import BLOCKED_LEAD, DRAW_BACK_SPEED
from dofbot_ros.safety.governor import Governor
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.service.config import DriverConfig
from dofbot_ros.service.motion_control import BLOCKED_S, PATH_TOLERANCE, SETTLE_S, MotionControl
from dofbot_ros.service.snapshot import MotionResult

PERIOD_S = 0.02
SPEED, ACCELERATION = 1.6, 8.0
ROBOT = Robot()
LIMITS = MotionLimits(ROBOT.lower, ROBOT.upper, np.full(6, SPEED), np.full(6, ACCELERATION))
WORKSPACE = Workspace(ROBOT.kinematics)


def joints(value: float, joint: int = 0) -> FloatArray:
    """Zeros but for one joint, shape (6,)."""
    return np.where(np.arange(6) == joint, value, 0.0)


class Cycles:
    """A MotionControl on an arm that is wherever it was told to be, or where `measured` says."""

    def __init__(self, **config: float) -> None:
        self.config = DriverConfig(**{"soft_start_s": 0.0, **config})  # type: ignore[arg-type]
        self.control = MotionControl(LIMITS, WORKSPACE, self.config)
        self.now = 10.0
        self.measured: FloatArray | None = None
        self.pressing: tuple[bool | None, ...] = (None,) * 6
        self.control.start(np.zeros(6), self.now)
        self.sent = [np.zeros(6)]

    @property
    def reading(self) -> ArmReading:
        at = self.control.at.position if self.measured is None else self.measured
        return ArmReading(
            self.now,
            at.copy(),
            np.full(6, self.now),
            np.ones(6, dtype=bool),
            (ServoHealth(),) * 6,
            pressing=self.pressing,
        )

    def run(self, seconds: float, brake: bool = False) -> None:
        for _ in range(round(seconds / PERIOD_S)):
            self.now += PERIOD_S
            step = self.control.brake if brake else self.control.decide
            governed = step(self.reading, self.now)
            self.sent.append(governed.position)

    def go_to(self, target: FloatArray, kind: str = "joints") -> int:
        at = self.control.at
        self.control.generator.reset(at.position, at.velocity)
        return self.control.begin(GoTo(kind, self.control.generator, target))

    def follow(self, target: FloatArray, seconds: float, grips: bool = False) -> int:
        trajectory = Trajectory([seconds], target[None], None, self.control.at)
        return self.control.begin(Follow(trajectory, PERIOD_S), grips)

    def stream(self, point: FloatArray, grips: bool = False) -> Stream:
        source = Stream(point, self.now, PERIOD_S, LIMITS.acceleration)
        self.control.begin(source, grips)
        return source

    def speeds(self, joint: int = 0) -> FloatArray:
        """Of what was sent [rad/s]."""
        speeds: FloatArray = np.diff(np.array(self.sent)[:, joint]) / PERIOD_S
        return speeds


@pytest.fixture
def cycles() -> Cycles:
    return Cycles()


# -- how a motion begins and ends --------------------------------------------------------------------------------------


def test_a_new_one_stands_where_it_was_started_and_knows_of_no_motion(cycles: Cycles) -> None:
    control = cycles.control
    control.start(joints(0.3) + joints(0.7, GRIP), 1.0)
    assert control.at.position.tolist() == [0.3, 0, 0, 0, 0, 0.7]
    assert control.at.velocity.tolist() == [0.0] * 6
    assert (control.source, control.number, control.result, control.stops) == (None, 0, None, 0)
    assert (control.at_rest, control.moving, control.braking, control.halting) == (True, False, False, False)
    assert (control.limited, dict(control.limited_counts)) == ((), {})
    assert not control.grip.moving
    assert control.period_s == 1.0 / cycles.config.control_rate_hz


def test_motions_are_numbered_and_the_next_replaces_the_one_before(cycles: Cycles) -> None:
    assert cycles.go_to(joints(0.5), "home") == 1
    assert cycles.control.result is None
    assert cycles.go_to(joints(0.6), "park") == 2
    assert cycles.control.result == MotionResult(1, "home", "replaced by the next command")
    assert cycles.control.moving
    cycles.control.end("enough")
    assert cycles.control.result == MotionResult(2, "park", "enough")
    assert cycles.control.source is None
    cycles.control.end("nothing is left to end")
    assert cycles.control.result == MotionResult(2, "park", "enough")


def test_starting_anew_gives_up_what_runs(cycles: Cycles) -> None:
    cycles.go_to(joints(0.5))
    cycles.run(0.2)
    cycles.control.start(np.zeros(6), cycles.now)
    assert cycles.control.result == MotionResult(1, "joints", "the arm starts anew")
    assert (cycles.control.at_rest, cycles.control.moving) == (True, False)


def test_a_motion_that_has_arrived_ends_without_a_reason(cycles: Cycles) -> None:
    cycles.go_to(joints(0.2))
    cycles.run(1.0)
    assert cycles.control.result == MotionResult(1, "joints", "")
    assert cycles.control.at.position == pytest.approx(joints(0.2), abs=1e-6)
    assert (cycles.control.at_rest, cycles.control.moving) == (True, False)


def test_a_trajectory_has_not_arrived_while_the_arm_still_lags_its_end(cycles: Cycles) -> None:
    """It lasts as long as it takes the governor to bring the arm there."""
    cycles.follow(joints(0.05), PERIOD_S)
    ended = None
    for k in range(60):
        cycles.run(PERIOD_S)
        if cycles.control.source is None and ended is None:
            ended = k
            assert cycles.control.at.position[0] == pytest.approx(0.05, abs=1e-3)
            assert abs(cycles.control.at.velocity[0]) < 1e-3
    # 0.05 rad at 8 rad/s^2 from rest to rest takes 2 sqrt(0.05 / 8) s.
    assert ended is not None
    assert ended * PERIOD_S >= 2 * np.sqrt(0.05 / ACCELERATION) - 2 * PERIOD_S
    assert cycles.control.result == MotionResult(1, "trajectory", "")


def test_a_trajectory_that_the_governor_holds_back_too_far_is_given_up(cycles: Cycles) -> None:
    cycles.follow(joints(1.2), 0.2)
    while cycles.control.source is not None:
        before = cycles.control.at.position[0]
        cycles.run(PERIOD_S)
    result = cycles.control.result
    assert result is not None
    assert result.reason.startswith("stopped on the way: ")
    assert "limit: joint1" in result.reason
    wished = [Trajectory([0.2], joints(1.2)[None], None, Sample(np.zeros(6), np.zeros(6)))]
    played = round((cycles.now - 10.0) / PERIOD_S)
    lag = wished[0].sample(played * PERIOD_S).position[0] - cycles.control.at.position[0]
    lag_before = wished[0].sample((played - 1) * PERIOD_S).position[0] - before
    assert lag > PATH_TOLERANCE >= lag_before


def test_a_stream_that_falls_silent_ends_as_stale_and_names_its_age(cycles: Cycles) -> None:
    cycles.stream(joints(0.3))
    cycles.run(0.2)
    assert cycles.control.source is not None
    cycles.run(PERIOD_S)
    assert cycles.control.source is None
    assert cycles.control.result == MotionResult(1, "stream", "stale: command is 0.22 s old, the limit is 0.20 s")


def test_a_wish_that_is_not_finite_ends_its_motion(cycles: Cycles) -> None:
    cycles.stream(joints(np.nan))
    cycles.run(PERIOD_S)
    assert cycles.control.result == MotionResult(1, "stream", "not finite: a joint value of the command is no number")


INTO_TABLE = np.array([0.0, 1.5, 0.9, 0.0, 0.0, 0.0])
"""The gripper would be below the table [rad]."""


def table_edge() -> FloatArray:
    """The last allowed pose on the way from upright to INTO_TABLE [rad] (6,)."""
    way = np.linspace(0.0, 1.0, 2001)[:, None] * INTO_TABLE
    first = WORKSPACE.first_violation(way, way[0])
    assert first is not None
    edge: FloatArray = way[first[0] - 1]
    return edge


TABLE_EDGE = table_edge()


@pytest.mark.parametrize("kind", ["joints", "trajectory"])
def test_a_motion_that_is_kept_at_rest_is_given_up_after_blocked_s(cycles: Cycles, kind: str) -> None:
    if kind == "joints":
        cycles.go_to(INTO_TABLE)
    else:
        # So slow that its lag stays within PATH_TOLERANCE meanwhile.
        cycles.control.start(TABLE_EDGE, cycles.now)
        cycles.follow(TABLE_EDGE + joints(0.1, 1), 2.0)
    stood_since = np.inf
    while cycles.control.source is not None and cycles.now < 15.0:
        cycles.run(PERIOD_S)
        stands = cycles.control.at_rest and bool(cycles.control.limited)
        stood_since = min(stood_since, cycles.now) if stands else np.inf
    assert cycles.control.result is not None
    assert cycles.control.result.reason.startswith("stopped on the way: ")
    assert "workspace: gripper too near the table" in cycles.control.result.reason
    assert BLOCKED_S < cycles.now - stood_since <= BLOCKED_S + PERIOD_S + 1e-9


def test_a_stream_that_the_table_stops_is_not_given_up(cycles: Cycles) -> None:
    source = cycles.stream(INTO_TABLE)
    for _ in range(250):
        source.renew(INTO_TABLE, cycles.now)
        cycles.run(PERIOD_S)
    assert cycles.control.source is source
    assert cycles.control.at_rest
    assert cycles.control.limited[-1].startswith("workspace: ")


# -- stops -------------------------------------------------------------------------------------------------------------


def test_a_stop_brakes_all_at_the_limit_and_is_counted(cycles: Cycles) -> None:
    cycles.go_to(joints(1.2))
    cycles.run(0.5)
    cycles.control.go_gripper(1.0)
    cycles.run(0.1)
    speed = cycles.control.at.velocity[0]
    cycles.control.stop("button", cycles.now)
    assert (cycles.control.stops, cycles.control.halting, cycles.control.braking) == (1, True, True)
    assert cycles.control.result == MotionResult(1, "joints", "button")
    cycles.control.fall_back(cycles.control.at.position)
    cycles.run(PERIOD_S)
    assert abs(cycles.control.at.velocity[0]) == pytest.approx(speed - ACCELERATION * PERIOD_S, abs=0.03)
    cycles.run(1.0)
    assert (cycles.control.at_rest, cycles.control.moving) == (True, False)


def test_a_stop_at_rest_is_counted_and_brakes_nothing(cycles: Cycles) -> None:
    cycles.control.stop("button", cycles.now)
    cycles.control.stop("button", cycles.now)
    assert (cycles.control.stops, cycles.control.halting, cycles.control.braking) == (2, False, False)
    assert cycles.control.result is None


def test_a_stop_holds_the_fingers_where_they_were_commanded(cycles: Cycles) -> None:
    cycles.control.go_gripper(1.2)
    cycles.run(0.4)
    cycles.control.stop("button", cycles.now)
    cycles.control.fall_back(cycles.control.at.position)
    at = cycles.control.at.position[GRIP]
    assert 0.1 < at < 1.0
    cycles.run(1.0)
    travelled = np.diff(np.array(cycles.sent)[:, GRIP])
    assert (travelled >= 0.0).all(), "it brakes, and does not come back"
    assert cycles.control.at.position[GRIP] - at <= 0.5 * SPEED**2 / ACCELERATION + 1e-9
    assert not cycles.control.moving


@pytest.mark.parametrize("softens", ["stop", "soften", "paused"])
def test_after_a_stop_a_new_commander_or_a_pause_the_arm_starts_softly(softens: str) -> None:
    cycles = Cycles(soft_start_s=1.0)
    cycles.run(2.0)
    {
        "stop": lambda: cycles.control.stop("x", cycles.now),
        "soften": lambda: cycles.control.soften(cycles.now),
        "paused": lambda: cycles.control.paused("x", cycles.now),
    }[softens]()
    first = len(cycles.sent)
    cycles.go_to(joints(1.2))
    cycles.run(0.2)
    allowed = SPEED * (Governor.SOFT_START_FLOOR + (1 - Governor.SOFT_START_FLOOR) * 0.2)
    assert 0.1 < cycles.speeds()[first:].max() <= allowed + 1e-9


def test_without_any_of_that_it_does_not(cycles: Cycles) -> None:
    cycles = Cycles(soft_start_s=1.0)
    cycles.run(2.0)
    cycles.go_to(joints(1.2))
    cycles.run(0.5)
    assert cycles.speeds().max() > SPEED * 0.7


def test_a_pause_ends_the_motion_at_rest_where_it_was(cycles: Cycles) -> None:
    cycles.go_to(joints(1.2))
    cycles.control.go_gripper(1.0)
    cycles.run(0.4)
    before = cycles.control.at.position
    cycles.control.paused("stood still", cycles.now)
    assert cycles.control.result == MotionResult(1, "joints", "stood still")
    assert (cycles.control.at_rest, cycles.control.moving) == (True, False)
    cycles.run(0.2)
    assert cycles.control.at.position == pytest.approx(before, abs=1e-12)


def test_falling_back_is_said_once_and_goes_back_no_farther_than_the_joints_are(cycles: Cycles) -> None:
    cycles.go_to(joints(1.2))
    cycles.run(0.5)
    at = cycles.control.at
    cycles.control.halt("why")
    cycles.control.fall_back(at.position - joints(0.05))
    assert not cycles.control.halting
    assert cycles.control.at.position == pytest.approx(at.position - joints(0.05))
    assert cycles.control.at.velocity == pytest.approx(at.velocity)


def test_braking_tells_a_stop_from_a_motion_and_from_the_grippers_own(cycles: Cycles) -> None:
    cycles.control.go_gripper(1.0)
    cycles.run(0.2)
    assert (cycles.control.braking, cycles.control.moving) == (False, True)
    cycles.go_to(joints(1.2))
    cycles.run(0.4)
    assert not cycles.control.braking
    cycles.control.end("given up")
    assert cycles.control.braking, "the arm moves on, and nobody asks for it"
    cycles.run(1.5)
    assert (cycles.control.braking, cycles.control.moving) == (False, False)


def test_a_stop_of_the_gripper_alone_is_braking_until_it_rests(cycles: Cycles) -> None:
    cycles.control.go_gripper(1.2)
    cycles.run(0.4)
    cycles.control.stop("button", cycles.now)
    assert cycles.control.braking
    cycles.control.go_gripper(1.2)
    assert not cycles.control.braking, "a new command ends the stop"


def test_brake_brings_the_arm_to_rest_and_reports_no_limits(cycles: Cycles) -> None:
    cycles.go_to(INTO_TABLE)
    cycles.run(0.8)
    cycles.control.halt("why")
    cycles.run(1.0, brake=True)
    assert cycles.control.at_rest
    assert cycles.control.limited == ()
    speeds = np.abs(np.diff(np.diff(np.array(cycles.sent), axis=0), axis=0)).max()
    assert speeds <= ACCELERATION * PERIOD_S**2 + 1e-9


# -- what the arm really does ------------------------------------------------------------------------------------------


def test_a_joint_that_lags_is_not_pushed_on_and_its_motion_waits(cycles: Cycles) -> None:
    cycles.go_to(joints(1.2))
    cycles.run(0.3)
    cycles.measured = cycles.control.at.position.copy()
    cycles.run(1.0)
    assert cycles.control.adherence.lagging[0]
    assert cycles.control.source is not None
    assert cycles.control.at_rest
    assert cycles.control.at.position[0] - cycles.measured[0] < 0.6


def test_at_rest_a_goal_is_drawn_back_and_its_servo_gets_the_time_for_it(cycles: Cycles) -> None:
    assert cycles.control.move_time_s(cycles.now) == PERIOD_S
    cycles.go_to(joints(1.2))
    cycles.run(0.3)
    cycles.measured = cycles.control.at.position.copy()
    cycles.run(0.6)
    cycles.control.end("given up")
    cycles.run(PERIOD_S)
    lead = cycles.sent[-2][0] - cycles.measured[0]
    assert cycles.control.at.position[0] - cycles.measured[0] == pytest.approx(BLOCKED_LEAD)
    assert cycles.control.move_time_s(cycles.now) == pytest.approx(lead / DRAW_BACK_SPEED)
    assert cycles.control.move_time_s(cycles.now + 60.0) == PERIOD_S


@pytest.mark.parametrize("latched", [True, False], ids=["estop", "stop"])
def test_after_a_halt_the_arm_is_held_where_it_came_to_rest(cycles: Cycles, latched: bool) -> None:
    cycles.go_to(joints(1.2))
    cycles.run(0.5)
    cycles.control.halt("why")
    cycles.control.fall_back(cycles.control.at.position)
    while not cycles.control.at_rest:
        cycles.run(PERIOD_S, latched)
    rested, held = cycles.now, cycles.control.at.position[0]
    cycles.measured = cycles.control.at.position - joints(0.03)
    while cycles.control.at.position[0] == held and cycles.now < rested + 1.0:
        cycles.run(PERIOD_S, latched)
    assert cycles.now - rested == pytest.approx(SETTLE_S, abs=2 * PERIOD_S)
    assert cycles.control.at.position == pytest.approx(cycles.measured)
    settled = cycles.control.at.position
    cycles.measured = settled - joints(0.03)
    cycles.run(1.0, latched)
    assert cycles.control.at.position == pytest.approx(settled), "once, and no more"


def test_a_halt_brakes_all_joints_in_proportion(cycles: Cycles) -> None:
    """Whichever joint is faster: they come to rest together, and the tool keeps its direction."""
    cycles.go_to(joints(1.2) + joints(0.4, 4))
    cycles.run(0.5)
    cycles.control.halt("why")
    cycles.control.fall_back(cycles.control.at.position)
    share = cycles.control.at.velocity[4] / cycles.control.at.velocity[0]
    assert 0.1 < share < 0.9
    while not cycles.control.at_rest:
        cycles.run(PERIOD_S)
        if not cycles.control.at_rest:
            assert cycles.control.at.velocity[4] / cycles.control.at.velocity[0] == pytest.approx(share)


def test_after_an_arrival_a_drooping_arm_keeps_its_goal(cycles: Cycles) -> None:
    cycles.go_to(joints(0.3))
    cycles.run(1.5)
    cycles.measured = cycles.control.at.position - joints(0.03)
    cycles.run(2.0)
    assert cycles.control.at.position[0] == pytest.approx(0.3, abs=1e-6)


# -- the gripper beside the arm ----------------------------------------------------------------------------------------


def test_a_motion_of_the_arm_leaves_the_gripper_to_its_own_goal(cycles: Cycles) -> None:
    cycles.control.go_gripper(0.8)
    cycles.follow(joints(0.4), 1.0)
    cycles.run(2.0)
    assert cycles.control.at.position[[0, GRIP]] == pytest.approx([0.4, 0.8], abs=1e-3)
    assert cycles.control.result == MotionResult(1, "trajectory", "")


def test_a_motion_with_the_gripper_takes_it_along_and_leaves_it_there(cycles: Cycles) -> None:
    cycles.control.go_gripper(0.1)
    cycles.follow(joints(0.4) + joints(0.6, GRIP), 1.0, grips=True)
    cycles.run(2.0)
    assert cycles.control.at.position[[0, GRIP]] == pytest.approx([0.4, 0.6], abs=1e-3)
    assert not cycles.control.moving


def test_a_stream_with_the_gripper_may_not_pass_its_last_point_with_it_either(cycles: Cycles) -> None:
    source = cycles.stream(np.zeros(6), grips=True)
    for k in range(1, 30):
        source.renew(joints(0.02 * k, GRIP), cycles.now)
        cycles.run(PERIOD_S)
    last = source.last_point[GRIP]
    cycles.run(1.0)
    assert max(position[GRIP] for position in cycles.sent) <= last + 1e-9
    assert cycles.control.at.position[GRIP] == pytest.approx(last, abs=1e-3)


# -- what is told of limits --------------------------------------------------------------------------------------------


def test_limits_are_told_while_they_hold_and_counted_by_kind(cycles: Cycles) -> None:
    source = cycles.stream(joints(3.0))
    for k in range(20):
        source.renew(joints(3.0), cycles.now)
        cycles.run(PERIOD_S)
        assert any(reason == "position limit: joint1" for reason in cycles.control.limited)
        assert cycles.control.limited_counts["position limit"] == k + 1
    cycles.control.end("")
    cycles.run(1.0)
    assert cycles.control.limited == ()
    assert set(cycles.control.limited_counts) <= {"position limit", "velocity limit", "acceleration limit"}


def test_a_twist_that_cannot_go_on_says_so_beside_the_governor(cycles: Cycles) -> None:
    control = cycles.control
    control.generator.reset(control.at.position, control.at.velocity)
    jog = ToolJog(ROBOT.kinematics, control.generator, LIMITS, ([0.0, 0.0, 0.05], [0.0, 0.0, 0.0]), cycles.now)
    control.begin(jog)
    cycles.run(0.1)
    assert jog.limited
    assert control.limited[-1] == jog.limited


def test_a_twist_goes_on_from_what_was_really_commanded() -> None:
    cycles = Cycles(soft_start_s=2.0)
    control = cycles.control
    start = np.append(
        ROBOT.kinematics.solve(replace(ROBOT.kinematics.forward(np.zeros(5)), x=0.19, z=0.05, pitch=2.6)), 0
    )
    control.start(start, cycles.now)
    control.generator.reset(start, np.zeros(6))
    jog = ToolJog(ROBOT.kinematics, control.generator, LIMITS, ([0.15, 0.0, 0.0], [0.0, 0.0, 0.0]), cycles.now)
    control.begin(jog)
    for _ in range(15):
        jog.renew(([0.15, 0.0, 0.0], [0.0, 0.0, 0.0]), cycles.now)
        cycles.run(PERIOD_S)
    assert np.abs(control.generator.state.position - control.at.position)[:GRIP].max() < 0.02
