"""What the daemon knows of its arm: shared by the control loop and by the commands that come in beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from dofbot_ros.arm.backend import ArmBackend
from dofbot_ros.arm.gravity import Gravity
from dofbot_ros.arm.robot import Robot
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.driver.connection import Connection
from dofbot_ros.driver.idle import idle_reason
from dofbot_ros.driver.motion_control import MotionControl
from dofbot_ros.driver.motion_events import MotionEvent
from dofbot_ros.driver.snapshot import Snapshot
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.motion.goal_trim import GoalTrim
from dofbot_ros.safety.authority import Authority, Commander, Rank
from dofbot_ros.safety.estop import EmergencyStop, Trip
from dofbot_ros.safety.monitor import ArmMonitor
from dofbot_ros.safety.states import ArmState, arm_state
from dofbot_ros.safety.workspace import Workspace

CLOSING = Commander("the driver's end", Rank.OPERATOR)
"""Parks the arm when everyone else is refused already."""


class ArmCore:
    """The arm's facts, and whether a command may be carried out.

    There are two locks: one for the bus, held for a control cycle or a switch of torque, and one for what is decided,
    held for a moment. The emergency stop takes neither.

    Args:
        backend: the arm.
        config: rates, limits, behaviour.
        robot: kinematics and joint limits of the calibrated arm; those of the nominal calibration when None.
        workspace: where the arm may be; the default one when None.
        speed: the share of its limits that the arm on the line may have, asked for upon each connection: only then is
            it known what answers there; that of `config` when None.
    """

    def __init__(
        self,
        backend: ArmBackend,
        config: DriverConfig,
        robot: Robot | None = None,
        workspace: Workspace | None = None,
        speed: Callable[[], float] | None = None,
    ) -> None:
        self.config = config
        self.robot = robot or Robot.calibrated()
        self.kinematics = self.robot.kinematics
        self.workspace = workspace or Workspace(self.kinematics)
        self.limits = config.motion_limits(self.robot)
        self._speed = speed or (lambda: config.speed)
        self._link = Connection(backend, config.reconnect_s)
        self._clock = backend.clock
        self._motion = MotionControl(self.limits, self.workspace, config)
        self._trim = GoalTrim(Gravity(self.kinematics), self._motion.period_s, config.goal_trim)
        self._monitor = ArmMonitor(
            config.stale_read_s, config.tracking_error, config.tracking_error_s, config.voltage_fault_s
        )
        self._authority = Authority(config.engage_pause_s)
        self._estop = EmergencyStop()
        self._seen_trip: Trip | None = None
        self._bus = threading.RLock()
        self._lock = threading.RLock()
        self._torque = False
        self._freedrive = False
        self._fault = ""
        self._crash = ""
        self._logging: threading.Thread | None = None
        self._cycle_s = self._clock.now()
        self._repeat = 0
        self._stopped = False
        self._closing = False
        self._snapshot = self._describe(self._clock.now())

    def snapshot(self) -> Snapshot:
        """What the last cycle left; never waits for the bus."""
        return self._snapshot

    def estop(self, reason: str = "emergency stop") -> None:
        """Brake at once and refuse everything until reset_estop(); latched in every state. Waits for nothing."""
        self._estop.trip(reason)

    def set_max_velocity(self, max_velocity: float) -> None:
        """Another joint velocity limit [rad/s], of which `speed` is in use; at once, also for a motion that runs.

        What is faster brakes to it. A trajectory that was planned for more falls behind and is given up (`limited`),
        a tool goal or a stream is followed more slowly.

        Raises:
            ConfigError: outside its range; nothing has changed.
        """
        config = replace(self.config, max_velocity=max_velocity)
        limits = config.motion_limits(self.robot)
        with self._bus, self._lock:
            self.config, self.limits = config, limits
            self._motion.limit(limits)
            self._link.limit_speed(config.velocity)

    def _take_speed(self) -> None:
        """Set the speed that the connected arm is allowed, before it moves."""
        speed = self._speed()
        if speed == self.config.speed:
            return
        self.config = replace(self.config, speed=speed)
        self.limits = self.config.motion_limits(self.robot)
        self._motion = MotionControl(self.limits, self.workspace, self.config, self._motion.log)
        self._link.limit_speed(self.config.velocity)

    def _require_ready(self, by: Commander, stream: bool = False) -> None:
        if self._closing and by is not CLOSING:
            raise CommandRefusedError("the driver is shutting down")
        state = self._state()
        if stream and state not in (ArmState.HOLD, ArmState.ACTIVE):
            self._authority.refused(by, self._clock.now())
        if state is ArmState.DISCONNECTED:
            raise CommandRefusedError(f"the arm is not connected: {self._link.offline}")
        if state in (ArmState.ESTOP, ArmState.FAULT):
            service = "reset_estop" if state is ArmState.ESTOP else "clear_fault"
            raise CommandRefusedError(f"{state.value}: {self._estop.reason or self._fault}; call {service} first")
        if state is ArmState.IDLE:
            raise CommandRefusedError(
                "freedrive is on: switch it off first" if self._freedrive else "torque is off: call enable_torque first"
            )
        self._authority.check(by, self._clock.now(), stream)

    def _require_recent(self, stamp_s: float) -> None:
        age = self._clock.now() - stamp_s
        if not age <= self.config.command_timeout_s:
            raise CommandRefusedError(f"the command is {age:.2f} s old, the limit is {self.config.command_timeout_s} s")

    def _admit(self, by: Commander, stream: bool) -> None:
        now = self._clock.now()
        if self._authority.admit(by, now, stream):
            self._motion.soften(now)

    def _held_by(self, by: Commander) -> bool:
        holder = self._authority.holder(self._clock.now())
        return holder == by

    def _state(self) -> ArmState:
        moving = self._motion.moving or self._trim.busy
        return arm_state(self._link.connected, self._estop.tripped, bool(self._fault), self._torque, moving)

    def _describe(self, now: float, events: tuple[MotionEvent, ...] = ()) -> Snapshot:
        state = self._state()
        motion, link, estop = self._motion, self._link, self._estop.reason
        reason = {
            ArmState.DISCONNECTED: link.offline,
            ArmState.ESTOP: "; ".join(filter(None, (estop, self._fault))),
            ArmState.FAULT: self._fault,
            ArmState.IDLE: idle_reason(link.reading, self._freedrive),
        }.get(state, "")
        holder = self._authority.holder(self._clock.now())
        return Snapshot(
            stamp_s=now,
            state=state,
            reason=reason,
            torque=self._torque,
            reading=link.reading,
            sent=link.sent,
            motion=motion.number,
            kind=motion.source.kind if motion.source is not None else "",
            gripper_moving=motion.grip.moving,
            result=motion.log.last,
            events=events,
            commander=holder.name if holder is not None else "",
            handover=self._authority.handover,
            handovers=self._authority.handovers,
            trim=self._trim.offset,
            limited=motion.limited,
            limited_counts=dict(motion.limited_counts),
            bus=link.stats(),
            bus_errors=link.bus_errors,
            last_bus_error=link.last_bus_error,
        )
