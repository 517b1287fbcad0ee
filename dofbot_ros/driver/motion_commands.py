"""The commands that move the arm: each is carried out whole, or refused with the reason."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.arm.gripper import MAX_GAP, gap_to_joint
from dofbot_ros.core.types import GRIP, JOINT_NAMES, N_JOINTS, ToolPose
from dofbot_ros.driver.arm_core import ArmCore
from dofbot_ros.driver.config import HOME, PARK
from dofbot_ros.driver.motion_events import EndCode
from dofbot_ros.driver.path_check import check_trajectory
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.motion.joint_columns import joint_columns
from dofbot_ros.motion.source import Follow, GoTo, MotionSource, Stream
from dofbot_ros.motion.tool_jog import ToolJog
from dofbot_ros.motion.trajectory import Sample, Trajectory
from dofbot_ros.motion.trajectory_bounds import MAX_POSITION
from dofbot_ros.safety.authority import LOCAL, Commander

ATTEMPTS = 3
"""How often a trajectory is checked beside the loop before, since the arm keeps moving on, the loop waits for it."""
LIMIT_SLACK = 1e-4
"""A goal this far past a joint limit is rounding, and is brought to the limit [rad]."""
POSE_SLACK = 0.2
"""Home and park are brought to the limits of an arm that is narrower by less than this; refused beyond [rad]."""
QUICK_POINTS, QUICK_S = 200, 10.0
"""A trajectory no larger than this may be checked while the arm waits: it takes a few milliseconds."""


class MotionCommands(ArmCore):
    """What may be asked of the arm, from any thread.

    Every command raises CommandRefusedError, with the reason, when it is not carried out.
    """

    def follow(
        self,
        times: ArrayLike,
        positions: ArrayLike,
        velocities: ArrayLike | None = None,
        joints: Sequence[str] = JOINT_NAMES,
        by: Commander = LOCAL,
        *,
        accelerations: ArrayLike | None = None,
    ) -> int:
        """Start a trajectory, in place of whatever the arm does. Joints that are not named stay where they are.

        It is checked as a whole before it starts, while the control loop goes on.

        Args:
            times: [s] from now, shape (n,), strictly increasing.
            positions: [rad] shape (n, len(joints)).
            velocities: [rad/s] of the same shape, or None for smooth ones.
            joints: names of the columns.
            by: the commander.
            accelerations: [rad/s^2] of the same shape, or None; need velocities.

        Returns:
            The number of the motion, as in Snapshot.motion and MotionResult.motion.
        """
        grips = JOINT_NAMES[GRIP] in joints
        for _ in range(ATTEMPTS):
            with self._lock:
                self._require_ready(by)
                start = self._motion.at
            trajectory = self._trajectory(times, positions, velocities, accelerations, joints, start=start)
            check_trajectory(trajectory, self.limits, self.workspace)
            with self._lock:
                self._require_ready(by)
                at = self._motion.at
                if np.array_equal(at.position, start.position) and np.array_equal(at.velocity, start.velocity):
                    return self._begin(Follow(trajectory, self._motion.period_s), by, grips=grips)
        if np.size(times) > QUICK_POINTS or trajectory.duration_s > QUICK_S:
            raise CommandRefusedError("the arm moves while this long trajectory is checked: stop it first")
        with self._lock:
            self._require_ready(by)
            trajectory = self._trajectory(times, positions, velocities, accelerations, joints, start=self._motion.at)
            check_trajectory(trajectory, self.limits, self.workspace)
            return self._begin(Follow(trajectory, self._motion.period_s), by, grips=grips)

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

    def gripper(self, gap_m: float, by: Commander = LOCAL) -> int:
        """Open or close to a gap between the finger tips [m]; the arm's own motion goes on."""
        with self._lock:
            self._require_ready(by)
            if not 0.0 <= gap_m <= MAX_GAP:
                raise CommandRefusedError(f"a gap of {gap_m} m is outside 0..{MAX_GAP} m")
            goal = float(np.clip(gap_to_joint(gap_m), self.limits.lower[GRIP], self.limits.upper[GRIP]))
            return self._motion.go_gripper(goal, by.name)

    def stop(self) -> None:
        """Brake and hold; new commands are welcome, a stream once it was engaged anew."""
        with self._lock:
            now = self._clock.now()
            self._motion.stop(EndCode.STOPPED, "stopped", now)
            self._authority.release(now)

    def _trajectory(
        self,
        times: ArrayLike,
        positions: ArrayLike,
        velocities: ArrayLike | None,
        accelerations: ArrayLike | None,
        joints: Sequence[str],
        *,
        start: Sample,
    ) -> Trajectory:
        full = joint_columns(positions, joints, start.position)
        speeds, changes = (
            None if rows is None else joint_columns(rows, joints, np.zeros(N_JOINTS))
            for rows in (velocities, accelerations)
        )
        if JOINT_NAMES[GRIP] not in joints:
            # The gripper may be moving, by itself: that is no part of this trajectory.
            start = Sample(start.position, np.append(start.velocity[:GRIP], 0.0))
        speed = self.config.speed
        if speed < 1.0:
            # As an override of an industrial controller: the same path, played slower.
            times = np.divide(times, speed)
            speeds = None if speeds is None else speeds * speed
            changes = None if changes is None else changes * speed**2
        return Trajectory(times, full, speeds, start, changes)

    def _begin(self, source: MotionSource, by: Commander, grips: bool = False, stream: bool = False) -> int:
        self._admit(by, stream)
        return self._motion.begin(source, grips, by.name)
