"""The daemon that owns the arm: one control cycle reads, decides and writes; commands come in beside it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.arm.backend import ArmBackend
from dofbot_ros.arm.gripper import MAX_GAP, gap_to_joint
from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.types import GRIP, JOINT_NAMES, N_JOINTS, ToolPose
from dofbot_ros.errors import BusError, CommandRefusedError, PortError
from dofbot_ros.motion.joint_columns import joint_columns
from dofbot_ros.motion.source import Follow, GoTo, MotionSource, Stream
from dofbot_ros.motion.tool_jog import ToolJog
from dofbot_ros.motion.trajectory import Sample, Trajectory
from dofbot_ros.motion.trajectory_bounds import MAX_POSITION
from dofbot_ros.safety.authority import LOCAL, Authority, Commander, Rank
from dofbot_ros.safety.estop import EmergencyStop, Trip
from dofbot_ros.safety.monitor import ArmMonitor
from dofbot_ros.safety.states import ArmState, arm_state
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.service.config import HOME, PARK, DriverConfig
from dofbot_ros.service.connection import Connection
from dofbot_ros.service.idle import idle_reason
from dofbot_ros.service.motion_control import MotionControl
from dofbot_ros.service.path_check import check_trajectory
from dofbot_ros.service.snapshot import Snapshot

READ_SHARE = 0.65
"""Share of a control period after which no servo is asked any more: a slow bus must not hold up the goals."""
PAUSED_S, PAUSED_PERIODS = 0.2, 5
"""A loop that stood still for longer than both has let the arm come to rest by itself."""
REPEATS = 3
"""The goals at which the arm comes to rest are sent so many times: one that is lost would be caught up with later."""
ATTEMPTS = 3
"""How often a trajectory is checked beside the loop before, since the arm keeps moving on, the loop waits for it."""
LIMIT_SLACK = 1e-4
"""A goal this far past a joint limit is rounding, and is brought to the limit [rad]."""
POSE_SLACK = 0.2
"""Home and park are brought to the limits of an arm that is narrower by less than this; refused beyond [rad]."""
QUICK_POINTS, QUICK_S = 200, 10.0
"""A trajectory no larger than this may be checked while the arm waits: it takes a few milliseconds."""

CLOSING = Commander("the driver's end", Rank.OPERATOR)

log = logging.getLogger(__name__)


class ArmDaemon:
    """Owns a backend. `step()` is called once a control period by one thread; commands may come from any.

    Every command but estop raises CommandRefusedError, with the reason, when it is not carried out. There are two
    locks: one for the bus, held for a control cycle or a switch of torque, and one for what is decided, held for a
    moment. The emergency stop takes neither.

    Args:
        backend: the arm; it is connected, and connected again, by step().
        config: rates, limits, behaviour.
        robot: kinematics and joint limits of the calibrated arm; those of the nominal calibration when None.
        workspace: where the arm may be; the default one when None.
    """

    def __init__(
        self,
        backend: ArmBackend,
        config: DriverConfig,
        robot: Robot | None = None,
        workspace: Workspace | None = None,
    ) -> None:
        self.config = config
        self.robot = robot or Robot.calibrated()
        self.kinematics = self.robot.kinematics
        self.workspace = workspace or Workspace(self.kinematics)
        self.limits = config.motion_limits(self.robot)
        self._link = Connection(backend, config.reconnect_s)
        self._clock = backend.clock
        self._motion = MotionControl(self.limits, self.workspace, config)
        self._monitor = ArmMonitor(config.stale_read_s, config.tracking_error, config.tracking_error_s)
        self._authority = Authority(config.engage_pause_s)
        self._estop = EmergencyStop()
        self._seen_trip: Trip | None = None
        self._bus = threading.RLock()
        self._lock = threading.RLock()
        self._torque = False
        self._freedrive = False
        self._fault = ""
        self._crash = ""
        self._cycle_s = self._clock.now()
        self._repeat = 0
        self._stopped = False
        self._closing = False
        self._snapshot = self._describe(self._clock.now())

    # -- the loop ----------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """What the last cycle left; never waits for the bus."""
        return self._snapshot

    def run(self, stop: Callable[[], bool], after_cycle: Callable[[Snapshot, Rate], None]) -> None:
        """Step at the control rate until `stop()`, then shut down as on_exit says.

        An exception of `after_cycle`, like one in the cycle itself, is a fault of the arm: it brakes and holds, and the
        loop goes on.
        """
        rate = Rate(self._clock, self.config.control_rate_hz)
        try:
            while not stop():
                snapshot = self.step()
                try:
                    after_cycle(snapshot, rate)
                except Exception as error:
                    self._crashed(error)
                rate.wait()
        finally:
            self.shutdown()

    def step(self) -> Snapshot:
        """One control cycle."""
        with self._bus:
            now = self._clock.now()
            try:
                with self._lock:
                    self._note_estop(now)
                if not self._link.connected:
                    self._connect(now)
                else:
                    self._cycle(now)
            except PortError as error:
                with self._lock:
                    self._motion.end(str(error))
                    self._authority.release(now)
                    self._torque = False
                    self._link.lose(str(error))
            except Exception as error:
                self._crashed(error)
            self._cycle_s = now
            with self._lock:
                self._snapshot = self._describe(self._clock.now())
            return self._snapshot

    def _cycle(self, now: float) -> None:
        reading = self._link.poll(now + READ_SHARE * self._motion.period_s, self._must_brake)
        if reading is None:
            return
        with self._lock:
            now = self._clock.now()
            self._note_estop(now)
            self._note_pause(now)
            if not self._fault:
                error = self._motion.adherence.error if self._torque else None
                self._fault = self._monitor.judge(reading, error, now)
                if self._fault:
                    self._authority.release(now)
            if not self._torque:
                return
            stopped = self._estop.reason or self._fault
            # Between a clear and the return of its cause a command may have come: it must not begin later.
            if stopped and (not self._stopped or self._motion.source is not None):
                self._motion.halt(stopped)
            self._stopped = bool(stopped)
            if self._motion.halting:
                self._motion.fall_back(self._link.underway())
            self._repeat = REPEATS if self._motion.braking else max(0, self._repeat - 1)
            governed = self._motion.brake(reading, now) if stopped else self._motion.decide(reading, now)
            if self._motion.source is not None:
                self._authority.renew(now)
            else:
                self._authority.settle(now)
            move_time_s = self._motion.move_time_s(now)
        self._link.write(governed.position, move_time_s, self._repeat > 0)

    def _must_brake(self) -> bool:
        """Whether an emergency stop waits to be carried out."""
        trip = self._estop.current
        return trip is not None and self._torque and (trip is not self._seen_trip or not self._motion.at_rest)

    def _note_estop(self, now: float) -> None:
        trip = self._estop.current
        if trip is not self._seen_trip:
            self._seen_trip = trip
            if trip is not None:
                self._motion.stop(trip.reason, now)
                self._authority.release(now)

    def _note_pause(self, now: float) -> None:
        stood_still_s = now - self._cycle_s
        if self._torque and stood_still_s > max(PAUSED_S, PAUSED_PERIODS * self._motion.period_s):
            self._motion.paused(f"this computer stood still for {stood_still_s:.1f} s", now)
            self._authority.release(now)

    def _connect(self, now: float) -> None:
        reading = self._link.connect()
        if reading is None:
            return
        with self._lock:
            self._fault = ""
            self._torque = self._freedrive = False
            self._monitor.reset()
            self._motion.start(reading.position, now)

    def _crashed(self, error: Exception) -> None:
        """An error of ours, not of the arm: brake, hold, say so, and go on serving."""
        reason = f"internal error, {type(error).__name__}: {error}"
        if reason != self._crash:
            log.error("the control loop failed; the arm brakes and holds", exc_info=error)
        with self._lock:
            self._crash = self._fault = reason
            self._motion.end(reason)
            self._authority.release(self._clock.now())

    # -- commands ----------------------------------------------------------------------------------------------------

    def follow(
        self,
        times: ArrayLike,
        positions: ArrayLike,
        velocities: ArrayLike | None = None,
        joints: Sequence[str] = JOINT_NAMES,
        by: Commander = LOCAL,
    ) -> int:
        """Start a trajectory, in place of whatever the arm does. Joints that are not named stay where they are.

        It is checked as a whole before it starts, while the control loop goes on.

        Args:
            times: [s] from now, shape (n,), strictly increasing.
            positions: [rad] shape (n, len(joints)).
            velocities: [rad/s] of the same shape, or None for smooth ones.
            joints: names of the columns.
            by: the commander.

        Returns:
            The number of the motion, as in Snapshot.motion and MotionResult.motion.
        """
        grips = JOINT_NAMES[GRIP] in joints
        for attempt in range(ATTEMPTS + 1):
            with self._lock:
                self._require_ready(by)
                start = self._motion.at
            trajectory = self._trajectory(times, positions, velocities, joints, start)
            wait = attempt == ATTEMPTS
            if wait and not (np.size(times) <= QUICK_POINTS and trajectory.duration_s <= QUICK_S):
                raise CommandRefusedError("the arm moves while this long trajectory is checked: stop it first")
            if not wait:
                check_trajectory(trajectory, self.limits, self.workspace)
            with self._lock:
                self._require_ready(by)
                now_at = self._motion.at
                moved = not (
                    np.array_equal(now_at.position, start.position) and np.array_equal(now_at.velocity, start.velocity)
                )
                if moved and not wait:
                    continue
                if wait:
                    trajectory = self._trajectory(times, positions, velocities, joints, now_at)
                    check_trajectory(trajectory, self.limits, self.workspace)
                return self._begin(Follow(trajectory, self._motion.period_s), by, grips=grips)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def stream(
        self, position: ArrayLike, stamp_s: float, joints: Sequence[str] = JOINT_NAMES, by: Commander = LOCAL
    ) -> int:
        """Follow single points, never past the last one; the arm halts when none has come for command_timeout_s.

        Args:
            position: [rad] shape (len(joints),).
            stamp_s: when the point was made, on the arm's clock [s].
            joints: names of the entries.
            by: the commander.
        """
        with self._lock:
            self._require_ready(by, stream=True)
            self._require_recent(stamp_s)
            point = joint_columns(np.asarray(position, dtype=np.float64)[None], joints, self._motion.at.position)[0]
            if not np.isfinite(point).all():
                raise CommandRefusedError("the streamed point holds a number that is not finite")
            if np.abs(point).max() > MAX_POSITION:
                raise CommandRefusedError(f"the streamed point {point.tolist()} is beyond {MAX_POSITION:g} rad")
            if isinstance(self._motion.source, Stream) and self._held_by(by):
                self._admit(by, stream=True)
                self._motion.source.renew(point, stamp_s)
                return self._motion.number
            return self._begin(Stream(point, stamp_s), by, grips=JOINT_NAMES[GRIP] in joints, stream=True)

    def twist(self, linear: ArrayLike, angular: ArrayLike, stamp_s: float, by: Commander = LOCAL) -> int:
        """Move the tool with a velocity in base_link; the arm halts when none has come for command_timeout_s.

        Args:
            linear: [m/s] shape (3,).
            angular: [rad/s] shape (3,); of it pitch and roll are followed, the yaw of five joints follows from x, y.
            stamp_s: when it was made, on the arm's clock [s].
            by: the commander.
        """
        with self._lock:
            self._require_ready(by, stream=True)
            self._require_recent(stamp_s)
            if isinstance(self._motion.source, ToolJog) and self._held_by(by):
                self._motion.source.renew((linear, angular), stamp_s)
                self._admit(by, stream=True)
                return self._motion.number
            at, generator = self._motion.at, self._motion.generator
            source = ToolJog(self.kinematics, generator, self.limits, (linear, angular), stamp_s)
            generator.reset(at.position, at.velocity)
            return self._begin(source, by, stream=True)

    def move_joints(
        self, target: ArrayLike, kind: str = "joints", by: Commander = LOCAL, slack: float = LIMIT_SLACK
    ) -> int:
        """Move the five arm joints to `target` [rad] (5,) and rest there.

        A joint that is to go past its limit by no more than `slack` [rad] goes to the limit.
        """
        with self._lock:
            self._require_ready(by)
            at = self._motion.at
            joints = np.asarray(target, dtype=np.float64)[:GRIP]
            if not np.isfinite(joints).all():
                raise CommandRefusedError(f"the goal holds a number that is not finite: {joints.tolist()}")
            goal = np.append(np.clip(joints, self.limits.lower[:GRIP], self.limits.upper[:GRIP]), at.position[GRIP])
            if (offence := np.abs(goal[:GRIP] - joints)).max() > slack:
                joint = int(offence.argmax())
                raise CommandRefusedError(
                    f"{JOINT_NAMES[joint]} is to go to {joints[joint]:.3f} rad; its limits are "
                    f"{self.limits.lower[joint]:.3f}..{self.limits.upper[joint]:.3f} rad"
                )
            if violation := self.workspace.violation(goal):
                raise CommandRefusedError(f"the goal is not allowed: {violation}")
            self._motion.generator.reset(at.position, at.velocity)
            return self._begin(GoTo(kind, self._motion.generator, goal), by)

    def move_tool(self, pose: ToolPose, by: Commander = LOCAL) -> int:
        """Move the tool to `pose`, by the nearest joint angles.

        Raises:
            UnreachableError: carries the nearest pose that is reachable.
        """
        with self._lock:
            self._require_ready(by)
            return self.move_joints(self.kinematics.solve(pose, near=self._motion.at.position[:GRIP]), "pose", by)

    def home(self, by: Commander = LOCAL) -> int:
        """Move upright."""
        return self.move_joints(HOME[:GRIP], "home", by, POSE_SLACK)

    def park(self, by: Commander = LOCAL) -> int:
        """Fold the arm."""
        return self.move_joints(PARK[:GRIP], "park", by, POSE_SLACK)

    def gripper(self, gap_m: float, by: Commander = LOCAL) -> None:
        """Open or close to a gap between the finger tips [m]; the arm's own motion goes on."""
        with self._lock:
            self._require_ready(by)
            if not 0.0 <= gap_m <= MAX_GAP:
                raise CommandRefusedError(f"a gap of {gap_m} m is outside 0..{MAX_GAP} m")
            goal = float(np.clip(gap_to_joint(gap_m), self.limits.lower[GRIP], self.limits.upper[GRIP]))
            self._motion.go_gripper(goal)

    def stop(self) -> None:
        """Brake and hold; new commands are welcome, a stream once it was engaged anew."""
        with self._lock:
            now = self._clock.now()
            self._motion.stop("stopped", now)
            self._authority.release(now)

    def set_torque(self, enabled: bool) -> None:
        """Hold the present pose, or let go. Letting go is always sent, in every state."""
        with self._bus:
            if not self._link.connected:
                raise CommandRefusedError(f"the arm is not connected: {self._link.offline}")
            if enabled:
                self._hold()
            else:
                self._let_go()

    def _hold(self) -> None:
        if self._estop.tripped or self._fault:
            raise CommandRefusedError(
                f"not while {self._describe(0.0).state.value}: {self._estop.reason or self._fault}"
            )
        reading = self._link.reading
        if (
            self._torque
            and reading is not None
            and set(reading.torque) in ({True}, {None})
            and not reading.silent_s.any()
        ):
            return
        try:
            reading = self._link.torque(True)
        except PortError:
            raise
        except BusError as error:
            raise CommandRefusedError(str(error)) from error
        with self._lock:
            now = self._clock.now()
            self._motion.start(reading.position, now)
            self._monitor.reset()
            self._authority.release(now)
            self._torque, self._freedrive, self._cycle_s = True, False, now

    def _let_go(self) -> None:
        with self._lock:
            now = self._clock.now()
            self._motion.stop("torque switched off", now)
            self._authority.release(now)
            self._torque = self._freedrive = False
        try:
            self._link.torque(False)
        except PortError:
            raise
        except BusError as error:
            raise CommandRefusedError(str(error)) from error

    def freedrive(self, enabled: bool) -> None:
        """Let the arm be led by hand, or hold it where it has been led to."""
        with self._bus:
            self.set_torque(not enabled)
            self._freedrive = enabled

    def estop(self, reason: str = "emergency stop") -> None:
        """Brake at once and refuse everything until reset_estop(); latched in every state. Waits for nothing."""
        self._estop.trip(reason)

    def reset_estop(self) -> None:
        """Allow commands again; nothing moves by itself, and a stream that runs has to be engaged anew."""
        trip = self._estop.current
        if trip is None:
            raise CommandRefusedError("there is no emergency stop to reset")
        with self._lock:
            now = self._clock.now()
            self._note_estop(now)
            self._authority.release(now)
            self._motion.soften(now)
            self._estop.reset(trip)

    def clear_fault(self) -> None:
        """Forget the fault; it comes back when its cause still stands. The arm stays where it holds, and starts softly.

        What the arm holds is not taken from the readings: the fault may be theirs.
        """
        with self._lock:
            if not self._fault:
                raise CommandRefusedError("there is no fault to clear")
            now = self._clock.now()
            self._fault = self._crash = ""
            self._monitor.reset()
            self._authority.release(now)
            self._motion.soften(now)

    def shutdown(self) -> None:
        """Brake, do what on_exit says, and let go of the port. Called once, by the thread of the loop."""
        self._closing = True
        try:
            if self._link.connected and self._torque:
                self.stop()
                self._step_until(lambda: self._motion.at_rest, 2.0)
                if self.config.on_exit == "park" and not (self._estop.tripped or self._fault):
                    self.park(CLOSING)
                    self._step_until(lambda: self._motion.source is None, 15.0)
                if self.config.on_exit != "hold" and not self._crash:
                    self.set_torque(False)
        except (BusError, CommandRefusedError) as error:
            self._link.last_bus_error = str(error)
        finally:
            self._link.close()
            self._snapshot = self._describe(self._clock.now())

    # -- helpers -----------------------------------------------------------------------------------------------------

    def _step_until(self, done: Callable[[], bool], at_most_s: float) -> None:
        rate = Rate(self._clock, self.config.control_rate_hz)
        deadline = self._clock.now() + at_most_s
        while not done() and self._link.connected and self._clock.now() < deadline:
            self.step()
            rate.wait()

    def _trajectory(
        self,
        times: ArrayLike,
        positions: ArrayLike,
        velocities: ArrayLike | None,
        joints: Sequence[str],
        start: Sample,
    ) -> Trajectory:
        full = joint_columns(positions, joints, start.position)
        speeds = None if velocities is None else joint_columns(velocities, joints, np.zeros(N_JOINTS))
        if JOINT_NAMES[GRIP] not in joints:
            # The gripper may be moving, by itself: that is no part of this trajectory.
            start = Sample(start.position, np.append(start.velocity[:GRIP], 0.0))
        return Trajectory(times, full, speeds, start)

    def _begin(self, source: MotionSource, by: Commander, grips: bool = False, stream: bool = False) -> int:
        self._admit(by, stream)
        return self._motion.begin(source, grips)

    def _admit(self, by: Commander, stream: bool) -> None:
        now = self._clock.now()
        if self._authority.admit(by, now, stream):
            self._motion.soften(now)

    def _held_by(self, by: Commander) -> bool:
        holder = self._authority.holder(self._clock.now())
        return holder == by

    def _require_ready(self, by: Commander, stream: bool = False) -> None:
        if self._closing and by is not CLOSING:
            raise CommandRefusedError("the driver is shutting down")
        state = self._describe(0.0).state
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

    def _describe(self, now: float) -> Snapshot:
        motion, link, estop = self._motion, self._link, self._estop.reason
        state = arm_state(link.connected, bool(estop), bool(self._fault), self._torque, motion.moving)
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
            motion=motion.number if motion.source is not None else 0,
            kind=motion.source.kind if motion.source is not None else "",
            gripper_moving=motion.grip.moving,
            result=motion.result,
            stops=motion.stops,
            commander=holder.name if holder is not None else "",
            handover=self._authority.handover,
            handovers=self._authority.handovers,
            limited=motion.limited,
            limited_counts=dict(motion.limited_counts),
            bus=link.stats(),
            bus_errors=link.bus_errors,
            last_bus_error=link.last_bus_error,
        )
