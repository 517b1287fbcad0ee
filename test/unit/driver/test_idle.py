"""What is said of an arm that nobody commands, by what its servos say of their torque."""

from __future__ import annotations

import numpy as np
import pytest

from dofbot_ros.arm.backend import ArmReading, ServoHealth
from dofbot_ros.driver.idle import idle_reason

TAKE_OVER = "not commanded from here: enable_torque takes over, enable_torque false lets go"


def reading(*torque: bool | None) -> ArmReading:
    known = np.ones(6, dtype=bool)
    return ArmReading(0.0, np.zeros(6), np.zeros(6), known, (ServoHealth(),) * 6, np.zeros(6), torque)


@pytest.mark.parametrize(
    ("torque", "freedrive", "says"),
    [
        ((False,) * 6, False, "torque is off"),
        ((False,) * 6, True, "freedrive"),
        ((True,) * 6, False, f"all servos hold, {TAKE_OVER}"),
        ((True,) * 6, True, f"all servos hold, {TAKE_OVER}"),
        ((False, False, True, False, False, False), False, f"servo 3 (joint3) holds, {TAKE_OVER}"),
        ((False, False, True, False, False, True), True, f"servo 3 (joint3), servo 6 (grip_joint) holds, {TAKE_OVER}"),
        ((False,) * 5 + (None,), False, "torque is off as far as this driver knows: the servos do not tell"),
        ((None,) * 6, False, "torque is off as far as this driver knows: the servos do not tell"),
        ((None,) * 6, True, "freedrive"),
        ((), False, "torque is off as far as this driver knows: the servos do not tell"),
    ],
)
def test_it_says_what_the_servos_say(torque: tuple[bool | None, ...], freedrive: bool, says: str) -> None:
    assert idle_reason(reading(*torque), freedrive) == says


def test_before_the_first_reading_nothing_is_known() -> None:
    assert idle_reason(None, False) == "torque is off as far as this driver knows: the servos do not tell"
    assert idle_reason(None, True) == "freedrive"
