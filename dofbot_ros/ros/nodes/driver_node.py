"""`driver_node`: the arm's ROS interface over a serial port, real or emulated."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import replace

from dofbot_ros.arm.calibration import calibration_of
from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.core.realtime import before_ordinary_programs, realtime
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.driver.daemon import ArmDaemon
from dofbot_ros.driver.first_time import permitted
from dofbot_ros.driver.serial_backend import serial_backend
from dofbot_ros.ros.arm.interface import ArmInterface
from dofbot_ros.ros.conversions.stamps import Stamps
from dofbot_ros.ros.runtime.lean_node import LeanNode
from dofbot_ros.ros.runtime.parameters import declare
from dofbot_ros.ros.runtime.process import ARM_THREADS, ShutdownSignal, run


class DriverNode:
    """Owns the port; the arm may be plugged in, out and in again while the node runs."""

    def __init__(self, lifeline: ShutdownSignal) -> None:
        self.node = LeanNode("driver_node")
        asked = declare(self.node, DriverConfig)
        calibration = calibration_of(asked.calibration_file)
        config, _ = permitted(asked, calibration)
        clock = MonotonicClock()
        backend = serial_backend(config, calibration, clock)

        def speed() -> float:
            """Told by what answers: where a port has no emulated servos yet, it may be a real arm's."""
            allowed, slower = permitted(replace(asked, port=backend.device), calibration)
            if slower:
                self.node.get_logger().warning(slower)
            return allowed.speed

        daemon = ArmDaemon(backend, config, Robot.calibrated(calibration), speed=speed)
        scheduling = realtime if config.realtime else nullcontext
        if config.realtime:
            before_ordinary_programs()
        self._interface = ArmInterface(self.node, daemon, Stamps(clock), lifeline, scheduling=scheduling)
        self._interface.start()

    def close(self) -> None:
        """Bring the arm to rest as on_exit says and let go of the port."""
        self._interface.close()


def main() -> None:
    """Run the node."""
    sys.exit(run(DriverNode, threads=ARM_THREADS, pictures=False))


if __name__ == "__main__":
    main()
