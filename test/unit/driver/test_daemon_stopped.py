"""The cycle in which the daemon is stopped: what it ends, whom it frees, and what a command in between comes to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dofbot_ros.driver.daemon import REPEATS
from dofbot_ros.driver.motion_events import EndCode, Event

from .daemon_bench import PERIOD_S, TELEOP, refusal, spied

OVERHEATED = "servo 2 (joint2) overheated: let it cool down and check for an obstruction"


def faulty(bench: Any) -> Any:
    """Overheat a servo. Returns the snapshot of the cycle that notices."""
    bench.arm.servos.heat(2, 90.0)
    snapshot = bench.until(lambda s: s.state == "FAULT", 0.2)
    assert snapshot.reason == OVERHEATED
    return snapshot


def ends(events: Any, motion: int) -> list[tuple[EndCode | None, str]]:
    return [(e.code, e.reason) for e in events if e.event is Event.ENDED and e.motion == motion]


def test_a_fault_ends_a_motion_of_the_fingers_in_its_cycle(bench: Any) -> None:
    number = bench.daemon.gripper(0.0)
    bench.run(3 * PERIOD_S)
    assert bench.daemon.snapshot().gripper_moving
    assert ends(faulty(bench).events, number) == [(EndCode.FAULT, OVERHEATED)]
    assert not bench.run(0.4).gripper_moving


def test_what_began_between_a_clear_and_the_return_of_its_fault_ends_in_the_next_cycle(bench: Any) -> None:
    faulty(bench)
    bench.daemon.clear_fault()
    number = bench.daemon.move_joints([1.0, 0, 0, 0, 0])
    snapshot = bench.run(PERIOD_S)
    assert (snapshot.state, snapshot.motion) == ("FAULT", 0)
    assert ends(snapshot.events, number) == [(EndCode.FAULT, OVERHEATED)]


def test_a_fault_frees_the_arm_and_stops_the_stream_that_ran(bench: Any) -> None:
    def send() -> None:
        bench.daemon.stream([0.1], bench.clock.now(), ["joint1"], TELEOP)

    send()
    bench.run(PERIOD_S)
    assert faulty(bench).commander == ""
    bench.arm.servos.heat(2, 30.0)
    bench.run(PERIOD_S)
    bench.daemon.clear_fault()
    assert refusal(send) == "the stream of teleop_node was stopped: pause it for 0.5 s to engage it anew"


def test_an_arm_brakes_for_a_fault_once_from_where_it_is_underway(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.daemon.move_joints([1.2, 0, 0, 0, 0])
    bench.run(0.2)
    lead = np.full(6, 0.01)
    bench.daemon._trim.offset = lead
    fallen_back = []
    really = bench.daemon._motion.fall_back

    def fall_back(position: Any) -> None:
        fallen_back.append(position - bench.arm.underway())
        really(position)

    monkeypatch.setattr(bench.daemon._motion, "fall_back", fall_back)
    bench.arm.servos.heat(2, 90.0)
    bench.run(0.3)
    assert bench.daemon.snapshot().state == "FAULT"
    assert len(fallen_back) == 1
    assert fallen_back[0] == pytest.approx(-lead, abs=1e-3), "the goals lead the command"


def test_the_goals_of_a_stop_are_urgent_until_they_were_repeated(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.daemon.move_joints([1.2, 0, 0, 0, 0])
    bench.run(0.14)
    calls = spied(bench, "write", monkeypatch)
    bench.run(PERIOD_S)
    bench.daemon.stop()
    bench.run(0.24)
    goals, times, urgent = zip(*calls, strict=True)
    assert urgent[0] is False
    assert set(times) == {PERIOD_S}
    rests = next(k for k in range(1, len(goals)) if (goals[k] == goals[k + 1]).all())
    assert list(urgent[1:]) == [True] * (rests + REPEATS) + [False] * (len(urgent) - 1 - rests - REPEATS)


def test_an_arm_whose_computer_stood_still_is_given_up_where_its_servos_are(bench: Any) -> None:
    number = bench.daemon.move_joints([1.2, 0, 0, 0, 0], by=TELEOP)
    bench.run(0.14)
    lead = np.full(6, 0.001)
    bench.daemon._trim.offset = lead
    bench.clock.advance(0.5)
    underway = bench.arm.underway()
    snapshot = bench.run(PERIOD_S)
    assert ends(snapshot.events, number) == [(EndCode.PAUSED, "this computer stood still for 0.5 s")]
    assert (snapshot.commander, snapshot.state, snapshot.reason) == ("", "HOLD", "")
    assert bench.daemon._motion.at.position == pytest.approx(underway - lead, abs=1e-6)
    assert bench.run(PERIOD_S).reason == ""


def test_a_lost_port_is_told_with_its_code(bench: Any) -> None:
    number = bench.daemon.move_joints([1.2, 0, 0, 0, 0])
    bench.run(2 * PERIOD_S)
    bench.arm.absent = True
    assert ends(bench.run(PERIOD_S).events, number) == [(EndCode.DISCONNECTED, "the port is gone")]


def test_an_emergency_stop_while_the_servos_are_read_brakes_in_the_same_cycle(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.daemon.move_joints([1.2, 0, 0, 0, 0])
    bench.run(0.4)
    really = bench.arm.read

    def read(*args: Any) -> Any:
        bench.daemon.estop("button")
        return really(*args)

    monkeypatch.setattr(bench.arm, "read", read)
    before = bench.daemon._motion.at.velocity[0]
    snapshot = bench.run(PERIOD_S)
    assert (snapshot.state, snapshot.reason, snapshot.motion) == ("ESTOP", "button", 0)
    assert 0.0 < bench.daemon._motion.at.velocity[0] < before
    bench.run(0.4)
    assert bench.daemon.snapshot().reason == "button"
    assert bench.daemon._motion.at_rest
