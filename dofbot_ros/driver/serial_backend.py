"""The serial arm of a driver configuration."""

from __future__ import annotations

from dofbot_ros.arm.calibration import Calibration
from dofbot_ros.core.clock import Clock
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.hardware.port.search import ListPorts, OpenPort, serial_ports
from dofbot_ros.hardware.port.serial_port import SerialPort
from dofbot_ros.hardware.serial_arm import SerialArm
from dofbot_ros.hardware.streamer import StreamConfig
from dofbot_ros.hardware.wire.wire_time import check_rates


def serial_backend(
    config: DriverConfig,
    calibration: Calibration,
    clock: Clock | None = None,
    *,
    open_port: OpenPort = SerialPort,
    ports: ListPorts = serial_ports,
) -> SerialArm:
    """The arm on `config.port`, not connected yet.

    Args:
        config: of the driver.
        calibration: of the arm.
        clock: stamps and paces; the machine's steady clock when None.
        open_port: opens a port, given its name, baudrate and read timeout [s].
        ports: lists the ports of this machine.

    Raises:
        ConfigError: rates that the bus cannot carry.
    """
    check_rates(config.protocol, config.baudrate, config.control_rate_hz, config.write_rate_hz)
    return SerialArm(
        config.port,
        config.protocol,
        config.baudrate,
        calibration,
        clock,
        stream=StreamConfig(write_rate_hz=config.write_rate_hz, dead_band_ticks=config.dead_band_ticks),
        sync_write=config.sync_write,
        max_velocity=config.velocity,
        open_port=open_port,
        ports=ports,
    )
