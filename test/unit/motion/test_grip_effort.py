"""A gripper that is left closed on a block of 30 mm is no burden for its servo, whoever closed it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from dofbot_ros.hardware.emulation.servo_model import ServoModelConfig

from .grip_bench import (
    BLOCK,
    LEAD,
    Block,
    Effort,
    close_every_second,
    close_once,
    knocked,
    policy,
    pressed_apart,
    squeeze,
    still,
    stream_closed,
    stream_that_lets_go_at_times,
    swaying,
    turning,
    turning_fast,
    wobbling,
)

SERVO = ServoModelConfig()
PATHS = [
    pytest.param(close_once, False, id="topic"),
    pytest.param(close_every_second, False, id="topic every second"),
    pytest.param(stream_closed, True, id="stream"),
    pytest.param(policy, True, id="policy"),
    pytest.param(stream_that_lets_go_at_times, True, id="stream that lets go at times"),
]


def _spared(effort: Effort) -> None:
    assert effort.overloaded_at_s is None
    assert effort.full_load_s <= 0.5 * SERVO.stall_s
    assert effort.hottest_c < SERVO.overheat_c


@pytest.mark.slow
@pytest.mark.parametrize(("command", "guarded"), PATHS)
def test_ten_minutes_on_a_block_neither_overload_nor_overheat_the_servo(
    command: Callable[[float, float], float | None], guarded: bool
) -> None:
    effort = squeeze(command, still, 600.0, guarded)
    _spared(effort)
    # Held all the same: the effort that heats the servo to its limit in the long run is 0.75.
    assert 0.5 < effort.held < (SERVO.overheat_c - SERVO.ambient_c) / SERVO.heating_c
    assert effort.fingers == pytest.approx(BLOCK, abs=0.01)


@pytest.mark.parametrize("block", [wobbling, swaying, turning, turning_fast, pressed_apart, knocked])
@pytest.mark.parametrize(("command", "guarded"), PATHS)
def test_a_block_that_moves_between_the_fingers_does_not_overload_it_either(
    command: Callable[[float, float], float | None], guarded: bool, block: Block
) -> None:
    _spared(squeeze(command, block, 60.0, guarded))


@pytest.mark.parametrize(("command", "guarded"), [(close_once, False), (policy, True)])
def test_a_block_is_first_held_firmly(command: Callable[[float, float], float | None], guarded: bool) -> None:
    firm = squeeze(command, still, 15.0, guarded).held
    # The servo turns 1.7 times as far as the fingers: `lead` is nine tenths of its full load.
    assert firm == pytest.approx(0.92, abs=0.02)
    assert squeeze(command, still, 60.0, guarded).held == pytest.approx(0.69, abs=0.02)


def test_a_block_that_is_lost_is_closed_upon() -> None:
    lost = lambda now_s: BLOCK if now_s < 5.0 else math.inf  # noqa: E731
    assert squeeze(close_once, lost, 10.0, False).fingers == pytest.approx(0.5 * math.pi, abs=0.03)
    assert squeeze(stream_closed, lost, 10.0, True).fingers == pytest.approx(0.5 * math.pi, abs=0.03)


def test_fingers_that_nothing_stops_are_not_held_back() -> None:
    free = lambda now_s: math.inf  # noqa: E731

    def open_and_close(now_s: float, measured: float) -> float:
        return 1.5 if now_s % 3.0 < 1.5 else 0.1

    effort = squeeze(open_and_close, free, 31.4, True)
    assert effort.full_load_s == 0.0
    assert effort.fingers == pytest.approx(1.5, abs=0.02)
    assert LEAD < 0.2
