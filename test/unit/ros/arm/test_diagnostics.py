"""How serious each complaint of a servo is on `diagnostics`."""

from __future__ import annotations

import pytest

from dofbot_ros.arm.backend import ServoHealth

pytest.importorskip("diagnostic_msgs", reason="ROS 2 is not installed here")


@pytest.mark.parametrize(
    ("health", "silent_s", "level", "message"),
    [
        (ServoHealth(), 0.0, "OK", "healthy"),
        (ServoHealth(voltage_fault=True), 0.0, "WARN", "voltage"),
        (ServoHealth(overheated=True), 0.0, "ERROR", "temperature"),
        (ServoHealth(voltage_fault=True, overloaded=True), 0.0, "ERROR", "voltage, overload"),
        (ServoHealth(), 0.1, "ERROR", "does not answer"),
        (ServoHealth(voltage_fault=True), 0.1, "ERROR", "does not answer, voltage"),
    ],
)
def test_a_wrong_voltage_alone_is_a_warning(health: ServoHealth, silent_s: float, level: str, message: str) -> None:
    from diagnostic_msgs.msg import DiagnosticStatus

    from dofbot_ros.ros.arm.diagnostics import servo_status

    entry = servo_status("driver", "joint2", health, 0.01, silent_s)
    assert entry.level == getattr(DiagnosticStatus, level)
    assert entry.message == message
