"""`sim_node`: the arm's ROS interface over the simulated arm, with the simulated table, blocks and camera."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, calibration_of
from dofbot_ros.arm.robot import Robot
from dofbot_ros.config.ranges import Checked, NotNegative, parameter
from dofbot_ros.desks.config import OWN
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.driver.daemon import ArmDaemon
from dofbot_ros.driver.first_time import permitted
from dofbot_ros.driver.snapshot import Snapshot
from dofbot_ros.ros.arm.interface import ArmInterface
from dofbot_ros.ros.arm.sim_world import WorldParameters, WorldTopics, make_installation
from dofbot_ros.ros.conversions.stamps import Stamps
from dofbot_ros.ros.runtime.lean_node import LeanNode
from dofbot_ros.ros.runtime.parameters import declare
from dofbot_ros.ros.runtime.process import ARM_THREADS, ShutdownSignal, run
from dofbot_ros.sim.arm import SimArm
from dofbot_ros.sim.clock import SimClock
from dofbot_ros.sim.world import World


@dataclass(frozen=True)
class PaceParameters(Checked):
    """How fast simulated time runs."""

    rtf: NotNegative = parameter(
        1.0, "Simulated seconds a second; 0: as fast as possible. Other than 1: time is on /clock."
    )


class SimNode:
    """Everything in one process: world, servos, daemon, interface, camera."""

    def __init__(self, lifeline: ShutdownSignal) -> None:
        self.node = LeanNode("sim_node")
        asked = declare(self.node, DriverConfig)
        config, _ = permitted(replace(asked, waive_check=True), DEFAULT_CALIBRATION)  # a simulated arm hurts nobody
        parameters = declare(self.node, WorldParameters)
        rtf = declare(self.node, PaceParameters).rtf
        calibration = calibration_of(config.calibration_file)
        installation = make_installation(parameters)
        self._world = World(installation.world, parameters.scene_seed)
        clock = SimClock(self._world, rtf)
        simulated = rtf != 1.0
        stamps = Stamps(clock, simulated)
        self._topics = WorldTopics(self.node, self._world, installation, parameters, stamps, publish_clock=simulated)
        truth = calibration if installation.label == OWN else installation.calibration
        backend = SimArm(self._world, clock, calibration, installation.servos, truth)
        daemon = ArmDaemon(backend, config, Robot.calibrated(calibration))

        def after_cycle(_: Snapshot) -> None:
            self._topics.update(clock.now())

        self._interface = ArmInterface(
            self.node, daemon, stamps, lifeline, after_cycle, beside=self._topics.camera_status
        )
        self._interface.start()

    def close(self) -> None:
        """Bring the arm to rest and let go of the world."""
        self._interface.close()
        self._topics.close()
        self._world.close()


def main() -> None:
    """Run the node."""
    sys.exit(run(SimNode, threads=ARM_THREADS))


if __name__ == "__main__":
    main()
