"""Shared by the daemon's tests: a bench that holds or was stopped, and the calls that its arm gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.safety.authority import Commander, Rank

PERIOD_S = 0.02
TICK = np.radians(180 / 2200)
TELEOP = Commander("teleop_node", Rank.TELEOP)
SCRIPT = Commander("grasp_node", Rank.SCRIPT)
OPERATOR = Commander("_ros2cli_7", Rank.OPERATOR)


def refusal(command: Callable[[], object]) -> str:
    """The message with which `command` is refused."""
    with pytest.raises(CommandRefusedError) as refused:
        command()
    return str(refused.value)


def holding(new_bench: Any, **config: Any) -> Any:
    """A bench that is connected and holds."""
    b = new_bench(**config)
    b.run(0.04)
    b.daemon.set_torque(True)
    b.run(0.1)
    return b


def stopped(state: str, bench: Any) -> str:
    """Bring the arm into FAULT or ESTOP. Returns the reason."""
    if state == "ESTOP":
        bench.daemon.estop("button")
    else:
        bench.arm.servos.heat(2, 90.0)
    snapshot = bench.run(0.1)
    assert snapshot.state == state
    reason: str = snapshot.reason
    return reason


def spied(bench: Any, method: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The arguments with which a method of the arm is called from now on; the arm still does it."""
    calls: list[tuple[Any, ...]] = []
    really = getattr(bench.arm, method)

    def noted(*args: Any) -> Any:
        calls.append(args)
        return really(*args)

    monkeypatch.setattr(bench.arm, method, noted)
    return calls
