"""The servo bus: `FF FF` from the host, `FF F5` from a servo (maker protocol v4.01), as pure functions on bytes.

Numbers on the wire are big-endian. A write is not answered; a read and a ping are, unless sent to all.

A reply does not say what was asked. One that comes late must not be taken for the answer to the next question, a
current for a position: each kind of question asks for a number of bytes that no other asks for, or for other values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dofbot_ros.errors import FrameError
from dofbot_ros.hardware.wire.framing import Framing

HOST = Framing(b"\xff\xff", length_at=3, overhead=4, inverted_sum=True, min_size=6, max_size=64)
SERVO = Framing(b"\xff\xf5", length_at=3, overhead=4, inverted_sum=True, min_size=6, max_size=64)

BROADCAST = 0xFE
MAX_ID = 250
MAX_TICKS = 4095
MAX_TIME_MS = 0xFFFF

PING, READ, WRITE, REG_WRITE, ACTION, SYNC_WRITE = 0x01, 0x02, 0x03, 0x04, 0x05, 0x83
ID_ADDRESS = 0x05
TORQUE_ADDRESS, GOAL_ADDRESS, TIME_ADDRESS, CURRENT_ADDRESS = 0x28, 0x2A, 0x2C, 0x2E
POSITION_ADDRESS, TEMPERATURE_ADDRESS = 0x38, 0x3F
VOLTAGE_BIT, TEMPERATURE_BIT, OVERLOAD_BIT = 0x01, 0x04, 0x20


class Request(NamedTuple):
    """What the host says: `servo` is an id or BROADCAST."""

    servo: int
    instruction: int
    parameters: bytes = b""


class Reply(NamedTuple):
    """What a servo answers; `status` holds VOLTAGE_BIT, TEMPERATURE_BIT, OVERLOAD_BIT, and 0 when it is well."""

    servo: int
    status: int
    data: bytes = b""


def encode_request(request: Request) -> bytes:
    """The frame of a request.

    Raises:
        FrameError: no such id, or too many parameters for a frame.
    """
    if not (1 <= request.servo <= MAX_ID or request.servo == BROADCAST):
        raise FrameError(f"servo id {request.servo} is neither in 1..{MAX_ID} nor {BROADCAST} (all)")
    return _seal(HOST, request.servo, request.instruction, request.parameters)


def decode_request(frame: bytes) -> Request:
    """The request in a frame.

    Raises:
        FrameError: `frame` is not exactly one valid frame from a host.
    """
    body = HOST.body(frame)
    return Request(body[0], body[2], body[3:])


def encode_reply(reply: Reply) -> bytes:
    """The frame of a reply.

    Raises:
        FrameError: no such id, or too much data for a frame.
    """
    if not 1 <= reply.servo <= MAX_ID:
        raise FrameError(f"servo id {reply.servo} is not in 1..{MAX_ID}")
    return _seal(SERVO, reply.servo, reply.status, reply.data)


def decode_reply(frame: bytes) -> Reply:
    """The reply in a frame.

    Raises:
        FrameError: `frame` is not exactly one valid frame from a servo.
    """
    body = SERVO.body(frame)
    return Reply(body[0], body[2], body[3:])


def ping(servo: int) -> bytes:
    """Ask whether `servo` is there."""
    return encode_request(Request(servo, PING))


def read(servo: int, address: int, count: int) -> bytes:
    """Ask `servo` for `count` bytes from `address`; its reply is `count` + 6 bytes long."""
    return encode_request(Request(servo, READ, bytes([address, count])))


def read_position(servo: int) -> bytes:
    """Ask for the position [ticks]."""
    return read(servo, POSITION_ADDRESS, 2)


def read_current(servo: int) -> bytes:
    """Ask for the current that the motor draws [mA] (two bytes), and the register after it."""
    return read(servo, CURRENT_ADDRESS, 3)


def read_goal(servo: int) -> bytes:
    """Ask for the goal that was written last [ticks], and its time [ms], two bytes each."""
    return read(servo, GOAL_ADDRESS, 4)


def read_temperature(servo: int) -> bytes:
    """Ask for the temperature [deg C] (one byte)."""
    return read(servo, TEMPERATURE_ADDRESS, 1)


def read_torque(servo: int) -> bytes:
    """Ask whether the torque is on: 0 or 1 (one byte)."""
    return read(servo, TORQUE_ADDRESS, 1)


def write_goal(servo: int, ticks: int, time_ms: int) -> bytes:
    """Send `servo`, or all with BROADCAST, to `ticks` in `time_ms` (0: as fast as it can)."""
    return encode_request(Request(servo, WRITE, bytes([GOAL_ADDRESS]) + goal_bytes(ticks, time_ms)))


def write_id(servo: int, new: int) -> bytes:
    """Give `servo` another id, which it keeps without power.

    Raises:
        FrameError: not one servo, or an id that none can have.
    """
    if not (1 <= servo <= MAX_ID and 1 <= new <= MAX_ID):
        raise FrameError(f"ids are 1 to {MAX_ID}, and one servo is renamed at a time: {servo} to {new} is not possible")
    return encode_request(Request(servo, WRITE, bytes([ID_ADDRESS, new])))


def write_torque(servo: int, enabled: bool) -> bytes:
    """Turn the torque of `servo`, or of all with BROADCAST."""
    return encode_request(Request(servo, WRITE, bytes([TORQUE_ADDRESS, int(enabled)])))


def sync_write_goals(goals: Mapping[int, tuple[int, int]]) -> bytes:
    """Send several servos to their goals in one frame: id -> (ticks, time in ms). Nobody answers."""
    blocks = b"".join(bytes([servo]) + goal_bytes(ticks, time_ms) for servo, (ticks, time_ms) in goals.items())
    return encode_request(Request(BROADCAST, SYNC_WRITE, bytes([GOAL_ADDRESS, 4]) + blocks))


def goal_bytes(ticks: int, time_ms: int) -> bytes:
    """Goal and time as they stand in registers 2A to 2D.

    Raises:
        FrameError: a value that the servo has no room for.
    """
    if not 0 <= ticks <= MAX_TICKS:
        raise FrameError(f"a goal of {ticks} ticks is not in 0..{MAX_TICKS}")
    if not 0 <= time_ms <= MAX_TIME_MS:
        raise FrameError(f"a move time of {time_ms} ms is not in 0..{MAX_TIME_MS}")
    return ticks.to_bytes(2, "big") + time_ms.to_bytes(2, "big")


def _seal(framing: Framing, servo: int, kind: int, payload: bytes) -> bytes:
    if len(payload) + framing.min_size > framing.max_size:
        raise FrameError(f"{len(payload)} bytes do not fit a frame: at most {framing.max_size - framing.min_size}")
    return framing.seal(bytes([servo, len(payload) + 2, kind]) + payload)
