"""The real arm, or anything that answers like it, on a serial port."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dofbot_ros.arm.backend import ArmReading, ArmSent, BusStats, ServoHealth, never
from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, HIGHEST_TICK, LOWEST_TICK, Calibration
from dofbot_ros.core.clock import Clock, MonotonicClock
from dofbot_ros.core.types import GRIP, N_JOINTS, BoolArray, FloatArray
from dofbot_ros.errors import BusError, InputError, NoReplyError, PortError
from dofbot_ros.hardware.health import health_of
from dofbot_ros.hardware.hold_goals import contradicting, goals_to_hold
from dofbot_ros.hardware.move_estimate import Ticks
from dofbot_ros.hardware.no_answer import all_silent, named, some_silent
from dofbot_ros.hardware.port.search import ListPorts, OpenPort, PortFinder, serial_ports
from dofbot_ros.hardware.port.serial_port import ByteStream, SerialPort
from dofbot_ros.hardware.servo_bus import ServoBus
from dofbot_ros.hardware.silence import Silence
from dofbot_ros.hardware.slow_queries import AWAY_TICKS, SlowQueries, farthest
from dofbot_ros.hardware.streamer import SPEED_SLACK, GoalStreamer, Move, StreamConfig
from dofbot_ros.hardware.wire.protocol import HostProtocol, ProtocolName, host_protocol

HOLD_TIME_S = 0.5
"""Move time of the present-pose goal around switching torque on: a small difference is taken up slowly."""
SWEEPS = 3
"""Readings of all positions that must agree before an arm is told to hold there."""
AGREE_TICKS = 40
"""Readings this near to one another agree, for an arm that a hand moves slowly [ticks]."""


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
        temperature_period_s: time between two questions for a temperature, the servos in turn [s].
        max_velocity: joint velocity limit [rad/s]; see SPEED_SLACK.
        open_port: opens a port, given its name, baudrate and read timeout [s].
        ports: lists the ports of this machine, to find a cable that came back under another name.
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
        max_velocity: float = np.inf,
        open_port: OpenPort = SerialPort,
        ports: ListPorts = serial_ports,
    ) -> None:
        self.name = "serial"
        self.clock: Clock = clock or MonotonicClock()
        self._port_name = port
        self._baudrate = baudrate
        self._calibration = calibration
        self._protocol = host_protocol(protocol, sync_write)
        self._ids = calibration.ids
        self._positions = [self._protocol.position(servo) for servo in self._ids]
        self._retries = retries
        self._temperature_period_s = temperature_period_s
        self._streamer = GoalStreamer(stream or StreamConfig(), SPEED_SLACK * max_velocity, calibration.ticks_to_rad)
        self._finder = PortFinder(port, protocol, baudrate, ports=ports, open_port=open_port)
        self._port: ByteStream | None = None
        self._bus: ServoBus | None = None
        self.device = port
        """The device behind the port, as it was opened last: `port` may be a link, or auto."""
        self._forget()

    def _forget(self) -> None:
        self._ticks = np.zeros(N_JOINTS, dtype=np.int64)
        self._stamps_s = np.full(N_JOINTS, -np.inf)
        self._fresh = np.zeros(N_JOINTS, dtype=np.bool_)
        self._health = [ServoHealth()] * N_JOINTS
        self._status = [0] * N_JOINTS
        self._silence = Silence(N_JOINTS)
        self._slow = SlowQueries(self._protocol, self._ids, self._temperature_period_s)
        self._first = 0
        self._sweep_s = 0.0
        self._awake = False
        self._absent = np.zeros(N_JOINTS, dtype=np.bool_)
        self._left_out = self._absent.copy()
        self._streamer.start(self._ticks)

    def connect(self) -> ArmReading:
        """Open the port, find all six servos and read where they are. Nothing is written but questions.

        Raises:
            PortError: no such port, no permission, in use, no serial port.
            NoReplyError: no servo answers, or some do not.
        """
        self.close()
        self._forget()
        self._port = self._finder.open(self._protocol.reply_timeout_s)
        self.device = self._finder.device
        self._bus = ServoBus(self._port, self._retries)
        try:
            reading = self.read()
            if not reading.fresh.all():
                raise self._silent(self._port)
            self._slow.ask_all_torques(self._bus)
        except BusError:
            self.close()
            raise
        self._finder.found()
        self._streamer.start(self._ticks)
        return self._reading(reading.stamp_s)

    def read(self, until_s: float = np.inf, urgent: Callable[[], bool] = never) -> ArmReading:
        """Read the positions; a servo that does not answer, or was not asked any more, is not fresh.

        A goal that write() has held back, and no newer one has replaced, goes out here.

        Args:
            until_s: no question begins after this time [s]; the servos that were left out come first next time.
            urgent: no question begins once this is true.

        Raises:
            PortError: the port is gone.
        """
        bus = self._opened()
        begin = self.clock.now()

        def enough() -> bool:
            return self.clock.now() >= until_s or urgent()

        self._fresh[:] = self._awake = False
        unheard = []
        for step in range(N_JOINTS):
            i = (self._first + step) % N_JOINTS
            if enough():
                self._first = i
                break
            if self._silence.worth_asking(i, begin) and not self._ask(bus, i):
                unheard.append(i)
        for _ in range(self._retries):
            again = [i for i in unheard if not self._silence.long(i) and not enough()]
            bus.retried += len(again)
            unheard = [i for i in unheard if i not in again or not self._ask(bus, i)]
        bus.lost += len(unheard)
        self._sweep_s = self.clock.now() - begin
        if not enough():
            self._ask_slowly(bus, begin)
        now = self.clock.now()
        if self._streamer.left_waiting(now):
            # A servo that is back since is not told what it has missed: that is for who commands it to decide.
            self._send(self._next_move(now, self._left_out))
        return self._reading(now)

    def _ask(self, bus: ServoBus, i: int) -> bool:
        asked_s = self.clock.now()
        answer = bus.attempt(self._positions[i])
        now = self.clock.now()
        self._awake = answer is not None
        if answer is None:
            self._silence.unanswered(i, asked_s)
            return False
        self._silence.answered(i)
        self._absent[i] = False
        self._fresh[i], self._ticks[i], self._stamps_s[i] = True, answer.ticks, now
        self._note_status(i, answer.status)
        return True

    def _ask_slowly(self, bus: ServoBus, now: float) -> None:
        """One question beside the positions. A joint at rest beside its goal comes first: has it got that goal?"""
        sent = self._streamer.sent.tolist()
        away = [abs(there - goal) for there, goal in zip(self._ticks.tolist(), sent, strict=True)]
        unsure = [i for i in range(GRIP) if away[i] > AWAY_TICKS and self._fresh[i] and self._slow.may_tell_goal(i)]
        if unsure:
            resting = self._streamer.ever_sent & self._streamer.arrived(now)
            unsure = [i for i in unsure if resting[i]]
        if unsure:
            self._slow.ask_goal(bus, unsure[0], sent[unsure[0]])
        else:
            self._slow.ask_one(bus, now, self._fresh, farthest(away))

    def _reading(self, now: float) -> ArmReading:
        silent_s = self._silence.lengths_s(now)
        self._health = self._slow.with_temperatures(self._health)
        torque = self._slow.torque
        if silent_s.any():
            torque = [None if silent else on for on, silent in zip(torque, silent_s > 0.0, strict=True)]
        return ArmReading(
            stamp_s=now,
            position=np.array(self._calibration.plain_rad(self._ticks.tolist())),
            stamps_s=self._stamps_s.copy(),
            fresh=self._fresh.copy(),
            health=tuple(self._health),
            silent_s=silent_s,
            torque=tuple(torque),
            pressing=self._slow.pressing(now),
            heard=tuple(self._slow.heard),
        )

    def write(self, position: FloatArray, duration_s: float, urgent: bool = False) -> ArmSent:
        """Ask for `position` [rad] (6,), to be reached after `duration_s` [s].

        Goals go out at the stream's rate, unless they are urgent; one that comes too soon is held back for a moment. A
        servo that does not answer is sent nothing.

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
        self._streamer.want(np.array(self._calibration.plain_ticks(position.tolist())), duration_s, now)
        # A servo that was silent is back once it has answered, not when it merely no longer counts as silent.
        self._absent |= self._silence.lengths_s(now) > 0.0
        self._left_out = self._absent.copy()
        move = self._next_move(now, self._absent, urgent)
        self._send(move)
        written = np.zeros(N_JOINTS, dtype=np.bool_) if move is None else move.changed
        sent = np.array(self._calibration.plain_rad(self._streamer.sent.tolist()))
        return ArmSent(self.clock.now(), sent, written)

    def underway(self) -> FloatArray:
        """Where the joints should be by now [rad] (6,), from the goals that went out and their move times."""
        return self._calibration.ticks_to_rad(self._streamer.expected(self.clock.now()))

    def torque(self, enabled: bool) -> None:
        """Hold the present pose with torque, or let go.

        What a servo heads for when its torque comes on is not documented, so the present pose is its goal before and,
        should a limp servo have ignored that, again right after. A servo that holds already keeps its goal: see
        goals_to_hold(). Where the servos cannot tell whether they have switched, the frame is sent and believed.

        Raises:
            PortError: the port is gone.
            NoReplyError: some servo does not tell where it is, or does not switch.
            BusError: readings that contradict one another, or a joint that stands where its servo takes no goal.
        """
        bus = self._opened()
        goals = self._goals_to_hold(bus) if enabled else self._ticks.copy()
        self._streamer.start(goals)
        hold = Move(goals, np.ones(N_JOINTS, dtype=np.bool_), np.full(N_JOINTS, round(HOLD_TIME_S * 1000)))
        if enabled:
            self._send(hold)
        self._switch_torque(bus, enabled)
        if enabled:
            self._send(hold)
            self._streamer.hold(HOLD_TIME_S, self.clock.now())

    def _goals_to_hold(self, bus: ServoBus) -> Ticks:
        """What to send when the torque is switched on [ticks] (6,).

        Raises:
            BusError: see torque().
        """
        self._find_present_pose()
        self._slow.ask_all_torques(bus)
        # A servo that has let go by itself need not say so in its torque register; its status does.
        holding = [on and not health.overloaded for on, health in zip(self._slow.torque, self._health, strict=True)]
        ours = self._streamer.ever_sent
        told = [
            bus.ask(query) if holds and not mine and (query := self._protocol.goal(servo)) is not None else None
            for servo, holds, mine in zip(self._ids, holding, ours, strict=True)
        ]
        strange = contradicting(self._ticks, ours, told, holding)
        if strange.any():
            raise BusError(
                f"{named(self._ids, strange)} read far from the goal of another program that it holds: a sensor "
                "lies or something is in the way. Let the arm go (enable_torque false), then switch its torque on"
            )
        goals = goals_to_hold(self._ticks, self._streamer.sent, ours, told, holding)
        outside = (goals < LOWEST_TICK) | (goals > HIGHEST_TICK)
        if outside.any():
            places = ", ".join(str(ticks) for ticks in goals[outside])
            raise BusError(
                f"{named(self._ids, outside)} at tick {places}, and servos take goals in "
                f"{LOWEST_TICK}..{HIGHEST_TICK}: lead the arm back by hand; torque stays off"
            )
        return goals

    def _find_present_pose(self) -> None:
        """Read the positions several times: what is sent as the goal to hold must be where the arm is."""
        sweeps: list[Ticks] = []
        missing = np.zeros(N_JOINTS, dtype=np.bool_)
        # On a poor line an answer is lost for good now and then: one more sweep is worth the time.
        for _ in range(SWEEPS + 1):
            self._silence.ask_all()
            self.read()
            missing |= ~self._fresh
            if self._fresh.all():
                sweeps.append(self._ticks.copy())
            if len(sweeps) == SWEEPS:
                break
        else:
            silent = [servo for servo, gone in zip(self._ids, missing, strict=True) if gone]
            raise NoReplyError(f"{named(self._ids, missing)} silent: torque stays off", silent)
        spread = np.ptp(sweeps, axis=0) > AGREE_TICKS
        if spread.any():
            raise BusError(f"{named(self._ids, spread)} read at places that contradict one another: torque stays off")

    def limit_speed(self, max_velocity: float) -> None:
        """See ArmBackend.limit_speed."""
        self._streamer.limit_speed(SPEED_SLACK * max_velocity)

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

    def _next_move(self, now: float, absent: BoolArray, urgent: bool = False) -> Move | None:
        silent = absent | (self._silence.lengths_s(now) > 0.0)
        return self._streamer.next_move(self._ticks, self._fresh, now, silent=silent, urgent=urgent)

    def _send(self, move: Move | None) -> None:
        if move is None:
            return
        self._slow.sent(move.changed)
        goals = {servo: int(ticks) for servo, ticks in zip(self._ids, move.goals, strict=True)}
        changed = frozenset(servo for servo, is_new in zip(self._ids, move.changed, strict=True) if is_new)
        times_ms = {servo: int(time_ms) for servo, time_ms in zip(self._ids, move.time_ms, strict=True)}
        frames = list(self._protocol.goals(goals, changed, times_ms))
        # A line that has been quiet may lose the first frame that comes then.
        for frame in frames if self._awake else [*frames, *frames[:1]]:
            self._opened().say(frame)

    def _switch_torque(self, bus: ServoBus, enabled: bool) -> None:
        """Switch, and ask whether it worked, since nothing acknowledges the frame."""
        left = self._ids
        can_tell = self._protocol.torque_state(self._ids[0]) is not None
        for _ in range(1 + self._retries):
            for frame in self._protocol.torque(left, enabled):
                bus.say(frame)
            if can_tell:
                self._slow.ask_all_torques(bus)
                left = tuple(self._ids[i] for i in self._slow.disagreeing(enabled))
            elif any(bus.attempt(position) is not None for position in self._positions[:2]):
                # Servos that cannot say whether they have switched can at least be heard; once they are, say it again.
                for frame in self._protocol.torque(left, enabled):
                    bus.say(frame)
                left = ()
            if not left:
                return
        word, who = "on" if enabled else "off", named(self._ids, np.isin(self._ids, left))
        raise NoReplyError(
            f"torque {word} was sent, but {who} not confirming it: check the bus; "
            "if the arm has to let go now, cut its power",
            left,
        )

    def _note_status(self, i: int, status: int) -> None:
        if status == self._status[i]:
            return
        self._status[i] = status
        self._health[i] = health_of(status)

    def _silent(self, port: ByteStream) -> NoReplyError:
        """Why connect() failed: nobody answers, or some do not."""
        silent = self._silent_ids()
        if self._fresh.any():
            return NoReplyError(some_silent(self._port_name, self._ids, self._fresh), silent)
        other: ProtocolName = "se" if self._protocol.name == "bus" else "bus"
        found = other if self._answers(host_protocol(other), port) else None
        return NoReplyError(all_silent(self._port_name, self._baudrate, self._protocol.name, found), silent)

    def _answers(self, protocol: HostProtocol, port: ByteStream) -> bool:
        bus = ServoBus(port, retries=0)
        return any(bus.ask(protocol.position(servo)) is not None for servo in self._ids[:2])

    def _silent_ids(self) -> list[int]:
        return [servo for servo, fresh in zip(self._ids, self._fresh, strict=True) if not fresh]
