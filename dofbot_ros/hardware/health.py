"""What the status byte of a servo's answer says about its health."""

from __future__ import annotations

from dofbot_ros.arm.backend import ServoHealth
from dofbot_ros.hardware.wire.bus import OVERLOAD_BIT, TEMPERATURE_BIT, VOLTAGE_BIT


def health_of(status: int) -> ServoHealth:
    """The health that a servo reports with `status`."""
    return ServoHealth(
        voltage_fault=bool(status & VOLTAGE_BIT),
        overheated=bool(status & TEMPERATURE_BIT),
        overloaded=bool(status & OVERLOAD_BIT),
    )
