"""`driver_node`: the arm's ROS interface over a serial port, real or emulated."""

from __future__ import annotations

import sys

from rclpy.node import Node

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, load_calibration
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.core.realtime import realtime
from dofbot_ros.hardware.serial_arm import SerialArm
from dofbot_ros.hardware.streamer import StreamConfig
from dofbot_ros.nodes.arm_interface import ArmInterface
from dofbot_ros.nodes.parameters import declare
from dofbot_ros.nodes.runtime import Lifeline, run
from dofbot_ros.nodes.stamps import Stamps
from dofbot_ros.service.config import DriverConfig
from dofbot_ros.service.daemon import ArmDaemon


class DriverNode:
    """Owns the port; the arm may be plugged in, out and in again while the node runs."""

    def __init__(self, lifeline: Lifeline) -> None:
        self.node = Node("driver_node")
        config = declare(self.node, DriverConfig)
        calibration = load_calibration(config.calibration_file) if config.calibration_file else DEFAULT_CALIBRATION
        kinematics = Kinematics(base_height=calibration.base_height_m)
        clock = MonotonicClock()
        backend = SerialArm(
            config.port,
            protocol=config.protocol,
            baudrate=config.baudrate,
            calibration=calibration,
            clock=clock,
            stream=StreamConfig(write_rate_hz=config.write_rate_hz, dead_band_ticks=config.dead_band_ticks),
            sync_write=config.sync_write,
        )
        daemon = ArmDaemon(backend, config, kinematics)
        self._interface = ArmInterface(self.node, daemon, Stamps(clock), lifeline, scheduling=realtime)
        self._interface.start()

    def close(self) -> None:
        """Bring the arm to rest as on_exit says and let go of the port."""
        self._interface.close()


def main() -> None:
    """Run the node."""
    sys.exit(run(DriverNode))


if __name__ == "__main__":
    main()
