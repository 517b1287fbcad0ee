"""The serial arm of a configuration: every word of it arrives."""

from __future__ import annotations

import inspect
from dataclasses import replace

import numpy as np
import pytest

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.core.clock import ManualClock
from dofbot_ros.driver import serial_backend as serial_backend_module
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.driver.serial_backend import serial_backend
from dofbot_ros.errors import ConfigError, PortError
from dofbot_ros.hardware.emulation.emulator import Emulator
from dofbot_ros.hardware.port.search import PortIdentity
from dofbot_ros.hardware.port.serial_port import ByteStream
from dofbot_ros.hardware.serial_arm import SerialArm
from dofbot_ros.hardware.streamer import StreamConfig
from dofbot_ros.hardware.wire.protocol import ProtocolName
from dofbot_ros.hardware.wire.wire_time import carried_rate_hz


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


def test_every_word_of_the_configuration_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}

    def noted(*args: object, **named: object) -> SerialArm:
        given.update(inspect.signature(SerialArm).bind(*args, **named).arguments)
        return SerialArm(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(serial_backend_module, "SerialArm", noted)
    config = DriverConfig(
        port="/dev/arm", baudrate=250000, write_rate_hz=31.0, dead_band_ticks=5, sync_write=True, max_velocity=1.2
    )
    calibration, clock, opened = replace(DEFAULT_CALIBRATION), ManualClock(3.0), []

    def open_port(name: str, baudrate: int, timeout_s: float) -> ByteStream:
        opened.append((name, baudrate))
        raise PortError("not there", name)

    def no_ports() -> list[PortIdentity]:
        return []

    arm = serial_backend(config, calibration, clock, open_port=open_port, ports=no_ports)
    assert {name: given[name] for name in ("port", "protocol", "baudrate", "sync_write")} == {
        "port": "/dev/arm",
        "protocol": "bus",
        "baudrate": 250000,
        "sync_write": True,
    }
    assert given["stream"] == StreamConfig(write_rate_hz=31.0, dead_band_ticks=5)
    assert given["max_velocity"] == pytest.approx(1.2)
    assert given["calibration"] is calibration
    assert given["ports"] is no_ports
    assert arm.clock is clock
    with pytest.raises(PortError):
        arm.connect()
    assert opened == [("/dev/arm", 250000)]


@pytest.mark.parametrize("protocol", ["bus", "se"])
@pytest.mark.parametrize("write_rate_hz", [10.0, 40.0])
def test_the_rates_are_checked_for_protocol_baudrate_and_goals(protocol: ProtocolName, write_rate_hz: float) -> None:
    most = carried_rate_hz(protocol, 57600, write_rate_hz)
    words = {"protocol": protocol, "baudrate": 57600, "write_rate_hz": write_rate_hz}
    serial_backend(DriverConfig(control_rate_hz=most - 0.1, **words), DEFAULT_CALIBRATION)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=f"protocol {protocol} carries at 57600 baud with write_rate_hz"):
        serial_backend(DriverConfig(control_rate_hz=most + 0.1, **words), DEFAULT_CALIBRATION)  # type: ignore[arg-type]
