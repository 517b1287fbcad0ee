"""How serious each complaint of a servo is on `diagnostics`."""

from __future__ import annotations

import pytest

from dofbot_ros.arm.backend import ServoHealth

pytest.importorskip("diagnostic_msgs", reason="ROS 2 is not installed here")


@pytest.mark.parametrize(
    ("health", "level", "message"),
    [
        (ServoHealth(), "OK", "healthy"),
        (ServoHealth(voltage_fault=True), "WARN", "voltage"),
        (ServoHealth(overheated=True), "ERROR", "temperature"),
        (ServoHealth(voltage_fault=True, overloaded=True), "ERROR", "voltage, overload"),
    ],
)
def test_a_wrong_voltage_alone_is_a_warning(health: ServoHealth, level: str, message: str) -> None:
    from diagnostic_msgs.msg import DiagnosticStatus

    from dofbot_ros.ros.arm.diagnostics import servo_status

    entry = servo_status("driver", "joint2", health, 0.01)
    assert entry.level == getattr(DiagnosticStatus, level)
    assert entry.message == message
