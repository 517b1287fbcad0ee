"""Commands that the daemon does not carry out: each says why, and nothing moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dofbot_ros.errors import BusError, CommandRefusedError, NoReplyError, PortError

TABLE = [0.0, 1.5, 0.9, 0.0, 0.0]
"""The gripper would be below the table."""


def refusal(command: Callable[[], object]) -> str:
    with pytest.raises(CommandRefusedError) as refused:
        command()
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(bench: Any, bad: float) -> None:
    before = bench.measured()
    point = [0.1, 0.1, bad, 0.0, 0.0, 0.0]
    stream = refusal(lambda: bench.daemon.stream(point, bench.clock.now()))
    assert stream == "the streamed point holds a number that is not finite"
    assert refusal(lambda: bench.daemon.move_joints(point[:5])).startswith("the goal holds a number that is not finite")
    bench.run(0.5)
    assert bench.measured() == pytest.approx(before)


def test_a_goal_beyond_a_limit_names_joint_value_and_limits(bench: Any) -> None:
    message = refusal(lambda: bench.daemon.move_joints([0.0, 0.0, 0.0, 2.5, 0.0]))
    low, high = bench.daemon.limits.lower[3], bench.daemon.limits.upper[3]
    assert message == f"joint4 is to go to 2.500 rad; its limits are {low:.3f}..{high:.3f} rad"


def test_a_goal_in_the_table_is_not_allowed(bench: Any) -> None:
    assert refusal(lambda: bench.daemon.move_joints(TABLE)).startswith("the goal is not allowed: ")
    assert bench.run(0.1).state == "HOLD"


def test_without_a_connection_everything_says_so(new_bench: Any) -> None:
    bench = new_bench()
    bench.arm.absent = True
    bench.run(0.1)
    assert bench.daemon.snapshot().state == "DISCONNECTED"
    for command in (
        bench.daemon.home,
        lambda: bench.daemon.set_torque(True),
        lambda: bench.daemon.set_torque(False),
        lambda: bench.daemon.stream([0.0] * 6, bench.clock.now()),
    ):
        assert refusal(command) == "the arm is not connected: the port is gone"


@pytest.mark.parametrize("enabled", [True, False])
def test_servos_that_do_not_switch_are_named_in_the_refusal(
    bench: Any, monkeypatch: pytest.MonkeyPatch, enabled: bool
) -> None:
    bench.daemon.set_torque(not enabled)
    bench.run(0.1)

    def deaf(on: bool) -> None:
        raise NoReplyError(f"servo 5 (joint5) does not switch its torque {'on' if on else 'off'}", [5])

    monkeypatch.setattr(bench.arm, "torque", deaf)
    word = "on" if enabled else "off"
    assert refusal(lambda: bench.daemon.set_torque(enabled)) == f"servo 5 (joint5) does not switch its torque {word}"


@pytest.mark.parametrize("enabled", [True, False])
def test_a_port_that_goes_away_meanwhile_is_an_error_of_the_port(
    bench: Any, monkeypatch: pytest.MonkeyPatch, enabled: bool
) -> None:
    bench.daemon.set_torque(not enabled)
    bench.run(0.1)
    bench.arm.absent = True
    with pytest.raises(PortError):
        bench.daemon.set_torque(enabled)


def test_torque_that_is_on_is_not_switched_again(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def again(_: bool) -> None:
        raise AssertionError("the torque was switched again")

    monkeypatch.setattr(bench.arm, "torque", again)
    bench.daemon.set_torque(True)
    assert bench.run(0.1).torque


def test_a_shutdown_in_which_the_bus_fails_still_lets_go_of_the_port(
    new_bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = new_bench(on_exit="release")
    bench.run(0.04)
    bench.daemon.set_torque(True)
    bench.run(0.1)

    def broken(_: bool) -> None:
        raise BusError("nobody answers")

    monkeypatch.setattr(bench.arm, "torque", broken)
    bench.daemon.shutdown()
    snapshot = bench.daemon.snapshot()
    assert (snapshot.state, snapshot.reason) == ("DISCONNECTED", "shut down")
    assert snapshot.last_bus_error == "nobody answers"
