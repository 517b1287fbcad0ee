"""The real arm, or anything that answers like it, on a serial port."""

from __future__ import annotations

import numpy as np

from dofbot_ros.arm.backend import ArmReading, ArmSent, BusStats, ServoHealth
from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration
from dofbot_ros.core.clock import Clock, MonotonicClock
from dofbot_ros.core.types import JOINT_NAMES, N_JOINTS, BoolArray, FloatArray
from dofbot_ros.errors import BusError, InputError, NoReplyError, PortError
from dofbot_ros.hardware.protocol import HostProtocol, ProtocolName, host_protocol
from dofbot_ros.hardware.protocol_bus import OVERLOAD_BIT, TEMPERATURE_BIT, VOLTAGE_BIT
from dofbot_ros.hardware.serial_port import SerialPort
from dofbot_ros.hardware.servo_bus import ServoBus
from dofbot_ros.hardware.streamer import GoalStreamer, Move, StreamConfig

HOLD_TIME_S = 0.5
"""Move time of the present-pose goal around switching torque on: a small difference is taken up slowly."""


class SerialArm:
    """An ArmBackend on a serial port.

    Args:
        port: device path, for instance /dev/ttyUSB0.
        protocol: "bus" straight to the servos, "se" through the DOFBOT-SE's USB board.
        baudrate: [1/s].
        calibration: ids, zeros, signs and scales of this arm.
        clock: stamps and paces.
        stream: how often goals go out and which differences do not matter.
        sync_write: one frame for all goals; see BusProtocol.
        retries: how often a question is asked again.
        temperature_period_s: one servo's temperature is read this often, in turn [s].
        silent_retry_s: a servo that fell silent is asked again this often, so that it does not slow the others [s].
    """

    def __init__(
        self,
        port: str,
        protocol: ProtocolName = "bus",
        baudrate: int = 115200,
        calibration: Calibration = DEFAULT_CALIBRATION,
        clock: Clock | None = None,
        *,
        stream: StreamConfig | None = None,
        sync_write: bool = False,
        retries: int = 2,
        temperature_period_s: float = 0.5,
        silent_retry_s: float = 0.25,
    ) -> None:
        self.name = "serial"
        self.clock: Clock = clock or MonotonicClock()
        self._port_name = port
        self._baudrate = baudrate
        self._calibration = calibration
        self._protocol = host_protocol(protocol, sync_write)
        self._ids = calibration.ids
        self._positions = [self._protocol.position(servo) for servo in self._ids]
        self._temperatures = [self._protocol.temperature(servo) for servo in self._ids]
        self._retries = retries
        self._temperature_period_s = temperature_period_s
        self._silent_retry_s = silent_retry_s
        self._streamer = GoalStreamer(stream or StreamConfig())
        self._port: SerialPort | None = None
        self._bus: ServoBus | None = None
        self._forget()

    def _forget(self) -> None:
        self._ticks = np.zeros(N_JOINTS, dtype=np.int64)
        self._stamps_s = np.full(N_JOINTS, -np.inf)
        self._fresh = np.zeros(N_JOINTS, dtype=np.bool_)
        self._health = [ServoHealth()] * N_JOINTS
        self._ask_again_s = np.full(N_JOINTS, -np.inf)
        self._next_temperature_s = -np.inf
        self._hot_servo = 0
        self._sweep_s = 0.0
        self._streamer.start(self._ticks)

    def connect(self) -> ArmReading:
        """Open the port, find all six servos and read where they are. Nothing is written but questions.

        Raises:
            PortError: no such port, no permission, in use, no serial port.
            NoReplyError: no servo answers, or some do not.
        """
        self.close()
        self._forget()
        self._port = SerialPort(self._port_name, self._baudrate, self._protocol.reply_timeout_s)
        self._bus = ServoBus(self._port, self._retries)
        try:
            reading = self.read()
            if not reading.fresh.all():
                raise self._silent(self._port)
        except BusError:
            self.close()
            raise
        self._streamer.start(self._ticks)
        return reading

    def read(self) -> ArmReading:
        """Read all six positions; a servo that does not answer is not fresh.

        A goal that write() has held back, and no newer one has replaced, goes out here.

        Raises:
            PortError: the port is gone.
        """
        bus = self._opened()
        begin = self.clock.now()
        for i, query in enumerate(self._positions):
            if begin < self._ask_again_s[i]:
                self._fresh[i] = False
                continue
            answer = bus.ask(query, once=bool(np.isfinite(self._ask_again_s[i])))
            now = self.clock.now()
            self._fresh[i] = answer is not None
            if answer is None:
                self._ask_again_s[i] = now + self._silent_retry_s
                continue
            self._ask_again_s[i] = -np.inf
            self._ticks[i] = answer.ticks
            self._stamps_s[i] = now
            self._note_status(i, answer.status)
        self._sweep_s = self.clock.now() - begin
        self._read_a_temperature(bus, begin)
        now = self.clock.now()
        if self._streamer.left_waiting(now):
            self._send(self._streamer.next_move(self._ticks, self._fresh, now))
        return ArmReading(
            stamp_s=now,
            position=self._calibration.ticks_to_rad(self._ticks),
            stamps_s=self._stamps_s.copy(),
            fresh=self._fresh.copy(),
            health=tuple(self._health),
        )

    def write(self, position: FloatArray, duration_s: float) -> ArmSent:
        """Ask for `position` [rad] (6,), to be reached after `duration_s` [s].

        Goals go out at the stream's rate; one that comes too soon is held back for a moment.

        Raises:
            PortError: the port is gone.
            InputError: not six finite angles, or a negative duration.
        """
        position = np.asarray(position, dtype=np.float64)
        if position.shape != (N_JOINTS,) or not np.isfinite(position).all():
            raise InputError(f"an arm's goal is {N_JOINTS} finite joint angles, got {position.tolist()}")
        if not 0 <= duration_s < np.inf:
            raise InputError(f"a move takes some time, got {duration_s} s")
        self._opened()
        now = self.clock.now()
        self._streamer.want(self._calibration.rad_to_ticks(position), duration_s, now)
        move = self._streamer.next_move(self._ticks, self._fresh, now)
        self._send(move)
        written = np.zeros(N_JOINTS, dtype=np.bool_) if move is None else move.changed
        return ArmSent(self.clock.now(), self._calibration.ticks_to_rad(self._streamer.sent), written)

    def torque(self, enabled: bool) -> None:
        """Hold the present pose with torque, or let go.

        What a servo heads for when its torque comes on is not documented, so the present pose is its goal before and,
        should a limp servo have ignored that, again right after.

        Raises:
            PortError: the port is gone.
            NoReplyError: some servo does not tell where it is, or does not switch.
        """
        bus = self._opened()
        if enabled:
            self._ask_again_s[:] = -np.inf
            self.read()
            if not self._fresh.all():
                raise NoReplyError(f"{self._named(~self._fresh)} silent: torque stays off", self._silent_ids())
        self._streamer.start(self._ticks)
        hold = Move(self._ticks.copy(), np.ones(N_JOINTS, dtype=np.bool_), round(HOLD_TIME_S * 1000))
        if enabled:
            self._send(hold)
        self._switch_torque(bus, enabled)
        if enabled:
            self._send(hold)

    def stats(self) -> BusStats:
        """Counters since connect(); detail has `sweep_ms`, how long the last read of all positions took."""
        bus = self._bus
        if bus is None:
            return BusStats()
        return BusStats(bus.frames_sent, bus.replies, bus.retried, bus.lost, {"sweep_ms": self._sweep_s * 1000.0})

    def close(self) -> None:
        """Let go of the port; the servos keep their last goal. May be called twice."""
        if self._port is not None:
            self._port.close()
        self._port = None

    def _opened(self) -> ServoBus:
        if self._port is None or self._bus is None:
            raise PortError(f"{self._port_name} is not open: connect() first", self._port_name)
        return self._bus

    def _send(self, move: Move | None) -> None:
        if move is None:
            return
        goals = {servo: int(ticks) for servo, ticks in zip(self._ids, move.goals, strict=True)}
        changed = frozenset(servo for servo, is_new in zip(self._ids, move.changed, strict=True) if is_new)
        for frame in self._protocol.goals(goals, changed, move.time_ms):
            self._opened().say(frame)

    def _switch_torque(self, bus: ServoBus, enabled: bool) -> None:
        """Switch, and ask whether it worked, since nothing acknowledges the frame. Silence is taken for consent."""
        left = self._ids
        for _ in range(1 + self._retries):
            for frame in self._protocol.torque(left, enabled):
                bus.say(frame)
            left = tuple(servo for servo in left if self._contradicts(bus, servo, enabled))
            if not left:
                return
        word = "on" if enabled else "off"
        raise NoReplyError(f"{self._named(np.isin(self._ids, left))} not switching torque {word}", left)

    def _contradicts(self, bus: ServoBus, servo: int, enabled: bool) -> bool:
        query = self._protocol.torque_state(servo)
        return query is not None and bus.ask(query) is (not enabled)

    def _note_status(self, i: int, status: int) -> None:
        self._health[i] = ServoHealth(
            voltage_fault=bool(status & VOLTAGE_BIT),
            overheated=bool(status & TEMPERATURE_BIT),
            overloaded=bool(status & OVERLOAD_BIT),
            temperature_c=self._health[i].temperature_c,
        )

    def _read_a_temperature(self, bus: ServoBus, now: float) -> None:
        if now < self._next_temperature_s:
            return
        self._next_temperature_s = now + self._temperature_period_s
        i = self._hot_servo
        self._hot_servo = (i + 1) % N_JOINTS
        query = self._temperatures[i]
        if query is None or not self._fresh[i]:
            return
        celsius = bus.ask(query, once=True)
        if celsius is not None:
            health = self._health[i]
            self._health[i] = ServoHealth(
                health.voltage_fault, health.overheated, health.overloaded, temperature_c=float(celsius)
            )

    def _silent(self, port: SerialPort) -> NoReplyError:
        """Why connect() failed: nobody answers, or some do not."""
        silent = self._silent_ids()
        if self._fresh.any():
            there = ", ".join(str(servo) for servo, fresh in zip(self._ids, self._fresh, strict=True) if fresh)
            return NoReplyError(
                f"{self._named(~self._fresh)} silent on {self._port_name} while servos {there} answer: "
                "check its plug and its id",
                silent,
            )
        opened = (
            f"{self._port_name} opened at {self._baudrate} baud, but no servo answers protocol {self._protocol.name}"
        )
        other: ProtocolName = "se" if self._protocol.name == "bus" else "bus"
        if self._answers(host_protocol(other), port):
            return NoReplyError(f"{opened}; the arm there speaks {other}: use protocol {other}", silent)
        hint = "is the servo power on, is it the right port, the right protocol (bus or se), 115200 baud?"
        return NoReplyError(f"{opened}: {hint}", silent)

    def _answers(self, protocol: HostProtocol, port: SerialPort) -> bool:
        bus = ServoBus(port, retries=0)
        return any(bus.ask(protocol.position(servo)) is not None for servo in self._ids[:2])

    def _silent_ids(self) -> list[int]:
        return [servo for servo, fresh in zip(self._ids, self._fresh, strict=True) if not fresh]

    def _named(self, chosen: BoolArray) -> str:
        """For a message: "servo 3 (joint3) is", "servos 3 (joint3), 6 (grip_joint) are"."""
        names = [
            f"{servo} ({joint})"
            for servo, joint, one in zip(self._ids, JOINT_NAMES, chosen, strict=True) if one
        ]  # fmt: skip
        return f"servo {names[0]} is" if len(names) == 1 else f"servos {', '.join(names)} are"
