"""The monitor's sentences: what is a fault, from when on, and which servo it names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dofbot_ros.arm.backend import ArmReading, ServoHealth
from dofbot_ros.core.types import FloatArray
from dofbot_ros.safety.monitor import ArmMonitor, servos

HEALTHY = ServoHealth()


def reading(**changes: object) -> ArmReading:
    """Six healthy servos that hold, with `changes`."""
    healthy = ArmReading(
        stamp_s=10.0,
        position=np.zeros(6),
        stamps_s=np.full(6, 10.0),
        fresh=np.ones(6, dtype=bool),
        health=(HEALTHY,) * 6,
        silent_s=np.zeros(6),
        torque=(True,) * 6,
    )
    return replace(healthy, **changes)  # type: ignore[arg-type]


def at(joint: int, value: float) -> FloatArray:
    """Zeros but for one joint, shape (6,)."""
    return np.where(np.arange(6) == joint, value, 0.0)


def of(servo: int, health: ServoHealth) -> tuple[ServoHealth, ...]:
    """Six servos of which one is unwell."""
    return tuple(health if i == servo else HEALTHY for i in range(6))


@pytest.fixture
def monitor() -> ArmMonitor:
    return ArmMonitor(stale_read_s=0.2, tracking_error=0.1, tracking_error_s=0.25, voltage_fault_s=0.5)


def test_a_healthy_arm_has_no_fault(monitor: ArmMonitor) -> None:
    assert monitor.judge(reading(), np.zeros(6), 10.0) == ""
    assert monitor.judge(reading(), None, 10.0) == ""


def test_silence_is_a_fault_once_it_is_longer_than_allowed_and_names_every_silent_servo(monitor: ArmMonitor) -> None:
    assert monitor.judge(reading(silent_s=np.full(6, 0.2)), None, 10.0) == ""
    silent = at(1, 0.5) + at(4, 0.3) + at(0, 0.1)
    assert monitor.judge(reading(silent_s=silent), None, 10.0) == (
        "no answer from servo 2 (joint2), servo 5 (joint5) for 0.5 s: check its cable"
    )


@pytest.mark.parametrize(
    ("health", "sentence"),
    [
        (ServoHealth(overheated=True), "servo 4 (joint4) overheated: let it cool down and check for an obstruction"),
        (
            ServoHealth(overloaded=True),
            "servo 4 (joint4) is overloaded and has let go: check for an obstruction",
        ),
    ],
)
def test_a_servo_that_complains_is_named_with_and_without_torque(
    monitor: ArmMonitor, health: ServoHealth, sentence: str
) -> None:
    assert monitor.judge(reading(health=of(3, health)), None, 10.0) == sentence
    assert monitor.judge(reading(health=of(3, health)), np.zeros(6), 10.0) == sentence


WEAK = ServoHealth(voltage_fault=True)


def test_a_voltage_that_dips_is_no_fault_and_one_that_stays_low_is(monitor: ArmMonitor) -> None:
    for error in (None, np.zeros(6)):
        assert monitor.judge(reading(health=of(1, WEAK)), error, 10.0) == ""
        assert monitor.judge(reading(health=of(1, WEAK)), error, 10.49) == ""
        assert monitor.judge(reading(), error, 10.5) == "", "it has recovered"
        assert monitor.judge(reading(health=of(1, WEAK)), error, 10.6) == ""
        assert monitor.judge(reading(health=of(4, WEAK)), error, 11.09) == "", "another servo's time is its own"
        assert monitor.judge(reading(health=of(4, WEAK)), error, 11.60) == (
            "supply voltage out of range at servo 5 (joint5): check the power supply and its plugs"
        )
        monitor.reset()
        assert monitor.judge(reading(health=of(4, WEAK)), error, 11.7) == "", "a fault that was cleared has its time"
        monitor.reset()


def test_lost_torque_is_a_fault_only_while_the_arm_is_to_hold(monitor: ArmMonitor) -> None:
    lost = reading(torque=(True, False, None, True, True, False))
    assert monitor.judge(lost, None, 10.0) == ""
    assert monitor.judge(lost, np.zeros(6), 10.0) == (
        "servo 2 (joint2), servo 6 (grip_joint) lost its torque: check its power, then switch the torque off and on"
    )


def test_a_servo_that_does_not_tell_its_torque_has_lost_none(monitor: ArmMonitor) -> None:
    assert monitor.judge(reading(torque=(None,) * 6), np.zeros(6), 10.0) == ""


def test_an_error_up_to_the_tolerance_is_none_however_long_it_lasts(monitor: ArmMonitor) -> None:
    for k in range(100):
        assert monitor.judge(reading(), at(2, 0.1), 10.0 + 0.02 * k) == ""


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_joint_that_does_not_follow_is_a_fault_from_tracking_error_s_on(monitor: ArmMonitor, sign: float) -> None:
    assert monitor.judge(reading(), at(2, sign * 0.3), 10.0) == ""
    assert monitor.judge(reading(), at(2, sign * 0.3), 10.24) == ""
    assert monitor.judge(reading(), at(2, sign * 0.3), 10.25) == (
        "joint3 is 0.30 rad away from its command and does not follow: is it blocked?"
    )


def test_a_joint_that_follows_in_between_starts_the_time_anew(monitor: ArmMonitor) -> None:
    monitor.judge(reading(), at(2, 0.3), 10.0)
    monitor.judge(reading(), at(2, 0.05), 10.2)
    assert monitor.judge(reading(), at(2, 0.3), 10.3) == ""
    assert monitor.judge(reading(), at(2, 0.3), 10.5) == ""
    assert monitor.judge(reading(), at(2, 0.3), 10.55) != ""


def test_a_reset_starts_the_time_anew(monitor: ArmMonitor) -> None:
    monitor.judge(reading(), at(2, 0.3), 10.0)
    monitor.reset()
    assert monitor.judge(reading(), at(2, 0.3), 10.3) == ""
    assert monitor.judge(reading(), at(2, 0.3), 10.55) != ""


def test_the_joint_that_is_farthest_away_is_named_and_the_gripper_never(monitor: ArmMonitor) -> None:
    error = at(1, 0.2) + at(4, -0.4) + at(5, 1.5)
    monitor.judge(reading(), error, 10.0)
    assert monitor.judge(reading(), error, 10.5).startswith("joint5 is 0.40 rad")
    monitor.reset()
    monitor.judge(reading(), at(5, 1.5), 10.0)
    assert monitor.judge(reading(), at(5, 1.5), 11.0) == ""


def test_the_gravest_comes_first(monitor: ArmMonitor) -> None:
    """A servo that is silent or unwell explains why its joint does not follow."""
    unwell = reading(
        silent_s=at(0, 0.5), health=of(1, ServoHealth(overheated=True, overloaded=True)), torque=(True, False) * 3
    )
    error = at(0, 1.0)
    monitor.judge(reading(), error, 10.0)
    assert monitor.judge(unwell, error, 10.5).startswith("no answer from servo 1")
    assert monitor.judge(replace(unwell, silent_s=np.zeros(6)), error, 10.5).startswith("servo 2 (joint2) overheated")
    assert monitor.judge(reading(torque=(True, False) * 3), error, 10.5).startswith("servo 2 (joint2), servo 4")


def test_servos_are_told_by_number_and_joint() -> None:
    assert servos([2, 5]) == "servo 3 (joint3), servo 6 (grip_joint)"
    assert servos([]) == ""
