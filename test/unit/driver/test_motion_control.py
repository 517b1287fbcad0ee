"""The motion that runs: how it begins, is judged each period, and ends; by exact times and values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dofbot_ros.core.types import GRIP, FloatArray
from dofbot_ros.driver.motion_control import BLOCKED_S, PATH_TOLERANCE
from dofbot_ros.driver.motion_events import EndCode, Event, MotionEvent
from dofbot_ros.motion.tool_jog import ToolJog
from dofbot_ros.motion.trajectory import Sample, Trajectory

from .motion_cycles import ACCELERATION, INTO_TABLE, LIMITS, PERIOD_S, ROBOT, SPEED, TABLE_EDGE, Cycles, joints


def ended(motion: int, kind: str, code: EndCode, reason: str) -> MotionEvent:
    return MotionEvent(Event.ENDED, motion, kind, "", code, reason)


@pytest.fixture
def cycles() -> Cycles:
    return Cycles()


# -- how a motion begins and ends --------------------------------------------------------------------------------------


def test_a_new_one_stands_where_it_was_started_and_knows_of_no_motion(cycles: Cycles) -> None:
    control = cycles.control
    control.start(joints(0.3) + joints(0.7, GRIP), 1.0)
    assert control.at.position.tolist() == [0.3, 0, 0, 0, 0, 0.7]
    assert control.at.velocity.tolist() == [0.0] * 6
    assert (control.source, control.number, control.log.last, control.log.take()) == (None, 0, None, ())
    assert (control.at_rest, control.moving, control.braking, control.halting) == (True, False, False, False)
    assert (control.limited, dict(control.limited_counts)) == ((), {})
    assert not control.grip.moving
    assert control.period_s == 1.0 / cycles.config.control_rate_hz


def test_motions_are_numbered_and_the_next_replaces_the_one_before(cycles: Cycles) -> None:
    assert cycles.go_to(joints(0.5), "home") == 1
    assert cycles.control.log.last is None
    assert cycles.go_to(joints(0.6), "park") == 2
    assert cycles.control.log.last == ended(1, "home", EndCode.REPLACED, "replaced by the next command")
    assert cycles.control.moving
    cycles.control.end(EndCode.STOPPED, "enough")
    assert cycles.control.log.last == ended(2, "park", EndCode.STOPPED, "enough")
    assert cycles.control.source is None
    cycles.control.end(EndCode.STOPPED, "nothing is left to end")
    assert cycles.control.log.last == ended(2, "park", EndCode.STOPPED, "enough")


def test_starting_anew_gives_up_what_runs(cycles: Cycles) -> None:
    cycles.go_to(joints(0.5))
    cycles.run(0.2)
    cycles.control.start(np.zeros(6), cycles.now)
    assert cycles.control.log.last == ended(1, "joints", EndCode.TORQUE_CHANGED, "the torque was switched on anew")
    assert (cycles.control.at_rest, cycles.control.moving) == (True, False)


def test_a_motion_that_has_arrived_ends_without_a_reason(cycles: Cycles) -> None:
    cycles.go_to(joints(0.2))
    cycles.run(1.0)
    assert cycles.control.log.last == ended(1, "joints", EndCode.ARRIVED, "")
    assert cycles.control.at.position == pytest.approx(joints(0.2), abs=1e-6)
    assert (cycles.control.at_rest, cycles.control.moving) == (True, False)


def test_a_trajectory_has_not_arrived_while_the_arm_still_lags_its_end(cycles: Cycles) -> None:
    """It lasts as long as it takes the governor to bring the arm there."""
    cycles.follow(joints(0.05), PERIOD_S)
    end_period = None
    for k in range(60):
        cycles.run(PERIOD_S)
        if cycles.control.source is None and end_period is None:
            end_period = k
            assert cycles.control.at.position[0] == pytest.approx(0.05, abs=1e-3)
            assert abs(cycles.control.at.velocity[0]) < 1e-3
    # 0.05 rad at 8 rad/s^2 from rest to rest takes 2 sqrt(0.05 / 8) s.
    assert end_period is not None
    assert end_period * PERIOD_S >= 2 * np.sqrt(0.05 / ACCELERATION) - 2 * PERIOD_S
    assert cycles.control.log.last == ended(1, "trajectory", EndCode.ARRIVED, "")


def test_a_trajectory_that_the_governor_holds_back_too_far_is_given_up(cycles: Cycles) -> None:
    cycles.follow(joints(1.2), 0.2)
    while cycles.control.source is not None:
        before = cycles.control.at.position[0]
        cycles.run(PERIOD_S)
    result = cycles.control.log.last
    assert result is not None
    assert len(cycles.control.limited) > 1
    assert result.reason == "stopped on the way: " + "; ".join(cycles.control.limited)
    assert "limit: joint1" in result.reason
    asked = [Trajectory([0.2], joints(1.2)[None], None, Sample(np.zeros(6), np.zeros(6)))]
    played = round((cycles.now - 10.0) / PERIOD_S)
    lag = asked[0].sample(played * PERIOD_S).position[0] - cycles.control.at.position[0]
    lag_before = asked[0].sample((played - 1) * PERIOD_S).position[0] - before
    assert lag > PATH_TOLERANCE >= lag_before


def test_a_stream_that_falls_silent_ends_as_stale_and_names_its_age(cycles: Cycles) -> None:
    cycles.stream(joints(0.3))
    cycles.run(0.2)
    assert cycles.control.source is not None
    cycles.run(PERIOD_S)
    assert cycles.control.source is None
    assert cycles.control.log.last == ended(
        1, "stream", EndCode.STALE, "stale: command is 0.22 s old, the limit is 0.20 s"
    )


def test_a_wish_that_is_not_finite_ends_its_motion(cycles: Cycles) -> None:
    cycles.stream(joints(np.nan))
    cycles.run(PERIOD_S)
    assert cycles.control.log.last == ended(
        1, "stream", EndCode.STALE, "not finite: a joint value of the command is no number"
    )


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
    assert cycles.control.log.last is not None
    assert cycles.control.log.last.code is EndCode.LIMITED
    assert cycles.control.log.last.reason.startswith("stopped on the way: ")
    assert "workspace: gripper too near the table" in cycles.control.log.last.reason
    assert BLOCKED_S < cycles.now - stood_since <= BLOCKED_S + PERIOD_S + 1e-9


def test_a_trajectory_that_has_run_out_before_the_arm_is_there_has_not_arrived(cycles: Cycles) -> None:
    cycles.control.start(TABLE_EDGE, cycles.now)
    cycles.follow(TABLE_EDGE + joints(0.05, 1), 0.1)
    cycles.run(0.2)
    assert cycles.control.source is not None
    assert cycles.control.source.done
    cycles.run(0.3)
    assert cycles.control.log.last is not None
    assert cycles.control.log.last.reason.startswith("stopped on the way: ")


def test_a_move_that_is_held_back_is_planned_anew_from_what_was_commanded(monkeypatch: pytest.MonkeyPatch) -> None:
    cycles = Cycles(soft_start_s=2.0)
    cycles.go_to(joints(0.8))
    really, anew = cycles.control.generator.reset, []

    def reset(position: FloatArray, velocity: FloatArray) -> None:
        anew.append((position.tolist(), velocity.tolist()))
        really(position, velocity)

    monkeypatch.setattr(cycles.control.generator, "reset", reset)
    while cycles.control.source is not None:
        known = len(anew)
        cycles.run(PERIOD_S)
        at, planned = cycles.control.at, cycles.control.generator.state
        assert np.abs(planned.position - at.position).max() <= 1e-3
        if len(anew) > known:
            assert anew[-1] == (at.position.tolist(), at.velocity.tolist())
    assert len(anew) > 3
    assert np.array(cycles.sent)[:, 0].max() <= 0.8 + 1e-6


def test_a_stream_that_the_table_stops_is_not_given_up(cycles: Cycles) -> None:
    source = cycles.stream(INTO_TABLE)
    for _ in range(250):
        source.renew(INTO_TABLE, cycles.now)
        cycles.run(PERIOD_S)
    assert cycles.control.source is source
    assert cycles.control.at_rest
    assert cycles.control.limited[-1].startswith("workspace: ")


# -- the gripper beside the arm ----------------------------------------------------------------------------------------


def test_a_motion_of_the_arm_leaves_the_gripper_to_its_own_goal(cycles: Cycles) -> None:
    cycles.control.go_gripper(0.8)
    cycles.follow(joints(0.4), 1.0)
    cycles.run(2.0)
    assert cycles.control.at.position[[0, GRIP]] == pytest.approx([0.4, 0.8], abs=1e-3)
    gripper, arm = cycles.control.log.take()[2:]
    assert gripper == ended(1, "gripper", EndCode.ARRIVED, "")
    assert arm == ended(2, "trajectory", EndCode.ARRIVED, "")


def test_fingers_that_something_stops_have_stalled_and_a_new_goal_replaces_the_one_before(cycles: Cycles) -> None:
    cycles.control.go_gripper(0.2)
    cycles.control.go_gripper(0.8)
    for _ in range(100):
        cycles.measured = np.minimum(cycles.control.at.position, joints(0.4, GRIP))
        cycles.run(PERIOD_S)
    assert cycles.control.log.take()[1:] == (
        ended(1, "gripper", EndCode.REPLACED, "replaced by the next command"),
        MotionEvent(Event.BEGAN, 2, "gripper"),
        ended(2, "gripper", EndCode.STALLED, ""),
    )


@pytest.mark.parametrize("lag", [0.0, 0.002, 0.1])
@pytest.mark.parametrize("cycle", [1, 2, 10])
def test_fingers_whose_servo_did_not_answer_for_a_moment_go_on_to_their_goal(
    cycles: Cycles, cycle: int, lag: float
) -> None:
    """They start anew from where they are found; a motion that has not arrived does not say that it has."""
    cycles.control.go_gripper(0.8)
    for index in range(100):
        cycles.silent_s = joints(0.1, GRIP) if index == cycle else np.zeros(6)
        position = cycles.control.at.position
        cycles.measured = np.maximum(0.0, position - joints(lag, GRIP)) if index == cycle + 1 else position
        cycles.run(PERIOD_S)
        if any(event.event is Event.ENDED for event in cycles.control.log.take()):
            break
    assert cycles.control.at.position[GRIP] == pytest.approx(0.8, abs=1e-3)
    assert cycles.speeds(GRIP).max() <= SPEED + 1e-6


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
    last = 0.02 * 29
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
    cycles.control.end(EndCode.ARRIVED)
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
    assert control.generator.state.velocity == pytest.approx(control.at.velocity, abs=0.05)
    assert np.abs(control.at.velocity).max() > 0.1
