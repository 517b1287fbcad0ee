"""The daemon that owns the arm: one control cycle reads, decides and writes; commands come in beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.arm.backend import ArmBackend
from dofbot_ros.arm.gripper import CLOSED, MAX_GAP, gap_to_joint
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.types import GRIP, JOINT_NAMES, N_JOINTS, ToolPose
from dofbot_ros.errors import BusError, CommandRefusedError, PortError
from dofbot_ros.motion.joint_columns import joint_columns
from dofbot_ros.motion.source import Follow, GoTo, Jog, Stream
from dofbot_ros.motion.trajectory import MotionLimits, Sample, Trajectory
from dofbot_ros.motion.twist import joint_velocity
from dofbot_ros.safety.monitor import ArmMonitor
from dofbot_ros.safety.states import ArmState, arm_state
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.service.arm_link import ArmLink
from dofbot_ros.service.config import HOME, PARK, DriverConfig
from dofbot_ros.service.motion_control import MotionControl
from dofbot_ros.service.snapshot import Snapshot


class ArmDaemon:
    """Owns a backend. `step()` is called once a control period by one thread; commands may come from any.

    Every command but estop raises CommandRefusedError, with the reason, when it is not carried out.

    Args:
        backend: the arm; it is connected, and connected again, by step().
        config: rates, limits, behaviour.
        kinematics: lengths and joint limits; of the calibrated arm where there is a calibration.
        workspace: where the arm may be; the default one when None.
    """

    def __init__(
        self,
        backend: ArmBackend,
        config: DriverConfig,
        kinematics: Kinematics | None = None,
        workspace: Workspace | None = None,
    ) -> None:
        self.config = config
        self.kinematics = kinematics or Kinematics()
        self.workspace = workspace or Workspace(self.kinematics)
        self.limits = MotionLimits(
            np.append(self.kinematics.lower, 0.0),
            np.append(self.kinematics.upper, CLOSED),
            np.full(N_JOINTS, config.max_velocity),
            np.full(N_JOINTS, config.max_acceleration),
        )
        self._link = ArmLink(backend, config.reconnect_s)
        self._clock = backend.clock
        self._motion = MotionControl(self.limits, self.workspace, config)
        self._monitor = ArmMonitor(config.stale_read_s, config.tracking_error, config.tracking_error_s)
        self._lock = threading.RLock()
        self._torque = False
        self._freedrive = False
        self._estop = ""
        self._fault = ""
        self._snapshot = self._describe(self._clock.now())

    # -- the loop ----------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """What the last cycle left; never waits for the bus."""
        return self._snapshot

    def run(self, stop: Callable[[], bool], after_cycle: Callable[[Snapshot, Rate], None]) -> None:
        """Step at the control rate until `stop()`, then shut down as on_exit says."""
        rate = Rate(self._clock, self.config.control_rate_hz)
        try:
            while not stop():
                after_cycle(self.step(), rate)
                rate.wait()
        finally:
            self.shutdown()

    def step(self) -> Snapshot:
        """One control cycle."""
        with self._lock:
            now = self._clock.now()
            if not self._link.connected:
                self._connect(now)
            else:
                try:
                    self._cycle(now)
                except PortError as error:
                    self._motion.end(str(error))
                    self._torque = False
                    self._link.lose(str(error))
            self._snapshot = self._describe(self._clock.now())
            return self._snapshot

    def _cycle(self, now: float) -> None:
        reading = self._link.poll()
        if reading is None:
            return
        if not self._fault:
            commanded = self._motion.at.position if self._torque else None
            self._fault = self._monitor.judge(reading, commanded, self._clock.now())
        if not self._torque:
            return
        if self._estop or self._fault:
            self._motion.end(self._estop or self._fault)
            governed = self._motion.brake()
        else:
            governed = self._motion.decide(reading.position, now)
        self._link.write(governed.position, self._motion.period_s)

    def _connect(self, now: float) -> None:
        reading = self._link.connect()
        if reading is None:
            return
        self._fault = ""
        self._torque = self._freedrive = False
        self._monitor.reset()
        self._motion.start(reading.position, now)

    # -- commands ----------------------------------------------------------------------------------------------------

    def follow(
        self,
        times: ArrayLike,
        positions: ArrayLike,
        velocities: ArrayLike | None = None,
        joints: Sequence[str] = JOINT_NAMES,
    ) -> int:
        """Start a trajectory, in place of whatever the arm does. Joints that are not named stay where they are.

        Args:
            times: [s] from now, shape (n,), strictly increasing.
            positions: [rad] shape (n, len(joints)).
            velocities: [rad/s] of the same shape, or None for smooth ones.
            joints: what the columns are.

        Returns:
            The number of the motion, as in Snapshot.motion and MotionResult.motion.
        """
        with self._lock:
            self._require_ready()
            start = self._motion.at
            full = joint_columns(positions, joints, start.position)
            speeds = None if velocities is None else joint_columns(velocities, joints, np.zeros(N_JOINTS))
            grips = JOINT_NAMES[GRIP] in joints
            if not grips:
                # The gripper may be moving, by itself: that is no part of this trajectory.
                start = Sample(start.position, np.append(start.velocity[:GRIP], 0.0))
            trajectory = Trajectory(times, full, speeds, start)
            trajectory.check(self.limits)
            self._check_path(trajectory)
            return self._motion.begin(Follow(trajectory, self._motion.period_s), grips)

    def stream(self, position: ArrayLike, stamp_s: float, joints: Sequence[str] = JOINT_NAMES) -> int:
        """Follow single points; the arm halts when none has come for command_timeout_s.

        Args:
            position: [rad] shape (len(joints),).
            stamp_s: when the point was made, on the arm's clock [s].
            joints: what the entries are.
        """
        with self._lock:
            self._require_ready()
            self._require_recent(stamp_s)
            point = joint_columns(np.asarray(position, dtype=np.float64)[None], joints, self._motion.at.position)[0]
            if not np.isfinite(point).all():
                raise CommandRefusedError("the streamed point holds a number that is not finite")
            if isinstance(self._motion.source, Stream):
                self._motion.source.renew(point, stamp_s)
                return self._motion.number
            return self._motion.begin(Stream(point, stamp_s), grips=JOINT_NAMES[GRIP] in joints)

    def twist(self, linear: ArrayLike, angular: ArrayLike, stamp_s: float) -> int:
        """Move the tool with a velocity in base_link; the arm halts when none has come for command_timeout_s.

        Args:
            linear: [m/s] shape (3,).
            angular: [rad/s] shape (3,); of it pitch and roll are followed, the yaw of five joints follows from x, y.
            stamp_s: when it was made, on the arm's clock [s].
        """
        with self._lock:
            self._require_ready()
            self._require_recent(stamp_s)
            at = self._motion.at
            velocity = np.append(
                joint_velocity(self.kinematics, at.position[:GRIP], linear, angular, self.limits.velocity[:GRIP]), 0.0
            )
            if isinstance(self._motion.source, Jog):
                self._motion.source.renew(velocity, stamp_s)
                return self._motion.number
            self._motion.generator.reset(at.position, at.velocity)
            return self._motion.begin(Jog("twist", self._motion.generator, velocity, stamp_s))

    def move_joints(self, target: ArrayLike, kind: str = "joints") -> int:
        """Move the five arm joints to `target` [rad] (5,) and rest there."""
        with self._lock:
            self._require_ready()
            at = self._motion.at
            goal = np.append(np.asarray(target, dtype=np.float64)[:GRIP], at.position[GRIP])
            if offence := self.workspace.violation(goal):
                raise CommandRefusedError(f"the goal is not allowed: {offence}")
            self._motion.generator.reset(at.position, at.velocity)
            return self._motion.begin(GoTo(kind, self._motion.generator, goal))

    def move_tool(self, pose: ToolPose) -> int:
        """Move the tool to `pose`, by the nearest joint angles.

        Raises:
            UnreachableError: carries the nearest pose that is reachable.
        """
        with self._lock:
            self._require_ready()
            return self.move_joints(self.kinematics.solve(pose, near=self._motion.at.position[:GRIP]), "pose")

    def home(self) -> int:
        """Move upright."""
        return self.move_joints(HOME[:GRIP], "home")

    def park(self) -> int:
        """Fold the arm."""
        return self.move_joints(PARK[:GRIP], "park")

    def gripper(self, gap_m: float) -> None:
        """Open or close to a gap between the finger tips [m]; the arm's own motion goes on."""
        with self._lock:
            self._require_ready()
            if not 0.0 <= gap_m <= MAX_GAP:
                raise CommandRefusedError(f"a gap of {gap_m} m is outside 0..{MAX_GAP} m")
            self._motion.grip.go(float(gap_to_joint(gap_m)))

    def stop(self) -> None:
        """Brake and hold; new commands are welcome."""
        with self._lock:
            self._motion.stop("stopped")

    def set_torque(self, enabled: bool) -> None:
        """Hold the present pose, or let go."""
        with self._lock:
            if not self._link.connected:
                raise CommandRefusedError(f"the arm is not connected: {self._link.offline}")
            if enabled and (self._estop or self._fault):
                raise CommandRefusedError(f"not while {self._describe(0.0).state.value}: {self._estop or self._fault}")
            if enabled == self._torque:
                return
            if enabled:
                reading = self._link.read()
                if not reading.fresh.all():
                    raise CommandRefusedError("not every servo tells where it is: torque stays off")
                self._motion.start(reading.position, self._clock.now())
                self._monitor.reset()
            else:
                self._motion.stop("torque switched off")
            self._link.torque(enabled)
            self._torque, self._freedrive = enabled, False

    def freedrive(self, enabled: bool) -> None:
        """Let the arm be led by hand, or hold it where it has been led to."""
        with self._lock:
            self.set_torque(not enabled)
            self._freedrive = enabled

    def estop(self, reason: str = "emergency stop") -> None:
        """Brake at once and refuse everything until reset_estop(); latched in every state."""
        with self._lock:
            self._estop = self._estop or reason
            self._motion.stop(self._estop)

    def reset_estop(self) -> None:
        """Allow commands again; nothing moves by itself."""
        with self._lock:
            if not self._estop:
                raise CommandRefusedError("there is no emergency stop to reset")
            self._estop = ""

    def clear_fault(self) -> None:
        """Forget the fault; it comes back with the next cycle when its cause still stands."""
        with self._lock:
            if not self._fault:
                raise CommandRefusedError("there is no fault to clear")
            self._fault = ""
            self._monitor.reset()
            reading = self._link.reading
            if self._torque and reading is not None and reading.fresh.all():
                # The arm may not be where it was told to go: go on from where it is, softly.
                self._motion.start(reading.position, self._clock.now())

    def shutdown(self) -> None:
        """Brake, do what on_exit says, and let go of the port. Called once, by the thread of the loop."""
        try:
            if self._link.connected and self._torque:
                self.stop()
                self._step_until(lambda: self._motion.at_rest, 2.0)
                if self.config.on_exit == "park" and not (self._estop or self._fault):
                    self.park()
                    self._step_until(lambda: self._motion.source is None, 15.0)
                if self.config.on_exit != "hold":
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

    def _require_ready(self) -> None:
        state = self._describe(0.0).state
        if state is ArmState.DISCONNECTED:
            raise CommandRefusedError(f"the arm is not connected: {self._link.offline}")
        if state in (ArmState.ESTOP, ArmState.FAULT):
            service = "reset_estop" if state is ArmState.ESTOP else "clear_fault"
            raise CommandRefusedError(f"{state.value}: {self._estop or self._fault}; call {service} first")
        if state is ArmState.IDLE:
            raise CommandRefusedError(
                "freedrive is on: switch it off first" if self._freedrive else "torque is off: call enable_torque first"
            )

    def _require_recent(self, stamp_s: float) -> None:
        age = self._clock.now() - stamp_s
        if not age <= self.config.command_timeout_s:
            raise CommandRefusedError(f"the command is {age:.2f} s old, the limit is {self.config.command_timeout_s} s")

    def _check_path(self, trajectory: Trajectory) -> None:
        times = np.arange(1, np.ceil(trajectory.duration_s / self._motion.period_s) + 1) * self._motion.period_s
        offence = self.workspace.first_violation(trajectory.sample(times).position, self._motion.at.position)
        if offence is not None:
            raise CommandRefusedError(f"after {times[offence[0]]:.2f} s: {offence[1]}")

    def _describe(self, now: float) -> Snapshot:
        motion, link = self._motion, self._link
        state = arm_state(link.connected, bool(self._estop), bool(self._fault), self._torque, motion.moving)
        reason = {
            ArmState.DISCONNECTED: link.offline,
            ArmState.ESTOP: self._estop,
            ArmState.FAULT: self._fault,
            ArmState.IDLE: "freedrive" if self._freedrive else "torque is off",
        }.get(state, "")
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
            limited=motion.limited,
            limited_counts=dict(motion.limited_counts),
            bus=link.stats(),
            bus_errors=link.bus_errors,
            last_bus_error=link.last_bus_error,
        )
