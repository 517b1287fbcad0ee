"""What ends a motion, and the daemon itself: stops, faults, errors of ours, torque, the shutdown."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import pytest

from dofbot_ros.core.rate import Rate
from dofbot_ros.core.types import GRIP
from dofbot_ros.driver.config import PARK
from dofbot_ros.driver.motion_events import EndCode, Event
from dofbot_ros.errors import BusError
from dofbot_ros.safety.adherence import FREE_LEAD, HALT_LEAD
from dofbot_ros.safety.governor import Governor
from dofbot_ros.safety.states import ArmState

from .daemon_bench import OPERATOR, PERIOD_S, SCRIPT, TELEOP, TICK, holding, refusal, spied, stopped

S = ArmState


# -- what ends a motion ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["ESTOP", "FAULT"])
def test_a_stop_frees_the_arm_and_gives_the_motion_up_with_its_reason(bench: Any, state: str) -> None:
    bench.daemon.move_joints([1.2, 0, 0, 0, 0], by=SCRIPT)
    assert bench.run(0.3).commander == "grasp_node"
    reason = stopped(state, bench)
    snapshot = bench.daemon.snapshot()
    assert (snapshot.result.reason, snapshot.motion, snapshot.commander) == (reason, 0, "")


def test_losing_the_port_frees_the_arm(bench: Any) -> None:
    bench.daemon.move_joints([1.2, 0, 0, 0, 0], by=SCRIPT)
    bench.run(0.3)
    bench.arm.absent = True
    snapshot = bench.run(PERIOD_S)
    assert (snapshot.state, snapshot.torque, snapshot.motion, snapshot.commander) == (S.DISCONNECTED, False, 0, "")
    assert snapshot.reason == "the port is gone"


def test_an_estop_during_a_fault_tells_both(bench: Any) -> None:
    fault = stopped("FAULT", bench)
    bench.daemon.estop("button")
    snapshot = bench.run(PERIOD_S)
    assert (snapshot.state, snapshot.reason) == (S.ESTOP, f"button; {fault}")


def test_a_connection_made_anew_knows_no_fault_of_before(bench: Any) -> None:
    stopped("FAULT", bench)
    bench.arm.absent = True
    bench.run(0.1)
    bench.arm.absent = False
    bench.arm.servos.models[2].temperature_c = 30.0
    snapshot = bench.until(lambda s: s.state is not S.DISCONNECTED, 2.0)
    assert (snapshot.state, snapshot.torque) == (S.IDLE, False)


@pytest.mark.parametrize("how", ["estop", "fault", "stop", "other"])
def test_after_whatever_stopped_it_the_arm_starts_softly(new_bench: Any, how: str) -> None:
    b = holding(new_bench, soft_start_s=1.0)
    b.run(1.5)
    by = SCRIPT
    if how == "estop":
        b.daemon.estop()
        b.run(2.0)
        b.daemon.reset_estop()
    elif how == "fault":
        b.arm.servos.torque(4, False, b.clock.now())
        b.run(2.0)
        b.arm.servos.torque(4, True, b.clock.now())
        b.run(0.1)
        b.daemon.clear_fault()
    elif how == "stop":
        b.daemon.stop()
    else:
        b.daemon.gripper(0.05, SCRIPT)
        b.daemon.follow([1.0], [[0.01]], joints=["joint2"], by=SCRIPT)
        b.run(0.2)
        by = OPERATOR
    first = len(b.arm.goals)
    b.daemon.move_joints([1.2, 0, 0, 0, 0], by=by)
    b.run(0.2)
    speeds = np.abs(np.diff(np.array(b.arm.goals)[first - 1 :, 0])) / PERIOD_S
    open_ = 1.6 * (Governor.SOFT_START_FLOOR + (1 - Governor.SOFT_START_FLOOR) * 0.22)
    assert 0.1 < speeds.max() <= open_ + 1e-9


@pytest.mark.parametrize("how", [lambda d: d.stop(), lambda d: d.estop()], ids=["stop", "estop"])
def test_a_goal_that_a_servo_missed_in_a_halt_is_not_caught_up_with(bench: Any, how: Callable[[Any], None]) -> None:
    """Told again later, it would move an arm that was to stand. So slow, no joint counts as blocked."""
    bench.daemon.follow([2.0], [[1.1]], joints=["joint1"])
    bench.run(1.0)
    command = bench.arm.servos.command
    bench.arm.servos.command = lambda servo, *goal: None if servo == 1 else command(servo, *goal)
    how(bench.daemon)
    bench.run(0.14)
    assert HALT_LEAD < bench.arm.goals[-1][0] - bench.measured()[0] < FREE_LEAD
    stands = bench.run(0.26).reading.position[0]
    bench.arm.servos.command = command
    assert bench.run(1.0).reading.position[0] == pytest.approx(stands, abs=TICK)
    assert bench.arm.goals[-1][0] == pytest.approx(stands, abs=HALT_LEAD)


def test_a_command_between_a_clear_and_the_return_of_its_fault_does_not_begin_later(bench: Any) -> None:
    bench.arm.silent = {3}
    bench.until(lambda s: s.state is S.FAULT, 2.0)
    bench.daemon.clear_fault()
    number = bench.daemon.move_joints([1.0, 0, 0, 0, 0])
    bench.daemon.gripper(0.0)
    snapshot = bench.run(0.1)
    assert (snapshot.state, snapshot.motion) == (S.FAULT, 0)
    ends = [event for event in bench.events if event.event is Event.ENDED]
    assert [(end.motion, end.code) for end in ends] == [(number, EndCode.FAULT), (number + 1, EndCode.FAULT)]
    assert all(end.reason.startswith("no answer from servo 3") for end in ends)
    bench.arm.silent = set()
    bench.run(0.5)
    bench.daemon.clear_fault()
    stands = bench.measured()
    assert bench.run(1.0).state is S.HOLD
    assert bench.measured() == pytest.approx(stands, abs=TICK)


# -- errors of ours ----------------------------------------------------------------------------------------------------


def test_an_error_that_repeats_itself_is_logged_once(
    bench: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    words = ["first", "first", "first", "second", "second"]

    def broken(*_: Any) -> None:
        raise RuntimeError(words.pop(0))

    monkeypatch.setattr(bench.daemon._monitor, "judge", broken)
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            bench.daemon._fault = ""
            snapshot = bench.run(PERIOD_S)
            bench.daemon._logging.join()
    assert snapshot.reason == "internal error, RuntimeError: second"
    told = [record.getMessage() for record in caplog.records]
    assert told == ["the control loop failed; the arm brakes and holds"] * 2
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["first", "second"]


def test_a_terminal_that_was_stopped_does_not_hold_up_a_loop_that_failed(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on = threading.Event()

    class Stopped(logging.Handler):
        """Writes to a terminal after Ctrl-S."""

        def emit(self, record: logging.LogRecord) -> None:
            going_on.wait()

    def broken(*_: Any) -> None:
        raise RuntimeError(f"failure {next(numbers)}")

    numbers = count()
    monkeypatch.setattr(bench.daemon._monitor, "judge", broken)
    handler = Stopped()
    logging.getLogger("dofbot_ros").addHandler(handler)
    threads = threading.active_count()
    try:
        for _ in range(5):
            bench.daemon._fault = ""
            assert bench.run(PERIOD_S).state is S.FAULT
        assert threading.active_count() == threads + 1
    finally:
        going_on.set()
        bench.daemon._logging.join()
        logging.getLogger("dofbot_ros").removeHandler(handler)


def test_an_error_in_the_cycle_frees_the_arm(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.daemon.move_joints([1.2, 0, 0, 0, 0], by=SCRIPT)
    bench.run(0.2)

    def broken(*_: Any) -> None:
        raise RuntimeError("cannot happen")

    monkeypatch.setattr(bench.daemon._motion, "decide", broken)
    snapshot = bench.run(PERIOD_S)
    assert (snapshot.motion, snapshot.commander) == (0, "")
    assert snapshot.result.reason == "internal error, RuntimeError: cannot happen"
    assert snapshot.result.code is EndCode.FAULT


# -- torque ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["ESTOP", "FAULT"])
def test_torque_is_not_switched_on_in_a_stop(bench: Any, state: str) -> None:
    reason = stopped(state, bench)
    assert refusal(lambda: bench.daemon.set_torque(True)) == f"not while {state}: {reason}"


@pytest.mark.parametrize("why", ["one lost its torque", "one is silent"])
def test_torque_that_is_not_on_everywhere_is_switched_again(
    bench: Any, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    calls = spied(bench, "torque", monkeypatch)
    if why == "one is silent":
        bench.arm.silent = {4}
        bench.run(0.06)
        bench.arm.silent = set()
    else:
        bench.arm.servos.torque(4, False, bench.clock.now())
        bench.daemon._link.poll()
    bench.daemon.set_torque(True)
    assert calls == [(True,)]


def test_switching_off_gives_up_the_motion_and_frees_the_arm(bench: Any) -> None:
    bench.daemon.move_joints([1.2, 0, 0, 0, 0], by=SCRIPT)
    bench.run(0.2)
    bench.daemon.set_torque(False)
    snapshot = bench.run(PERIOD_S)
    assert snapshot.result.reason == "torque switched off"
    assert snapshot.result.code is EndCode.TORQUE_CHANGED
    assert (snapshot.state, snapshot.torque, snapshot.commander) == (S.IDLE, False, "")


def test_switching_on_ends_freedrive_and_begins_where_the_arm_is(bench: Any) -> None:
    bench.daemon.freedrive(True)
    bench.run(0.1)
    bench.arm.servos.turn_by_hand(1, 2300)
    bench.run(0.1)
    bench.daemon.set_torque(True)
    snapshot = bench.run(0.1)
    assert (snapshot.state, snapshot.torque, snapshot.reason) == (S.HOLD, True, "")
    assert bench.arm.goals[-1][0] == pytest.approx(300 * TICK, abs=2 * TICK)
    bench.daemon.set_torque(False)
    assert bench.run(PERIOD_S).reason == "torque is off", "freedrive was ended"


# -- the end -----------------------------------------------------------------------------------------------------------


def test_during_the_end_only_the_end_commands(new_bench: Any) -> None:
    b = holding(new_bench, on_exit="park")
    b.run(0.5)
    refused: list[str] = []
    really = b.arm.write

    def write(*args: Any) -> Any:
        refused.append(refusal(lambda: b.daemon.home(OPERATOR)))
        return really(*args)

    b.arm.write = write
    b.daemon.shutdown()
    assert set(refused) == {"the driver is shutting down"}
    assert b.arm.goals[-1][:GRIP] == pytest.approx(PARK[:GRIP], abs=1e-3)
    assert b.daemon.snapshot().reason == "shut down"


@pytest.mark.parametrize("state", ["ESTOP", "FAULT"])
def test_a_stopped_arm_is_not_parked_at_the_end(new_bench: Any, state: str) -> None:
    b = holding(new_bench, on_exit="park")
    pose = b.measured()
    stopped(state, b)
    b.daemon.shutdown()
    assert b.arm.goals[-1] == pytest.approx(pose, abs=2 * TICK)
    assert not any(model.torque_on for model in b.arm.servos.models.values())


def test_the_end_waits_until_the_arm_stands_and_no_longer(new_bench: Any) -> None:
    b = holding(new_bench)
    b.daemon.move_joints([1.2, 0, 0, 0, 0])
    b.run(0.5)
    began, moving = b.clock.now(), b.daemon._motion.at.velocity[0]
    b.daemon.shutdown()
    assert b.clock.now() - began == pytest.approx(moving / 8.0, abs=0.06)
    assert b.daemon._motion.at_rest


def test_the_end_does_not_wait_for_ever(new_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    b = holding(new_bench, on_exit="park")
    began = b.clock.now()
    monkeypatch.setattr(b.daemon._motion, "decide", lambda *_: b.daemon._motion._governor.halt())
    b.daemon.shutdown()
    assert b.clock.now() - began == pytest.approx(15.0, abs=0.1)


def test_an_arm_without_torque_is_left_as_it_is_at_the_end(new_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    b = new_bench(on_exit="release")
    b.run(0.04)
    calls = spied(b, "torque", monkeypatch)
    b.daemon.shutdown()
    assert calls == []
    assert b.daemon.snapshot().state is S.DISCONNECTED


def test_an_error_of_the_bus_is_no_reason_to_end(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise BusError("garbled")

    monkeypatch.setattr(bench.arm, "read", broken)
    snapshot = bench.run(PERIOD_S)
    assert (snapshot.state, snapshot.last_bus_error) == (S.HOLD, "garbled")


def test_parking_at_the_end_takes_as_long_as_it_takes(new_bench: Any) -> None:
    b = holding(new_bench, on_exit="park")
    began = b.clock.now()
    b.daemon.shutdown()
    assert b.clock.now() - began < 5.0
    assert b.daemon.snapshot().stamp_s == b.clock.now()


# -- streams that run meanwhile ----------------------------------------------------------------------------------------


def crash(bench: Any) -> None:
    bench.daemon._crashed(RuntimeError("cannot happen"))
    bench.daemon.clear_fault()


def let_go(bench: Any) -> None:
    bench.daemon.set_torque(False)
    bench.daemon.set_torque(True)


def stop_between_cycles(bench: Any) -> None:
    bench.daemon.estop("button")
    bench.daemon.reset_estop()
    assert bench.daemon._motion.log.last.reason == "button"


@pytest.mark.parametrize("kind", ["stream", "twist"])
@pytest.mark.parametrize("seconds", [0.0, 1.0])
@pytest.mark.parametrize("ends", [crash, let_go, stop_between_cycles, lambda bench: bench.daemon.stop()])
def test_a_stream_that_runs_has_to_be_engaged_anew(
    bench: Any, kind: str, seconds: float, ends: Callable[[Any], None]
) -> None:
    def send() -> None:
        if kind == "stream":
            bench.daemon.stream([0.1], bench.clock.now(), ["joint1"], TELEOP)
        else:
            bench.daemon.twist([0.0, 0.0, -0.01], [0.0] * 3, bench.clock.now(), TELEOP)

    send()
    for _ in range(round(seconds / PERIOD_S)):
        bench.run(PERIOD_S)
        send()
    ends(bench)
    assert refusal(send) == "the stream of teleop_node was stopped: pause it for 0.5 s to engage it anew"
    assert bench.run(PERIOD_S).motion == 0
    bench.run(0.6)
    send()


@pytest.mark.parametrize("reset", ["ESTOP", "FAULT", "IDLE"])
def test_a_stream_that_began_in_a_stop_does_not_begin_by_itself_after_it(bench: Any, reset: str) -> None:
    def send() -> None:
        bench.daemon.stream([0.1], bench.clock.now(), ["joint1"], TELEOP)

    if reset == "IDLE":
        bench.daemon.set_torque(False)
    else:
        stopped(reset, bench)
    for _ in range(50):
        refusal(send)
        bench.run(PERIOD_S)
    bench.arm.servos.models[2].temperature_c = 30.0
    bench.run(PERIOD_S)
    {
        "ESTOP": bench.daemon.reset_estop,
        "FAULT": bench.daemon.clear_fault,
        "IDLE": lambda: bench.daemon.set_torque(True),
    }[reset]()
    assert refusal(send).startswith("the stream of teleop_node was stopped")
    bench.run(0.6)
    send()


@pytest.mark.parametrize(
    "command",
    [
        lambda b: b.daemon.twist([0.0, 0.0, 0.0], [0.0] * 3, b.clock.now()),
        lambda b: b.daemon.move_joints([0.9, 0, 0, 0, 0]),
    ],
    ids=["twist", "move"],
)
def test_a_motion_that_takes_over_another_goes_on_from_its_speed(bench: Any, command: Callable[[Any], int]) -> None:
    bench.daemon.follow([2.0], [[1.2]], joints=["joint1"])
    bench.run(1.0)
    command(bench)
    at, generated = bench.daemon._motion.at, bench.daemon._motion.generator.state
    assert at.velocity[0] > 0.5
    assert generated.position == pytest.approx(at.position)
    assert generated.velocity == pytest.approx(at.velocity)


def test_what_comes_after_a_cycle_gets_the_snapshot_and_the_rate_and_its_errors_are_told(new_bench: Any) -> None:
    b, given = new_bench(), []

    def after_cycle(snapshot: Any, rate: Rate) -> None:
        given.append((snapshot, rate.period_s))
        raise ValueError("publishing failed")

    b.daemon.run(lambda: len(given) >= 3, after_cycle)
    assert [period_s for _, period_s in given] == [PERIOD_S] * 3
    assert given[-1][0].reason == "internal error, ValueError: publishing failed"


def test_a_stop_without_a_reason_is_an_emergency_stop(bench: Any) -> None:
    bench.daemon.estop()
    assert bench.run(PERIOD_S).reason == "emergency stop"
