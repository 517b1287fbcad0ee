"""The far end of the wire: what servos, or the DOFBOT-SE's board, do with a request and what they answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import Protocol

from dofbot_ros.arm.backend import ServoHealth
from dofbot_ros.errors import FrameError
from dofbot_ros.hardware.emulation.faults import FaultPlan
from dofbot_ros.hardware.emulation.servos import ServoBank
from dofbot_ros.hardware.wire import bus as protocol_bus
from dofbot_ros.hardware.wire import se as protocol_se
from dofbot_ros.hardware.wire.framing import Framing
from dofbot_ros.hardware.wire.protocol import ProtocolName


class ServoSide(Protocol):
    """Takes the frames of one protocol's host."""

    framing: Framing
    """Of the host's frames."""

    def answer(self, frame: bytes, now: float, faults: FaultPlan) -> bytes | None:
        """Carry out one valid frame. Returns the reply, or None where there is none.

        Args:
            frame: one frame of `framing`.
            now: when its last byte came [s].
            faults: what is wrong with the servos.
        """
        ...


class BusServoSide:
    """Servos on the bus, each with its registers."""

    framing = protocol_bus.HOST

    def __init__(self, servos: ServoBank) -> None:
        self._servos = servos
        self._times: dict[int, bytes] = {}
        self._waiting: dict[int, bytes] = {}
        self._told: dict[int, int] = {}
        self._renamed: dict[int, int] = {}

    def answer(self, frame: bytes, now: float, faults: FaultPlan) -> bytes | None:
        """Carry out one frame; a read or a ping to one servo is answered, by every servo that has its id."""
        request = protocol_bus.decode_request(frame)
        to_all = request.servo == protocol_bus.BROADCAST
        addressed = self._addressed(request.servo, to_all, faults)
        data = [self._carry_out(servo, request, now, faults) for servo in addressed]
        if to_all or request.instruction not in (protocol_bus.PING, protocol_bus.READ):
            return None
        replies = [
            protocol_bus.encode_reply(
                protocol_bus.Reply(request.servo, status_byte(self._servos.health(servo, now)), each)
            )
            for servo, each in zip(addressed, data, strict=True)
        ]
        return collision(replies) if replies else None

    def _addressed(self, id_: int, to_all: bool, faults: FaultPlan) -> list[int]:
        if not (to_all or faults.twin or self._renamed):  # each has its own id, as nearly always
            return [id_] if id_ in self._servos.ids and id_ not in faults.silent else []
        return [
            servo
            for servo in self._servos.ids
            if servo not in faults.silent and (to_all or self._id(servo, faults) == id_)
        ]

    def _carry_out(self, servo: int, request: protocol_bus.Request, now: float, faults: FaultPlan) -> bytes:
        parameters = request.parameters
        if request.instruction == protocol_bus.READ and len(parameters) == 2:
            return self._read(servo, parameters[0], parameters[1], now, faults)
        if request.instruction == protocol_bus.WRITE and len(parameters) >= 2:
            if parameters[0] != protocol_bus.TORQUE_ADDRESS or servo not in faults.torque_deaf:
                self._write(servo, parameters[0], parameters[1:], now)
        elif request.instruction == protocol_bus.REG_WRITE and parameters[:1] == bytes([protocol_bus.GOAL_ADDRESS]):
            self._waiting[servo] = parameters[1:]
        elif request.instruction == protocol_bus.ACTION and servo in self._waiting:
            self._move(servo, self._waiting.pop(servo), now)
        elif request.instruction == protocol_bus.SYNC_WRITE:
            self._sync_write(servo, parameters, now, self._id(servo, faults))
        return b""

    def _read(self, servo: int, address: int, count: int, now: float, faults: FaultPlan) -> bytes:
        """Registers from `address` on; those that this servo does not model read 0.

        The torque register tells the truth: 0 also where the stall protection has let go.
        """
        health = self._servos.health(servo, now)
        registers = bytearray(256)
        registers[protocol_bus.ID_ADDRESS] = self._id(servo, faults)
        registers[protocol_bus.TORQUE_ADDRESS] = self._servos.holding(servo)
        told = faults.told(servo, self._servos.position(servo, now), self._told.get(servo))
        self._told[servo] = told
        position = told.to_bytes(2, "big")
        for address_of, value in (
            (protocol_bus.GOAL_ADDRESS, self._servos.goal(servo).to_bytes(2, "big")),
            (protocol_bus.TIME_ADDRESS, self._times.get(servo, bytes(2))),
            (protocol_bus.CURRENT_ADDRESS, self._servos.current_ma(servo).to_bytes(2, "big")),
            (protocol_bus.POSITION_ADDRESS, position),
        ):
            registers[address_of : address_of + len(value)] = value
        registers[protocol_bus.TEMPERATURE_ADDRESS] = min(255, max(0, round(health.temperature_c or 0.0)))
        room = protocol_bus.SERVO.max_size - protocol_bus.SERVO.min_size
        return bytes(registers[address : address + min(count, room)])

    def _write(self, servo: int, address: int, data: bytes, now: float) -> None:
        if address == protocol_bus.TORQUE_ADDRESS:
            self._servos.torque(servo, data[0] != 0, now)
        elif address == protocol_bus.GOAL_ADDRESS:
            self._move(servo, data, now)
        elif address == protocol_bus.ID_ADDRESS and 1 <= data[0] <= protocol_bus.MAX_ID:
            self._renamed[servo] = data[0]

    def _id(self, servo: int, faults: FaultPlan) -> int:
        return self._renamed.get(servo) or faults.answers_as(servo)

    def _sync_write(self, servo: int, parameters: bytes, now: float, own_id: int) -> None:
        if parameters[:2] != bytes([protocol_bus.GOAL_ADDRESS, 4]):
            return
        for at in range(2, len(parameters) - 4, 5):
            if parameters[at] == own_id:
                self._move(servo, parameters[at + 1 : at + 5], now)

    def _move(self, servo: int, goal: bytes, now: float) -> None:
        self._servos.command(servo, *_goal(goal), now)
        self._times[servo] = goal[2:4]


class SeServoSide:
    """The DOFBOT-SE's USB board with its servos behind it."""

    framing = protocol_se.HOST

    def __init__(self, servos: ServoBank) -> None:
        self._servos = servos
        self._told: dict[int, int] = {}

    def answer(self, frame: bytes, now: float, faults: FaultPlan) -> bytes | None:
        """Carry out one frame; reads are answered, with 0 for a servo that the board cannot reach."""
        message = protocol_se.decode(frame, protocol_se.HOST)
        function, payload = message.function, message.payload
        # Replies that collide behind the board are no reading to it: servos that share an id cannot be reached.
        sharing = {faults.answers_as(servo) for servo in faults.twin} | faults.twin
        reachable = [servo for servo in self._servos.ids if servo not in faults.silent and servo not in sharing]
        if function == protocol_se.VERSION:
            return protocol_se.encode(protocol_se.Message(protocol_se.VERSION, b"\x01"), protocol_se.BOARD)
        if 1 <= (read := function - protocol_se.READ_ONE) <= protocol_se.N_SERVOS:
            ticks = 0
            if read in reachable:
                ticks = self._told[read] = faults.told(read, self._servos.position(read, now), self._told.get(read))
            return protocol_se.position_reply(read, ticks)
        if function == protocol_se.TORQUE and payload:
            for servo in reachable:
                if servo not in faults.torque_deaf:
                    self._servos.torque(servo, payload[0] != 0, now)
        elif function == protocol_se.MOVE_ALL and len(payload) == 14:
            time_ms = int.from_bytes(payload[12:], "big")
            for servo in reachable:
                ticks = int.from_bytes(payload[2 * servo - 2 : 2 * servo], "big")
                self._servos.command(servo, ticks, time_ms, now)
        elif (moved := function - protocol_se.MOVE_ONE) in reachable and len(payload) == 4:
            self._servos.command(moved, *_goal(payload), now)
        return None


def servo_side(protocol: ProtocolName, servos: ServoBank) -> ServoSide:
    """The far end of `protocol`, with `servos` behind it."""
    return BusServoSide(servos) if protocol == "bus" else SeServoSide(servos)


def collision(replies: Sequence[bytes]) -> bytes:
    """What the host hears when several servos answer at once: on this line a low level wins, bit by bit."""
    return bytes(reduce(and_, column) for column in zip(*replies, strict=False))


def status_byte(health: ServoHealth) -> int:
    """The status byte of a bus reply."""
    return (
        health.voltage_fault * protocol_bus.VOLTAGE_BIT
        | health.overheated * protocol_bus.TEMPERATURE_BIT
        | health.overloaded * protocol_bus.OVERLOAD_BIT
    )


def _goal(data: bytes) -> tuple[int, int]:
    if len(data) < 4:
        raise FrameError(f"a goal has four bytes, got {data.hex(' ')}")
    return int.from_bytes(data[:2], "big"), int.from_bytes(data[2:4], "big")
