"""A driver on an emulated arm in virtual time, with operators who command it and a truth log that watches it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

import numpy as np

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.bench.faults.record import Commanded, Halt, Hand, Record, TorqueOrder
from dofbot_ros.core.clock import EventClock
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.types import GRIP, JOINT_NAMES, N_JOINTS, FloatArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.hardware.faults import FaultPlan
from dofbot_ros.hardware.protocol import ProtocolName
from dofbot_ros.hardware.serial_arm import SerialArm
from dofbot_ros.hardware.servo_line import ServoLine
from dofbot_ros.hardware.servos import SERVO_IDS, ModelServos
from dofbot_ros.hardware.streamer import StreamConfig
from dofbot_ros.hardware.truth_log import TruthLog
from dofbot_ros.hardware.virtual_port import VirtualPorts
from dofbot_ros.safety.states import ArmState
from dofbot_ros.service.config import DriverConfig
from dofbot_ros.service.daemon import ArmDaemon

PORT = "/dev/ttyUSB0"
START = np.array([-1.0, 0.35, 0.9, 0.8, 0.0, 0.4])
"""Where the arm stands at first [rad]: bent over the table, away from singular poses and limits."""
SETTLE_S = 0.6
"""After the planned end of a motion the servos may still be under way for so long [s]."""
LOCKED_S = 0.02
"""A real thread that calls estop() is waited for so long [s]: what takes longer stands before a lock."""
HALTED = (ArmState.FAULT, ArmState.ESTOP, ArmState.DISCONNECTED)


class Operator(Protocol):
    """Somebody who commands the arm again and again while `on`."""

    on: bool


class Rig:
    """One arm, one driver, one clock.

    Args:
        seed: decides what faults do by chance.
        config: of the driver.
        start: where the arm stands [rad] (6,).
        holding: whether the servos have torque before the driver comes.
        protocol: "bus" or "se".
    """

    def __init__(
        self,
        seed: int = 0,
        config: DriverConfig | None = None,
        start: FloatArray = START,
        *,
        holding: bool = False,
        protocol: ProtocolName = "bus",
    ) -> None:
        self.clock = EventClock(1000.0)
        self.config = config or DriverConfig(port=PORT)
        self._protocol: ProtocolName = protocol
        self.log = TruthLog()
        now = self.clock.now()
        ticks = DEFAULT_CALIBRATION.rad_to_ticks(start)
        self.servos = ModelServos([float(t) for t in ticks], now=now, log=self.log)
        for servo in SERVO_IDS:
            self.servos.torque(servo, holding, now)
        self.faults = FaultPlan(rng=np.random.default_rng(seed))
        self.line = ServoLine(self.servos, protocol, faults=self.faults, now=now)
        self.ports = VirtualPorts(self.line, self.clock, PORT)
        self.record = Record()
        self.cycle_pause_s = 0.0
        """How long a slow host is kept from its loop in each cycle [s]."""
        self.daemon = self._driver()
        self._rate = Rate(self.clock, self.config.control_rate_hz)
        self._waiting: list[Callable[[], object]] = []
        self._threads: list[threading.Thread] = []
        self.streamers: list[Operator] = []
        """Operators who go on commanding until they are switched off."""
        self.stopped_until_s = -np.inf
        """The process stands until then [s]: nothing reaches it before."""
        self.flooding = False
        """Whether somebody beside the operators sends commands of his own."""
        self._state: ArmState | None = None

    def _driver(self) -> ArmDaemon:
        config = self.config
        stream = StreamConfig(write_rate_hz=config.write_rate_hz, dead_band_ticks=config.dead_band_ticks)
        arm = SerialArm(PORT, self._protocol, clock=self.clock, stream=stream, open_port=self.ports.open)
        return ArmDaemon(arm, config)

    def restart(self) -> None:
        """Begin with a new driver, as after the process has ended."""
        self.daemon = self._driver()
        self._state = None

    @property
    def now(self) -> float:
        """[s]."""
        return self.clock.now()

    # -- time --------------------------------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        """Let the driver's loop run for `seconds` [s]; what is due comes between its cycles or in the middle of one."""
        end_s = self.now + seconds
        while self.now < end_s:
            waiting, self._waiting = self._waiting, []
            for command in waiting:
                command()
            self.daemon.step()
            self._watch()
            self.stand(self.cycle_pause_s)
            self._rate.wait()

    def run_until(self, condition: Callable[[], bool], at_most_s: float) -> bool:
        """Run until `condition` holds. Returns whether it did within `at_most_s` [s]."""
        end_s = self.now + at_most_s
        while not condition():
            if self.now >= end_s:
                return False
            self.run(self._rate.period_s)
        return True

    def between_cycles(self, time_s: float, command: Callable[[], object]) -> None:
        """Give `command` at `time_s` [s] as a thread does that waits for the daemon's lock: between two cycles."""
        self.clock.at(time_s, lambda: self._waiting.append(command))

    def at(self, time_s: float, event: Callable[[], object]) -> None:
        """Let `event` happen at `time_s` [s], in the middle of whatever is under way."""
        self.clock.at(time_s, event)

    def stand(self, seconds: float) -> None:
        """Stop the driver's process for `seconds` [s], in the middle of whatever it does; the world goes on."""
        self.stopped_until_s = self.now + seconds
        self.clock.advance(seconds)

    def shut_down(self) -> None:
        """End the driver as its on_exit says; this lets time pass."""
        self.daemon.shutdown()
        self._watch()

    def close(self) -> None:
        """Wait for threads that the driver had kept waiting."""
        for thread in self._threads:
            thread.join(timeout=5.0)

    def _watch(self) -> None:
        snapshot = self.daemon.snapshot()
        if snapshot.state is self._state:
            return
        self._state = snapshot.state
        self.record.states.append((self.now, snapshot.state, snapshot.reason))
        if snapshot.state in HALTED:
            self.record.halts.append(Halt(self.now, snapshot.state.value))

    # -- operators ---------------------------------------------------------------------------------------------------

    def true(self) -> FloatArray:
        """Where the joints truly are, shape (6,) [rad]."""
        return DEFAULT_CALIBRATION.ticks_to_rad([self.servos.link(servo) for servo in SERVO_IDS])

    def attempt(self, name: str, call: Callable[[], object]) -> bool:
        """Call a command of the daemon; a refusal is written down. Returns whether it was carried out."""
        try:
            call()
        except DofbotError as error:
            self.record.refusals.append((self.now, name, str(error)))
            return False
        return True

    def follow(self, times: list[float], points: FloatArray, velocities: FloatArray | None = None) -> bool:
        """Command a trajectory of the arm's joints through `points` [rad] (n, 6)."""
        here = self.true()
        begin_s = self.now
        joints = JOINT_NAMES[:GRIP]
        speeds = None if velocities is None else velocities[:, :GRIP]
        if not self.attempt("follow", lambda: self.daemon.follow(times, points[:, :GRIP], speeds, joints)):
            return False
        rest_s = begin_s + times[-1] + self.config.soft_start_s + SETTLE_S
        self._note(Commanded.of(begin_s, np.vstack([here, points]), rest_s, "trajectory", arm_joints()))
        return True

    def stream(self, point: FloatArray, commanded: bool = True) -> bool:
        """Stream one point of the arm's joints [rad] (6,), made now; `commanded` when its operator means it."""
        stamp_s = self.now
        if not self.attempt("stream", lambda: self.daemon.stream(point[:GRIP], stamp_s, JOINT_NAMES[:GRIP])):
            return False
        if commanded:
            rest_s = stamp_s + self.config.command_timeout_s + SETTLE_S
            self._note(Commanded.of(stamp_s, point[None], rest_s, "stream", arm_joints()))
        return True

    def gripper(self, gap_m: float, joint: float) -> bool:
        """Command a gap [m], which is the angle `joint` of grip_joint [rad]."""
        here, begin_s = self.true(), self.now
        if not self.attempt("gripper", lambda: self.daemon.gripper(gap_m)):
            return False
        there = here.copy()
        there[GRIP] = joint
        rest_s = begin_s + 2.0 * abs(joint - here[GRIP]) / self.config.max_velocity + 0.5 + SETTLE_S
        self._note(Commanded.of(begin_s, np.vstack([here, there]), rest_s, "gripper", ~arm_joints()))
        return True

    def note(self, command: Commanded) -> None:
        """Write down a command that was given past this class."""
        self._note(command)

    def stop(self) -> None:
        """Call stop()."""
        self.record.halts.append(Halt(self.now, "stop"))
        self.attempt("stop", self.daemon.stop)

    def estop(self) -> None:
        """Call estop() from a thread of its own, as an executor does: it must not wait for the driver's cycle."""
        if self.now < self.stopped_until_s:
            self.at(self.stopped_until_s, self.estop)
            return
        self.record.halts.append(Halt(self.now, "estop"))
        thread = threading.Thread(target=self.daemon.estop, args=("fault matrix",), daemon=True)
        thread.start()
        thread.join(LOCKED_S)
        self._threads.append(thread)

    def torque(self, enabled: bool) -> None:
        """Call set_torque()."""
        if self.attempt("enable_torque", lambda: self.daemon.set_torque(enabled)):
            self.record.torque_orders.append(TorqueOrder(self.now, enabled))

    def freedrive(self, enabled: bool) -> None:
        """Call freedrive()."""
        if self.attempt("freedrive", lambda: self.daemon.freedrive(enabled)):
            self.record.torque_orders.append(TorqueOrder(self.now, not enabled))
            if enabled:
                self.record.halts.append(Halt(self.now, "freedrive"))

    def press(self, servo: int, ticks: float) -> None:
        """Let a load press a joint by so many ticks; where it then comes to is no doing of the driver."""
        for late_s in (0.0, 0.05):
            self.at(self.now + late_s, lambda: self.record.hands.append(Hand(self.now, SERVO_IDS.index(servo))))
        self.servos.load(servo, ticks)

    def turn_by_hand(self, servo: int, ticks: float) -> None:
        """Turn a joint that has no torque by so many ticks."""
        if self.servos.holding(servo):
            return
        self.record.hands.append(Hand(self.now, SERVO_IDS.index(servo)))
        self.servos.turn_by_hand(servo, self.servos.link(servo) + ticks)

    def _note(self, command: Commanded) -> None:
        self.record.commands.append(command)


def arm_joints() -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which joints are the arm's, shape (6,)."""
    return np.arange(N_JOINTS) < GRIP
