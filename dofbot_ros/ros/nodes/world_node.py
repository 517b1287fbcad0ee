"""`world_node`: the rehearsal's far end of the wire: a simulated arm that obeys bytes on an emulated servo bus."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from dofbot_ros.arm.calibration import calibration_of
from dofbot_ros.config.ranges import parameter
from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.realtime import before_ordinary_programs
from dofbot_ros.desks.config import OWN
from dofbot_ros.errors import ConfigError
from dofbot_ros.hardware.emulation.emulator import Emulator
from dofbot_ros.hardware.emulation.faults import parse_faults
from dofbot_ros.ros.arm.diagnostics import DiagnosticsTopic
from dofbot_ros.ros.arm.sim_world import WorldParameters, WorldTopics, make_installation
from dofbot_ros.ros.conversions.stamps import Stamps
from dofbot_ros.ros.runtime.lean_node import LeanNode
from dofbot_ros.ros.runtime.parameters import declare
from dofbot_ros.ros.runtime.process import ShutdownSignal, run
from dofbot_ros.sim.servos import WorldServos
from dofbot_ros.sim.world import World

DIAGNOSTICS_PERIOD_S = 1.0
UPDATE_HZ = 50.0
"""How often is looked for finished pictures [1/s]."""


@dataclass(frozen=True)
class BusParameters:
    """How the emulated bus looks from outside."""

    port_link: str = parameter("/tmp/dofbot_servo_bus", "Link to the pseudo serial port, for driver_node's port.")
    protocol: Literal["bus", "se"] = parameter(
        "bus", "bus: FF FF frames straight to the servos; se: DOFBOT-SE USB board."
    )
    calibration_file: str = parameter(
        "",
        "Calibration of the simulated arm on the own desk (YAML); empty: the vendor's nominal values. On another desk "
        "its true calibration is drawn.",
    )
    faults: str = parameter("", "What goes wrong on the bus, for instance: drop=0.001 corrupt=0.001.")


class WorldNode:
    """Owns the world and the emulator; real time only, as bytes on a wire are."""

    def __init__(self, lifeline: ShutdownSignal) -> None:
        self.node = LeanNode("world_node")
        bus = declare(self.node, BusParameters)
        parameters = declare(self.node, WorldParameters)
        installation = make_installation(parameters)
        own = installation.label == OWN
        calibration = calibration_of(bus.calibration_file) if own else installation.calibration
        self._lifeline = lifeline
        self._clock = MonotonicClock()
        self._world = World(installation.world, parameters.scene_seed)
        self._topics = WorldTopics(self.node, self._world, installation, parameters, Stamps(self._clock))
        self._diagnostics = DiagnosticsTopic(self.node)
        self._timer = self.node.create_timer(DIAGNOSTICS_PERIOD_S, self._tell)
        self._rate = Rate(self._clock, UPDATE_HZ)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._show, name="camera")
        faults = parse_faults(bus.faults.split(), np.random.default_rng(parameters.scene_seed))
        if faults.servos:
            raise ConfigError(f"faults {bus.faults!r}: only the line can fail here; see `dofbot emulate`")
        servos = WorldServos(self._world, calibration, installation.servos)
        self._emulator = Emulator(servos, bus.protocol, faults=faults.line, link=Path(bus.port_link), first=True)
        # Real servos wait for no computer. The camera's process, which has been started, stays an ordinary one.
        before_ordinary_programs()
        self._emulator.start()
        self._thread.start()
        self.node.get_logger().info(f"servo bus at {bus.port_link}")

    def _show(self) -> None:
        try:
            while not self._stop.is_set():
                self._topics.update(self._clock.now())
                self._rate.wait()
        except BaseException as error:
            self._lifeline.fail(error)

    def _tell(self) -> None:
        """Which camera it is."""
        entry = self._topics.camera_status(self._diagnostics.prefix)
        self._diagnostics.publish(Stamps(self._clock).to_ros(self._clock.now()), [entry])

    def close(self) -> None:
        """Unplug and let go of the world."""
        self._stop.set()
        self._thread.join()
        self._topics.close()
        self._emulator.close()
        self._world.close()


def main() -> None:
    """Run the node."""
    sys.exit(run(WorldNode))


if __name__ == "__main__":
    main()
