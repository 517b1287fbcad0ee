"""What a serial arm needs of a wire protocol: questions with the reply they want, and goal and torque frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

from dofbot_ros.errors import FrameError, InputError, one_of
from dofbot_ros.hardware.wire import bus as protocol_bus
from dofbot_ros.hardware.wire import se as protocol_se
from dofbot_ros.hardware.wire.framing import Framing

ProtocolName = Literal["bus", "se"]
T = TypeVar("T")


@dataclass(frozen=True)
class Query(Generic[T]):
    """A frame that is answered.

    Attributes:
        frame: what to send.
        reply: how the answer is wrapped.
        reply_size: its length [bytes].
        parse: its value, or None for a valid frame that answers something else; a frame of that length that is not
            valid raises FrameError, or is None too.
    """

    frame: bytes
    reply: Framing
    reply_size: int
    parse: Callable[[bytes], T | None]


class PositionReply(NamedTuple):
    """A position [ticks] and, where the protocol tells, the status byte (see protocol_bus.Reply)."""

    ticks: int
    status: int = 0


class HostProtocol(Protocol):
    """One way to talk to the six servos. Frames that move or switch are not answered."""

    name: ProtocolName
    reply_timeout_s: float
    """How long a healthy arm takes at most to begin and finish an answer, USB adapter included [s]."""

    def position(self, servo: int) -> Query[PositionReply]:
        """Where is it?"""
        ...

    def temperature(self, servo: int) -> Query[int] | None:
        """How hot is it [deg C]? None: cannot be asked."""
        ...

    def torque_state(self, servo: int) -> Query[bool] | None:
        """Is its torque on? None: cannot be asked."""
        ...

    def current(self, servo: int) -> Query[int] | None:
        """How much current does it draw [mA]? None: cannot be asked."""
        ...

    def goal(self, servo: int) -> Query[int] | None:
        """Which goal has it been given last [ticks]? None: cannot be asked."""
        ...

    def goals(self, goals: Mapping[int, int], changed: frozenset[int], times_ms: Mapping[int, int]) -> list[bytes]:
        """Send the servos in `changed` to their goals (id -> ticks, all six given), each in its time (id -> ms)."""
        ...

    def torque(self, servos: tuple[int, ...], enabled: bool) -> list[bytes]:
        """Turn the torque of `servos`."""
        ...


class BusProtocol:
    """Straight to the servos.

    Args:
        sync_write: put all goals into one sync-write frame, so that the servos start together. Not every servo may know
            it (the maker's own example has a wrong checksum): try it before relying on it.
    """

    name: ProtocolName = "bus"
    reply_timeout_s = 0.015

    def __init__(self, sync_write: bool = False) -> None:
        self._sync_write = sync_write

    def position(self, servo: int) -> Query[PositionReply]:
        """Where is it?"""

        def parse(frame: bytes) -> PositionReply | None:
            reply = protocol_bus.decode_reply(frame)
            ticks = int.from_bytes(reply.data, "big")
            mine = reply.servo == servo and len(reply.data) == 2
            return PositionReply(ticks, reply.status) if mine and ticks <= protocol_bus.MAX_TICKS else None

        return _answered(protocol_bus.read_position(servo), 2, parse)

    def temperature(self, servo: int) -> Query[int]:
        """How hot is it [deg C]? 0 and 1 are no temperatures: the torque switch says these, in as many bytes."""
        number = _number_of(servo, 1)

        def parse(frame: bytes) -> int | None:
            value = number(frame)
            return None if value in (0, 1) else value

        return _answered(protocol_bus.read_temperature(servo), 1, parse)

    def current(self, servo: int) -> Query[int]:
        """How much current does it draw [mA]?"""
        return _answered(protocol_bus.read_current(servo), 3, _number_of(servo, 3))

    def goal(self, servo: int) -> Query[int]:
        """Which goal has it been given last [ticks]?"""
        return _answered(protocol_bus.read_goal(servo), 4, _number_of(servo, 4))

    def torque_state(self, servo: int) -> Query[bool]:
        """Is its torque on?"""
        number = _number_of(servo, 1)

        def parse(frame: bytes) -> bool | None:
            value = number(frame)
            return bool(value) if value in (0, 1) else None

        return _answered(protocol_bus.read_torque(servo), 1, parse)

    def goals(self, goals: Mapping[int, int], changed: frozenset[int], times_ms: Mapping[int, int]) -> list[bytes]:
        """Send the servos in `changed` to their goals."""
        chosen = {servo: (ticks, times_ms[servo]) for servo, ticks in goals.items() if servo in changed}
        if self._sync_write and len(chosen) > 1:
            return [protocol_bus.sync_write_goals(chosen)]
        return [protocol_bus.write_goal(servo, *goal) for servo, goal in chosen.items()]

    def torque(self, servos: tuple[int, ...], enabled: bool) -> list[bytes]:
        """Turn the torque of `servos`, one by one."""
        return [protocol_bus.write_torque(servo, enabled) for servo in servos]


class SeProtocol:
    """Through the DOFBOT-SE's USB board: no status, no temperature, one common time for all six servos."""

    name: ProtocolName = "se"
    reply_timeout_s = 0.12

    def position(self, servo: int) -> Query[PositionReply]:
        """Where is it? The board says 0 for a servo that it could not read: that is no answer."""

        def parse(frame: bytes) -> PositionReply | None:
            try:
                answered, ticks = protocol_se.decode_position(frame)
            except FrameError:
                return None
            return PositionReply(ticks) if answered == servo and 0 < ticks <= 4095 else None

        return Query(protocol_se.read_position(servo), protocol_se.BOARD, 8, parse)

    def temperature(self, servo: int) -> None:
        """The board does not tell."""

    def current(self, servo: int) -> None:
        """The board does not tell."""

    def goal(self, servo: int) -> None:
        """The board does not tell."""

    def torque_state(self, servo: int) -> None:
        """The board does not tell."""

    def goals(self, goals: Mapping[int, int], changed: frozenset[int], times_ms: Mapping[int, int]) -> list[bytes]:
        """All six in one frame, in the longest of their times; those not in `changed` have the goal they had."""
        if not changed:
            return []
        longest_ms = max(times_ms[servo] for servo in changed)
        return [protocol_se.write_goals([goals[servo] for servo in sorted(goals)], longest_ms)]

    def torque(self, servos: tuple[int, ...], enabled: bool) -> list[bytes]:  # noqa: ARG002 - the board knows only all
        """All servos; said twice, since nothing acknowledges it."""
        return [protocol_se.write_torque(enabled)] * 2


def host_protocol(name: str, sync_write: bool = False) -> HostProtocol:
    """The protocol called `name`.

    Raises:
        InputError: there is none of that name.
    """
    if name == "bus":
        return BusProtocol(sync_write)
    if name == "se":
        return SeProtocol()
    raise InputError(one_of("protocol", name, ("bus", "se")))


def _answered(request: bytes, count: int, parse: Callable[[bytes], T | None]) -> Query[T]:
    """A request that a servo answers with `count` bytes."""
    return Query(request, protocol_bus.SERVO, count + protocol_bus.SERVO.min_size, parse)


def _number_of(servo: int, count: int) -> Callable[[bytes], int | None]:
    """Parses an answer of `servo` with `count` bytes: the number in its first two bytes, or in its only one."""

    def parse(frame: bytes) -> int | None:
        reply = protocol_bus.decode_reply(frame)
        return int.from_bytes(reply.data[:2], "big") if reply.servo == servo and len(reply.data) == count else None

    return parse
