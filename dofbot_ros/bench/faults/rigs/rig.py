"""An arm under test with operators who command it: what the faults and the scripts of the matrix work on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.bench.faults.record import Commanded, Halt, Hand, Record, TorqueOrder
from dofbot_ros.core.types import GRIP, JOINT_NAMES, N_JOINTS, BoolArray, FloatArray
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import DofbotError
from dofbot_ros.hardware.emulation.faults import FaultPlan
from dofbot_ros.hardware.emulation.servos import SERVO_IDS, ModelServos
from dofbot_ros.hardware.emulation.truth_log import Truth, TruthLog
from dofbot_ros.safety.authority import LOCAL, Commander
from dofbot_ros.safety.states import ArmState

PORT = "/dev/ttyUSB0"
START = np.array([-1.0, 0.35, 0.9, 0.8, 0.0, 0.4])
"""Where the arm stands at first [rad]: bent over the table, away from singular poses and limits."""
SETTLE_S = 0.6
"""After the planned end of a motion the servos may still be under way for so long [s]."""
HALTED = (ArmState.FAULT, ArmState.ESTOP, ArmState.DISCONNECTED)


class Operator(Protocol):
    """Somebody who commands the arm again and again while `on`."""

    on: bool


class Ports(Protocol):
    """The machine's serial ports, one of which leads to the arm."""

    taken: bool
    """Whether another program has the port: it cannot be opened."""

    def unplug(self) -> None:
        """Pull the cable."""
        ...

    def plug_in(self, name: str | None = None) -> None:
        """Put the cable back, under another name or its own."""
        ...


class Driver(Protocol):
    """What operators call: service.daemon.ArmDaemon, here or in another process."""

    def follow(
        self, times: ArrayLike, positions: ArrayLike, velocities: ArrayLike | None = None, joints: Sequence[str] = ...
    ) -> object:
        """Start a trajectory."""
        ...

    def stream(self, position: ArrayLike, stamp_s: float, joints: Sequence[str] = ..., by: Commander = ...) -> object:
        """Follow a point."""
        ...

    def twist(self, linear: ArrayLike, angular: ArrayLike, stamp_s: float) -> object:
        """Move the tool with a velocity."""
        ...

    def gripper(self, gap_m: float) -> object:
        """Open or close to a gap."""
        ...

    def home(self) -> object:
        """Move upright."""
        ...

    def stop(self) -> None:
        """Brake and hold."""
        ...

    def set_torque(self, enabled: bool) -> None:
        """Hold, or let go."""
        ...

    def freedrive(self, enabled: bool) -> None:
        """Let the arm be led by hand, or hold it."""
        ...

    def reset_estop(self) -> None:
        """Allow commands again."""
        ...

    def clear_fault(self) -> None:
        """Forget the fault."""
        ...


class Rig(ABC):
    """One arm, one driver, and the record of what was asked of them.

    Args:
        config: of the driver.
        faults: of the line.
        servos: behind it; touch them within tamper() only.
        log: of the servos.

    Attributes:
        record: of the operators.
        streamers: operators who go on commanding until they are switched off.
        flooding: whether somebody beside the operators sends commands of his own.
        cycle_pause_s: how long a slow host is kept from its loop in each cycle [s].
    """

    def __init__(self, config: DriverConfig, faults: FaultPlan, servos: ModelServos, log: TruthLog) -> None:
        self.config = config
        self.faults = faults
        self.servos = servos
        self.log = log
        self.record = Record()
        self.streamers: list[Operator] = []
        self.flooding = False
        self.cycle_pause_s = 0.0
        self._state: ArmState | None = None

    # -- what differs between virtual and real time --------------------------------------------------------------------

    @property
    @abstractmethod
    def driver(self) -> Driver:
        """Where commands go."""

    @property
    @abstractmethod
    def ports(self) -> Ports:
        """Where the cable is."""

    @property
    @abstractmethod
    def state(self) -> ArmState:
        """What the driver says that it is doing."""

    @property
    @abstractmethod
    def now(self) -> float:
        """On the clock of driver and servos [s]."""

    @abstractmethod
    def run(self, seconds: float) -> None:
        """Let `seconds` pass [s], with everything that is due meanwhile."""

    @abstractmethod
    def at(self, time_s: float, event: Callable[[], object]) -> None:
        """Let `event` happen at `time_s` [s], in the middle of whatever is under way."""

    @abstractmethod
    def between_cycles(self, time_s: float, command: Callable[[], object]) -> None:
        """Give `command` at `time_s` [s] as a thread does that waits for the driver's lock."""

    @abstractmethod
    def stand(self, seconds: float) -> None:
        """Stop the driver's process for `seconds` [s], in the middle of whatever it does; the world goes on."""

    @abstractmethod
    def tamper(self, event: Callable[[], object]) -> None:
        """Let `event` happen to servos, line or ports."""

    @abstractmethod
    def estop(self) -> None:
        """Call estop() past everything that waits; it is no command that can be refused."""

    # -- operators -----------------------------------------------------------------------------------------------------

    def run_until(self, condition: Callable[[], bool], at_most_s: float) -> bool:
        """Run until `condition` holds. Returns whether it did within `at_most_s` [s]."""
        end_s = self.now + at_most_s
        while not condition():
            if self.now >= end_s:
                return False
            self.run(1.0 / self.config.control_rate_hz)
        return True

    def true(self) -> FloatArray:
        """Where the joints truly are, shape (6,) [rad]."""
        return DEFAULT_CALIBRATION.ticks_to_rad([self.servos.link(servo) for servo in SERVO_IDS])

    def truth(self) -> Truth:
        """What the servos did so far; nothing is written to the log meanwhile."""
        taken: list[Truth] = []
        self.tamper(lambda: taken.append(self.log.truth()))
        return taken[0]

    def attempt(self, name: str, call: Callable[[], object]) -> bool:
        """Call a command of the driver; a refusal is written down. Returns whether it was carried out."""
        try:
            call()
        except DofbotError as error:
            self.record.refusals.append((self.now, name, str(error)))
            return False
        return True

    def follow(self, times: Sequence[float], points: FloatArray, velocities: FloatArray | None = None) -> bool:
        """Command a trajectory of the arm's joints through `points` [rad] (n, 6)."""
        here, begin_s = self.true(), self.now
        joints = JOINT_NAMES[:GRIP]
        speeds = None if velocities is None else velocities[:, :GRIP]
        if not self.attempt("follow", lambda: self.driver.follow(times, points[:, :GRIP], speeds, joints)):
            return False
        rest_s = begin_s + times[-1] + self.config.soft_start_s + SETTLE_S
        command = Commanded.of(begin_s, np.vstack([here, points]), rest_s, "trajectory", arm_joints())
        self.note(replace(command, first_s=times[0], first=points[0]))
        return True

    def stream(self, point: FloatArray, commanded: bool = True, by: Commander = LOCAL) -> bool:
        """Stream one point of the arm's joints [rad] (6,), made now; `commanded` when its operator means it."""
        stamp_s = self.now
        if not self.attempt("stream", lambda: self.driver.stream(point[:GRIP], stamp_s, JOINT_NAMES[:GRIP], by)):
            return False
        if commanded:
            rest_s = stamp_s + self.config.command_timeout_s + SETTLE_S
            self.note(Commanded.of(stamp_s, point[None], rest_s, "stream", arm_joints()))
        return True

    def gripper(self, gap_m: float, joint: float) -> bool:
        """Command a gap [m], which is the angle `joint` of grip_joint [rad]."""
        here, begin_s = self.true(), self.now
        if not self.attempt("gripper", lambda: self.driver.gripper(gap_m)):
            return False
        there = here.copy()
        there[GRIP] = joint
        rest_s = begin_s + 2.0 * abs(joint - here[GRIP]) / self.config.max_velocity + 0.5 + SETTLE_S
        self.note(Commanded.of(begin_s, np.vstack([here, there]), rest_s, "gripper", ~arm_joints()))
        return True

    def home(self) -> bool:
        """Command the upright pose."""
        here, begin_s = self.true(), self.now
        if not self.attempt("home", self.driver.home):
            return False
        there = np.append(np.zeros(GRIP), here[GRIP])
        rest_s = begin_s + float(np.abs(here[:GRIP]).max()) / self.config.max_velocity + 1.5 + SETTLE_S
        self.note(Commanded.of(begin_s, np.vstack([here, there]), rest_s, "home", arm_joints()))
        return True

    def stop(self) -> None:
        """Call stop()."""
        self.record.halts.append(Halt(self.now, "stop"))
        self.attempt("stop", self.driver.stop)

    def torque(self, enabled: bool) -> None:
        """Call set_torque()."""
        if self.attempt("enable_torque", lambda: self.driver.set_torque(enabled)):
            self.record.torque_orders.append(TorqueOrder(self.now, enabled))

    def freedrive(self, enabled: bool) -> None:
        """Call freedrive()."""
        if self.attempt("freedrive", lambda: self.driver.freedrive(enabled)):
            self.record.torque_orders.append(TorqueOrder(self.now, not enabled))
            if enabled:
                self.record.halts.append(Halt(self.now, "freedrive"))

    def press(self, servo: int, ticks: float) -> None:
        """Let a load press a joint by so many ticks; where it then comes to is no doing of the driver.

        Somebody holds a limp joint with its load, and lets go as soon as it has torque: it may sag, by this load once.
        """
        joint, here = SERVO_IDS.index(servo), np.array([self.servos.link(one) for one in SERVO_IDS])
        loaded = here.copy()
        loaded[joint] += ticks
        moved = (DEFAULT_CALIBRATION.ticks_to_rad(loaded) - DEFAULT_CALIBRATION.ticks_to_rad(here))[joint]
        sag = 0.0 if self.servos.holding(servo) else float(moved)
        for late_s in (0.0, 0.05):
            self.at(self.now + late_s, lambda: self.record.hands.append(Hand(self.now, joint, sag)))
        self.servos.load(servo, ticks)

    def turn_by_hand(self, servo: int, ticks: float) -> None:
        """Turn a joint by so many ticks, if it has no torque."""
        if self.servos.holding(servo):
            return
        self.record.hands.append(Hand(self.now, SERVO_IDS.index(servo)))
        self.servos.turn_by_hand(servo, self.servos.link(servo) + ticks)

    def note(self, command: Commanded) -> None:
        """Write down a command that was accepted."""
        self.record.commands.append(command)

    def watch(self, time_s: float, state: ArmState, reason: str) -> None:
        """Write down what the driver says of itself at `time_s` [s], if it is news."""
        if state is self._state:
            return
        self._state = state
        self.record.states.append((time_s, state, reason))
        if state in HALTED:
            self.record.halts.append(Halt(time_s, state.value))


def arm_joints() -> BoolArray:
    """Which joints are the arm's, shape (6,)."""
    arm: BoolArray = np.arange(N_JOINTS) < GRIP
    return arm
