"""The far end of the wire: what servos, or the DOFBOT-SE's board, do with a request and what they answer."""

from __future__ import annotations

from typing import Protocol

from dofbot_ros.arm.backend import ServoHealth
from dofbot_ros.errors import FrameError
from dofbot_ros.hardware import protocol_bus, protocol_se
from dofbot_ros.hardware.framing import Framing
from dofbot_ros.hardware.protocol import ProtocolName
from dofbot_ros.hardware.servos import ServoBank


class ServoSide(Protocol):
    """Takes the frames of one protocol's host."""

    framing: Framing
    """Of the host's frames."""

    def answer(self, frame: bytes, now: float, silent: frozenset[int]) -> bytes | None:
        """Carry out one valid frame. Returns the reply, or None where there is none.

        Args:
            frame: one frame of `framing`.
            now: when its last byte came [s].
            silent: servos whose plug is out.
        """
        ...


class BusServoSide:
    """Servos on the bus, each with its registers."""

    framing = protocol_bus.HOST

    def __init__(self, servos: ServoBank) -> None:
        self._servos = servos
        self._goals: dict[int, bytes] = {}
        self._waiting: dict[int, bytes] = {}

    def answer(self, frame: bytes, now: float, silent: frozenset[int]) -> bytes | None:
        """Carry out one frame; a read or a ping to one servo is answered."""
        request = protocol_bus.decode_request(frame)
        to_all = request.servo == protocol_bus.BROADCAST
        addressed = [servo for servo in self._servos.ids if servo not in silent and (to_all or servo == request.servo)]
        data = b""
        for servo in addressed:
            data = self._carry_out(servo, request, now)
        answered = request.instruction in (protocol_bus.PING, protocol_bus.READ)
        if to_all or not addressed or not answered:
            return None
        status = status_byte(self._servos.health(request.servo, now))
        return protocol_bus.encode_reply(protocol_bus.Reply(request.servo, status, data))

    def _carry_out(self, servo: int, request: protocol_bus.Request, now: float) -> bytes:
        parameters = request.parameters
        if request.instruction == protocol_bus.READ and len(parameters) == 2:
            return self._read(servo, parameters[0], parameters[1], now)
        if request.instruction == protocol_bus.WRITE and len(parameters) >= 2:
            self._write(servo, parameters[0], parameters[1:], now)
        elif request.instruction == protocol_bus.REG_WRITE and parameters[:1] == bytes([protocol_bus.GOAL_ADDRESS]):
            self._waiting[servo] = parameters[1:]
        elif request.instruction == protocol_bus.ACTION and servo in self._waiting:
            self._move(servo, self._waiting.pop(servo), now)
        elif request.instruction == protocol_bus.SYNC_WRITE:
            self._sync_write(servo, parameters, now)
        return b""

    def _read(self, servo: int, address: int, count: int, now: float) -> bytes:
        """Registers from `address` on; those that this servo does not model read 0."""
        health = self._servos.health(servo, now)
        registers = bytearray(256)
        registers[0x05] = servo
        registers[protocol_bus.TORQUE_ADDRESS] = self._servos.torque_on(servo)
        position = self._servos.position(servo, now).to_bytes(2, "big")
        registers[0x2A:0x2E] = self._goals.get(servo, position + bytes(2))
        registers[0x38:0x3A] = position
        registers[protocol_bus.TEMPERATURE_ADDRESS] = min(255, max(0, round(health.temperature_c or 0.0)))
        room = protocol_bus.SERVO.max_size - protocol_bus.SERVO.min_size
        return bytes(registers[address : address + min(count, room)])

    def _write(self, servo: int, address: int, data: bytes, now: float) -> None:
        if address == protocol_bus.TORQUE_ADDRESS:
            self._servos.torque(servo, data[0] != 0, now)
        elif address == protocol_bus.GOAL_ADDRESS:
            self._move(servo, data, now)

    def _sync_write(self, servo: int, parameters: bytes, now: float) -> None:
        if parameters[:2] != bytes([protocol_bus.GOAL_ADDRESS, 4]):
            return
        for at in range(2, len(parameters) - 4, 5):
            if parameters[at] == servo:
                self._move(servo, parameters[at + 1 : at + 5], now)

    def _move(self, servo: int, goal: bytes, now: float) -> None:
        self._servos.command(servo, *_goal(goal), now)
        self._goals[servo] = goal[:4]


class SeServoSide:
    """The DOFBOT-SE's USB board with its servos behind it."""

    framing = protocol_se.HOST

    def __init__(self, servos: ServoBank) -> None:
        self._servos = servos

    def answer(self, frame: bytes, now: float, silent: frozenset[int]) -> bytes | None:
        """Carry out one frame; reads are answered, with 0 for a servo that the board cannot reach."""
        message = protocol_se.decode(frame, protocol_se.HOST)
        function, payload = message.function, message.payload
        reachable = [servo for servo in self._servos.ids if servo not in silent]
        if function == protocol_se.VERSION:
            return protocol_se.encode(protocol_se.Message(protocol_se.VERSION, b"\x01"), protocol_se.BOARD)
        if 1 <= (read := function - protocol_se.READ_ONE) <= protocol_se.N_SERVOS:
            ticks = self._servos.position(read, now) if read in reachable else 0
            return protocol_se.position_reply(read, ticks)
        if function == protocol_se.TORQUE and payload:
            for servo in reachable:
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
