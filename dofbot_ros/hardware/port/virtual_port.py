"""Serial ports in virtual time: the same bytes as on a pty, as fast as the machine computes, the same every time."""

from __future__ import annotations

import errno
import math

from dofbot_ros.core.clock import EventClock
from dofbot_ros.errors import PortError
from dofbot_ros.hardware.port.search import PortIdentity
from dofbot_ros.hardware.port.servo_line import ServoLine

STEP_S = 0.005
"""How often servos that nobody asks move on."""


class VirtualPorts:
    """The machine's port names, one of which leads to a servo line while its cable is in.

    `open` fits SerialArm's `open_port`. A reader waits on the clock, so everything that is due meanwhile happens first.

    Args:
        line: the servos' line.
        clock: moves the servos on from now on.
        name: of the port.
    """

    def __init__(self, line: ServoLine, clock: EventClock, name: str = "/dev/ttyUSB0") -> None:
        self.line = line
        self.clock = clock
        self.name: str | None = name
        """Under which the cable is in; None while it is out."""
        self.taken = False
        """Whether another program has the port: it cannot be opened."""
        self._home = name
        self._plugs = 0
        self._open: VirtualPort | None = None
        self._tick()

    def open(self, port: str, baudrate: int, read_timeout_s: float) -> VirtualPort:
        """Open the port as serial_port.SerialPort does.

        Raises:
            PortError: no such port, or in use.
        """
        if port != self.name:
            raise PortError(f"no serial port {port}; there are: {self.name or 'none'}", port)
        if self.taken or (self._open is not None and not self._open.closed):
            raise PortError(f"{port} is in use by another program: only one may talk to the arm", port)
        self._open = VirtualPort(self, port, baudrate, read_timeout_s)
        return self._open

    def available(self) -> list[str]:
        """Serial ports that the machine shows."""
        return [] if self.name is None else [self.name]

    def listed(self) -> list[PortIdentity]:
        """The ports as USB tells of them: one adapter without a serial number, as the CH340 has none."""
        return [PortIdentity(name, vid=0x1A86, pid=0x7523, location="1-1") for name in self.available()]

    def unplug(self) -> None:
        """Pull the cable; the servos stay powered and hold."""
        self.name = None
        self._plugs += 1
        self.line.forget()

    def plug_in(self, name: str | None = None) -> None:
        """Put the cable back, under `name` or the one it had at first."""
        self.name = name or self._home
        self._plugs += 1

    @property
    def plugs(self) -> int:
        """How often the cable was moved: a port that was open before that is dead for good."""
        return self._plugs

    def _tick(self) -> None:
        self.line.step(self.clock.now())
        self.clock.at(self.clock.now() + STEP_S, self._tick)


class VirtualPort:
    """A serial_port.ByteStream over a servo line on a virtual clock; made by VirtualPorts.open()."""

    def __init__(self, ports: VirtualPorts, name: str, baudrate: int, read_timeout_s: float) -> None:
        self._ports, self._line, self._clock = ports, ports.line, ports.clock
        self._name = name
        self._right_speed = baudrate == self._line.baudrate
        self._read_timeout_s = read_timeout_s
        self._plugs = ports.plugs
        self._input = bytearray()
        self.closed = False
        self._line.take(self._clock.now())  # what came before nobody has heard

    def read(self, size: int) -> bytes:
        """Up to `size` bytes: fewer when the read timeout runs out first."""
        deadline_s = self._clock.now() + self._read_timeout_s
        self._listen()
        while len(self._input) < size and self._clock.now() < deadline_s:
            # The next float after a time that is due, so that the clock never stands just before it.
            self._clock.sleep_until(min(math.nextafter(self._line.due_s, math.inf), deadline_s))
            self._listen()
        data = bytes(self._input[:size])
        del self._input[:size]
        return data

    def write(self, data: bytes) -> None:
        """Hand over all of `data`; as with a real port this takes no time, the line's own begins."""
        self._check()
        if self._right_speed:
            self._line.hear(data, self._clock.now())

    def discard_input(self) -> None:
        """Forget what has come in and was not read."""
        self._listen()
        self._input.clear()

    def close(self) -> None:
        """Let go of the port; may be called twice."""
        self.closed = True

    def _listen(self) -> None:
        self._check()
        data = self._line.take(self._clock.now())
        if self._right_speed:
            self._input += data

    def _check(self) -> None:
        if self.closed or self._plugs != self._ports.plugs:
            why = "closed" if self.closed else f"[Errno {errno.EIO}] Input/output error"
            raise PortError(f"{self._name} is gone ({why}): is the cable in?", self._name)
