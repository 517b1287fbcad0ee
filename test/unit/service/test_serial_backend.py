"""The serial arm of a configuration: every word of it arrives."""

from __future__ import annotations

import numpy as np
import pytest

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.errors import ConfigError
from dofbot_ros.hardware.emulator import Emulator
from dofbot_ros.hardware.protocol import ProtocolName
from dofbot_ros.service.config import DriverConfig
from dofbot_ros.service.serial_backend import serial_backend


@pytest.mark.parametrize("protocol", ["bus", "se"])
def test_the_arm_answers_on_the_port_in_the_protocol(protocol: ProtocolName) -> None:
    with Emulator(protocol=protocol, first=True) as emulator:
        config = DriverConfig(
            port=emulator.port, protocol=protocol, **({"control_rate_hz": 20.0} if protocol == "se" else {})
        )
        arm = serial_backend(config, DEFAULT_CALIBRATION)
        try:
            assert arm.connect().fresh.all()
            assert np.abs(arm.write(np.zeros(6), 0.5).position).max() < 0.01
        finally:
            arm.close()


def test_rates_that_the_line_cannot_carry_are_refused() -> None:
    with pytest.raises(ConfigError, match="control_rate_hz 200 is more than protocol bus carries at 115200 baud"):
        serial_backend(DriverConfig(control_rate_hz=200.0), DEFAULT_CALIBRATION)
    with pytest.raises(ConfigError, match="at 9600 baud"):
        serial_backend(DriverConfig(baudrate=9600), DEFAULT_CALIBRATION)
