"""Finds the arm's serial port by what it is and who answers there: a cable that is replugged may get another name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from serial.tools import list_ports

from dofbot_ros.errors import PortError
from dofbot_ros.hardware.port.serial_port import ByteStream, SerialPort
from dofbot_ros.hardware.servo_bus import ServoBus
from dofbot_ros.hardware.wire.protocol import ProtocolName, host_protocol

AUTO = "auto"
"""Name of a port that is to be searched."""

ASKED = (1, 2)
"""Servos that are asked whether an arm is there: two, as one may have lost its plug."""


@dataclass(frozen=True)
class PortIdentity:
    """A serial port by name, and what USB tells about the device behind it.

    Attributes:
        device: path, for instance /dev/ttyUSB0.
        vid, pid: vendor and product of the adapter; None where it is not on USB.
        serial_number: of the adapter; "" where it has none, as the CH340 of the DOFBOT-SE.
        location: where it is plugged in, as bus and chain of ports: "1-1.2"; "" where it is not on USB.
    """

    device: str
    vid: int | None = None
    pid: int | None = None
    serial_number: str = ""
    location: str = ""

    @property
    def usb(self) -> bool:
        """Whether it is plugged in, and may come back under another name."""
        return self.vid is not None

    def may_be(self, other: PortIdentity) -> bool:
        """Whether USB tells no difference between the two devices; where they are plugged in does not count."""
        mine, its = ((p.vid, p.pid, p.serial_number) for p in (self, other))
        return mine == its


ListPorts = Callable[[], Iterable[PortIdentity]]
OpenPort = Callable[[str, int, float], ByteStream]
"""Path, baudrate [1/s], read timeout [s] -> open stream; raises PortError."""


def serial_ports() -> list[PortIdentity]:
    """The serial ports that this machine shows now, by name."""
    return sorted(
        (PortIdentity(p.device, p.vid, p.pid, p.serial_number or "", p.location or "") for p in list_ports.comports()),
        key=lambda port: port.device,
    )


def identify(name: str, ports: ListPorts = serial_ports) -> PortIdentity:
    """What can be remembered of a port, to find it again after it was lost.

    Args:
        name: as configured: a device or a link to one (/dev/serial/by-id/..., /dev/myserial).
        ports: lists the ports.

    Returns:
        The port's identity under the name of its device; the bare name where the machine does not list it (a pty).
    """
    device = os.path.realpath(name)
    return next((port for port in ports() if port.device == device), PortIdentity(device))


def find_port(lost: PortIdentity, answers: Callable[[str], bool], ports: ListPorts = serial_ports) -> str | None:
    """Where the device that was `lost` is now.

    A device with a serial number is the same wherever it is found; nobody needs to answer. Without one (CH340) the
    ports whose adapter looks alike are asked. An adapter with another serial number, or of another make, is another
    device, and maybe another arm's: that is for a person to say, by naming the port.

    Args:
        lost: what identify() told while it was there.
        answers: whether an arm answers on a path; see arm_answers().
        ports: lists the ports.

    Returns:
        Path; None while it is not there.

    Raises:
        PortError: several look alike and answer.
    """
    if not lost.usb:
        return lost.device if os.path.exists(lost.device) else None
    alike = [port for port in ports() if port.may_be(lost)]
    if lost.serial_number and len(alike) == 1:
        return alike[0].device
    return _only_one([port.device for port in alike if answers(port.device)])


def search_port(answers: Callable[[str], bool], ports: ListPorts = serial_ports) -> str:
    """The one port on which an arm answers, for `port: auto`. Ports on USB are asked first, the others if none does.

    Args:
        answers: whether an arm answers on a path; see arm_answers().
        ports: lists the ports.

    Raises:
        PortError: none answers, or several do.
    """
    there = list(ports())
    for plugged in (True, False):
        found = _only_one([port.device for port in there if port.usb is plugged and answers(port.device)])
        if found is not None:
            return found
    names = ", ".join(port.device for port in there) or "none"
    raise PortError(
        f"port {AUTO}: no arm answers on any serial port; there are: {names}. Is the servo power on, "
        "the cable in, the protocol right (bus or se)?",
        AUTO,
    )


def arm_answers(port: str, protocol: ProtocolName, baudrate: int = 115200, open_port: OpenPort = SerialPort) -> bool:
    """Whether a servo of an arm answers on `port`. It is asked for its position, which moves nothing.

    The port is closed again.

    Args:
        port: path.
        protocol: "bus" or "se".
        baudrate: [1/s].
        open_port: opens it; a port that cannot be opened, as one that another program has, does not answer.
    """
    speaks = host_protocol(protocol)
    try:
        stream = open_port(port, baudrate, speaks.reply_timeout_s)
    except PortError:
        return False
    try:
        bus = ServoBus(stream, retries=1)
        return any(bus.ask(speaks.position(servo)) is not None for servo in ASKED)
    except PortError:
        return False
    finally:
        stream.close()


class PortFinder:
    """Opens the port of one arm, wherever its cable is now.

    Args:
        name: as configured: a device, a link to one, or AUTO.
        protocol: "bus" or "se".
        baudrate: [1/s].
        ports: lists the ports.
        open_port: opens one.
    """

    def __init__(
        self,
        name: str,
        protocol: ProtocolName,
        baudrate: int,
        *,
        ports: ListPorts = serial_ports,
        open_port: OpenPort = SerialPort,
    ) -> None:
        self._name, self._protocol, self._baudrate = name, protocol, baudrate
        self._ports, self._open_port = ports, open_port
        self._known: PortIdentity | None = None
        self._at = name

    def open(self, read_timeout_s: float) -> ByteStream:
        """The open port; found() keeps what it is once an arm has answered there.

        Raises:
            PortError: no such port, no permission, in use, not found, or several that it could be.
        """
        self._at = self._find()
        return self._open_port(self._at, self._baudrate, read_timeout_s)

    @property
    def device(self) -> str:
        """The device that was opened last, links followed."""
        return os.path.realpath(self._at)

    def found(self) -> None:
        """An arm answers on the port that was opened last: this is the device to look for from now on."""
        self._known = identify(self._at, self._ports)

    def _find(self) -> str:
        if self._known is not None and self._known.usb:
            where = find_port(self._known, self._answers, self._ports)
            if where is not None:
                return where
        return search_port(self._answers, self._ports) if self._name == AUTO else self._name

    def _answers(self, port: str) -> bool:
        return arm_answers(port, self._protocol, self._baudrate, self._open_port)


def _only_one(found: list[str]) -> str | None:
    """Raises PortError where there are several: which one is meant is not ours to guess."""
    if len(found) > 1:
        raise PortError(f"arms answer on {' and '.join(found)}: name the port of the one that is meant", found[0])
    return found[0] if found else None
