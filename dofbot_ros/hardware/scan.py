"""Who is on the servo bus: ids, ids that two servos share, health, and the speed at which they answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dofbot_ros.errors import BusError, FrameError, InputError, NoReplyError
from dofbot_ros.hardware.port.search import OpenPort
from dofbot_ros.hardware.port.serial_port import ByteStream, SerialPort
from dofbot_ros.hardware.servo_bus import ServoBus
from dofbot_ros.hardware.wire import bus as protocol_bus
from dofbot_ros.hardware.wire.protocol import BusProtocol, Query, SeProtocol

SPEEDS = (115200, 1000000, 500000, 250000, 57600, 38400, 19200, 9600)
"""Tried in this order [1/s]; the servos leave the factory with the first."""
ALL_IDS = range(1, protocol_bus.MAX_ID + 1)
BOARD_IDS = range(1, 7)
"""Those that the DOFBOT-SE's board can ask."""
TRIES = 4
ID_SAVED_S = 0.1
"""What a servo may take to store a new id [s]; it is asked again within this time."""


@dataclass(frozen=True)
class FoundServo:
    """One address that answers. None: not told.

    Attributes:
        id: on the bus.
        ticks: its position.
        temperature_c: [deg C].
        current_ma: that the motor draws [mA].
        torque: whether its torque is on.
        faults: what its status byte complains of: voltage, temperature, overload.
        shared: its answers collide: two servos have this id, or the line is bad.
    """

    id: int
    ticks: int | None = None
    temperature_c: int | None = None
    current_ma: int | None = None
    torque: bool | None = None
    faults: tuple[str, ...] = ()
    shared: bool = False


def scan_bus(
    stream: ByteStream, ids: Iterable[int] = ALL_IDS, asked: Callable[[], object] = lambda: None
) -> list[FoundServo]:
    """Ask every id; nothing moves, nothing is written.

    Two servos of one id answer at once. Where they say the same (a ping) nothing is noticed; where they differ, above
    all in their position, no answer is a frame.

    Args:
        stream: an open line straight to the servos.
        ids: to ask.
        asked: called after each.

    Raises:
        PortError: the port is gone.
    """
    found = []
    for servo in ids:
        if _is_there(stream, servo):
            found.append(_look_at(stream, servo))
        asked()
    return found


def scan_board(stream: ByteStream) -> list[FoundServo]:
    """Ask the DOFBOT-SE's board for its six servos; it tells positions alone.

    Raises:
        PortError: the port is gone.
    """
    bus, speaks = ServoBus(stream, retries=1), SeProtocol()
    answers = [(servo, bus.ask(speaks.position(servo))) for servo in BOARD_IDS]
    return [FoundServo(servo, answer.ticks) for servo, answer in answers if answer is not None]


def speed_of(port: str, open_port: OpenPort = SerialPort, speeds: Sequence[int] = SPEEDS) -> int | None:
    """The first of `speeds` [1/s] at which a servo of an arm answers; None where none does.

    Raises:
        PortError: the port cannot be opened.
    """
    for speed in speeds:
        stream = open_port(port, speed, BusProtocol.reply_timeout_s)
        try:
            if scan_bus(stream, BOARD_IDS):
                return speed
        finally:
            stream.close()
    return None


def set_id(stream: ByteStream, old: int, new: int) -> None:
    """Give the servo `old` the id `new`, and see that it answers to it.

    Raises:
        InputError: an id that no servo can have, or that another servo has.
        BusError: two servos share `old`: both would be renamed.
        NoReplyError: nobody answers, before or afterwards.
        PortError: the port is gone.
    """
    if not (old in ALL_IDS and new in ALL_IDS):
        raise InputError(f"a servo's id is 1 to {protocol_bus.MAX_ID}: {new if old in ALL_IDS else old} is none")
    if not _is_there(stream, old):
        raise NoReplyError(f"no servo answers to the id {old}: `dofbot servos scan` tells which do", [old])
    if _is_there(stream, new):
        raise InputError(f"a servo with the id {new} is there already: unplug it first, or choose another id")
    if _look_at(stream, old).shared:
        raise BusError(f"two servos have the id {old}, and both would be renamed: unplug one of them first")
    bus = ServoBus(stream, retries=0)
    bus.say(protocol_bus.write_id(old, new))
    for _ in range(round(ID_SAVED_S / BusProtocol.reply_timeout_s)):
        if _pinged(stream, new):
            break
    else:
        raise NoReplyError(f"servo {old} did not take the id {new}: it answers to neither of them for sure", [old, new])
    if _is_there(stream, old):
        raise BusError(f"the ids {old} and {new} both answer now: two servos had the id {old}; scan again")


def _is_there(stream: ByteStream, servo: int) -> bool:
    """Whether anybody answers to an id, however garbled."""
    if _pinged(stream, servo):
        return True
    stream.discard_input()
    frame = protocol_bus.ping(servo)
    stream.write(frame)
    heard = stream.read(2 * len(frame) + protocol_bus.SERVO.min_size)
    # A one-wire adapter hears the question itself; noise of a byte or two is nobody's answer.
    return len(heard.replace(frame, b"")) >= protocol_bus.SERVO.min_size - 1


def _pinged(stream: ByteStream, servo: int) -> bool:
    def parse(frame: bytes) -> bool | None:
        return True if protocol_bus.decode_reply(frame).servo == servo else None

    query = Query(protocol_bus.ping(servo), protocol_bus.SERVO, protocol_bus.SERVO.min_size, parse)
    return ServoBus(stream, retries=1).ask(query) is not None


def _look_at(stream: ByteStream, servo: int) -> FoundServo:
    speaks, bus = BusProtocol(), ServoBus(stream, retries=TRIES - 1)
    try:
        position = bus.ask(speaks.position(servo))
        temperature, current = bus.ask(speaks.temperature(servo)), bus.ask(speaks.current(servo))
        torque, goal = bus.ask(speaks.torque_state(servo)), bus.ask(speaks.goal(servo))
    except FrameError:
        return FoundServo(servo, shared=True)
    status = position.status if position is not None else 0
    bits = (
        (protocol_bus.VOLTAGE_BIT, "voltage"),
        (protocol_bus.TEMPERATURE_BIT, "temperature"),
        (protocol_bus.OVERLOAD_BIT, "overload"),
    )
    return FoundServo(
        servo,
        None if position is None else position.ticks,
        temperature,
        current,
        torque,
        tuple(name for bit, name in bits if status & bit),
        shared=None in (position, temperature, current, torque, goal),
    )
