"""Six emulated servos on a virtual line with an arm that drives them: no time passes but the clock's."""

from __future__ import annotations

from dofbot_ros.core.clock import EventClock
from dofbot_ros.hardware.emulation.faults import FaultPlan
from dofbot_ros.hardware.emulation.servos import ModelServos
from dofbot_ros.hardware.port.servo_line import ServoLine
from dofbot_ros.hardware.port.virtual_port import VirtualPorts
from dofbot_ros.hardware.serial_arm import SerialArm
from dofbot_ros.hardware.wire.protocol import ProtocolName

PORT = "/dev/ttyUSB0"


class Wire:
    """Six servos on a virtual line, and an arm that speaks `host` to their `protocol`."""

    def __init__(self, protocol: ProtocolName = "bus", host: ProtocolName = "bus", **faults: object) -> None:
        self.clock = EventClock(100.0)
        self.servos = ModelServos(now=self.clock.now())
        self.faults = FaultPlan(**faults)  # type: ignore[arg-type]
        self.line = ServoLine(self.servos, protocol, faults=self.faults, now=self.clock.now())
        self.ports = VirtualPorts(self.line, self.clock, PORT)
        self.arm = SerialArm(PORT, host, clock=self.clock, open_port=self.ports.open)
