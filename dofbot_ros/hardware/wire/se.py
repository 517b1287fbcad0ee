"""The USB board of the DOFBOT-SE: `FF FC` from the host, `FF FB` from the board, as pure functions on bytes.

The board relays to the servos; it answers what is read, and acknowledges no write. Taken from the vendor's library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dofbot_ros.errors import FrameError
from dofbot_ros.hardware.wire.bus import goal_bytes
from dofbot_ros.hardware.wire.framing import Framing

HOST = Framing(b"\xff\xfc", length_at=2, overhead=2, inverted_sum=False, min_size=5, max_size=32)
BOARD = Framing(b"\xff\xfb", length_at=2, overhead=2, inverted_sum=False, min_size=5, max_size=32)

N_SERVOS = 6
VERSION, BEEP, RGB = 0x01, 0x06, 0x02
MOVE_ONE, TORQUE, MOVE_ALL, READ_ONE = 0x10, 0x1A, 0x1D, 0x30
"""MOVE_ONE and READ_ONE have the servo's id added to them."""
POSITION_REPLY = 0x0A


@dataclass(frozen=True)
class Message:
    """A function code and what goes with it, in either direction."""

    function: int
    payload: bytes = b""


def encode(message: Message, framing: Framing = HOST) -> bytes:
    """The frame of a message.

    Raises:
        FrameError: too much for a frame.
    """
    if len(message.payload) + framing.min_size > framing.max_size:
        room = framing.max_size - framing.min_size
        raise FrameError(f"{len(message.payload)} bytes do not fit a frame: at most {room}")
    return framing.seal(bytes([len(message.payload) + 3, message.function]) + message.payload)


def decode(frame: bytes, framing: Framing = BOARD) -> Message:
    """The message in a frame.

    Raises:
        FrameError: `frame` is not exactly one valid frame of this direction.
    """
    body = framing.body(frame)
    return Message(body[1], body[2:])


def write_goal(servo: int, ticks: int, time_ms: int) -> bytes:
    """Send one servo to `ticks` in `time_ms` (0: as fast as it can)."""
    return encode(Message(MOVE_ONE + _checked(servo), goal_bytes(ticks, time_ms)))


def write_goals(ticks: Sequence[int], time_ms: int) -> bytes:
    """Send all six servos to `ticks`, in id order, in one common time.

    Raises:
        FrameError: not six goals, or values that the servos have no room for.
    """
    if len(ticks) != N_SERVOS:
        raise FrameError(f"the board moves {N_SERVOS} servos at a time, got {len(ticks)} goals")
    goals = b"".join(goal_bytes(t, time_ms)[:2] for t in ticks)
    return encode(Message(MOVE_ALL, goals + goal_bytes(0, time_ms)[2:]))


def read_position(servo: int) -> bytes:
    """Ask for a position."""
    return encode(Message(READ_ONE + _checked(servo)))


def position_reply(servo: int, ticks: int) -> bytes:
    """What the board answers: `ticks` is 0 where it could not read the servo itself."""
    return encode(Message(POSITION_REPLY, goal_bytes(ticks, 0)[:2] + bytes([READ_ONE + _checked(servo)])), BOARD)


def decode_position(frame: bytes) -> tuple[int, int]:
    """Servo id and ticks of a position reply.

    Raises:
        FrameError: `frame` is no position reply.
    """
    message = decode(frame)
    payload = message.payload
    if message.function != POSITION_REPLY or len(payload) != 3 or not 1 <= payload[2] - READ_ONE <= N_SERVOS:
        raise FrameError(f"{frame.hex(' ')} is no position reply")
    return payload[2] - READ_ONE, int.from_bytes(payload[:2], "big")


def write_torque(enabled: bool) -> bytes:
    """Turn the torque of all servos."""
    return encode(Message(TORQUE, bytes([int(enabled)])))


def _checked(servo: int) -> int:
    if not 1 <= servo <= N_SERVOS:
        raise FrameError(f"servo id {servo} is not in 1..{N_SERVOS}")
    return servo
