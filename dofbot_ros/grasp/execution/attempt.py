"""One grasp attempt on any arm backend: reach, descend, close, lift, shake; and how it ended."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dofbot_ros.arm.backend import ArmBackend
from dofbot_ros.arm.gripper import joint_to_gap
from dofbot_ros.arm.holding import holds
from dofbot_ros.core.types import GRIP, N_ARM, FloatArray
from dofbot_ros.grasp.planning.block_plan import joint_line
from dofbot_ros.grasp.planning.planar_plan import GraspMotion
from dofbot_ros.motion.goal_trim import GoalTrim
from dofbot_ros.motion.timed_path import TimedPath, retime
from dofbot_ros.motion.trajectory import MotionLimits, Sample, Trajectory

Outcome = Literal["lifted", "missed", "slipped", "collided", "unreachable"]

PERIOD_S = 0.02
"""Between two goals that are sent to the servos [s]."""

LEAD = 0.20
"""The gripper's goal stays this much ahead of where the fingers are [rad]: enough for the servo's full force."""

LIFTED_M = 0.050
"""What an object has to rise by to count as lifted [m]."""

ARRIVED_RAD = 0.02
"""Joints this near to the end of a motion have arrived [rad]; sag and the servos' dead band leave less."""

LATE_S = 1.0
"""How long a motion may end late [s]."""

FAR_RAD = 0.1
"""A joint further from its goal than this is held up by something [rad]."""

PUSHED_M = 0.006
"""An object that is moved by more than this before the fingers close was hit on the way down [m]."""

OPENING_S = 0.5
"""What the fingers take to open [s]."""

SHAKE_S = 1.0
SHAKE_HZ = 3.0
SHAKE = np.array([0.10, 0.0, 0.0, 0.08, 0.10])
"""Amplitude of the shaking in each joint [rad]: some 7 m/s^2 at the fingers."""

Heights = Callable[[], FloatArray]
"""Positions of all objects (n, 3) [m]."""


class Mover:
    """Moves one arm along timed paths by sending goals at a fixed rate.

    Args:
        arm: connected, torque on.
        trim: makes goals lead against what gravity takes from the joints; None: they are sent as they are.
    """

    def __init__(self, arm: ArmBackend, trim: GoalTrim | None = None) -> None:
        self._arm = arm
        self._trim = trim
        self._goal = arm.read().position.copy()
        self._pressing = False

    @property
    def goal(self) -> FloatArray:
        """What was asked for last [rad], (6,)."""
        return self._goal

    def follow(self, path: TimedPath) -> None:
        """Run along `path` and wait until the servos have caught up."""
        grip = np.full((len(path.times), 1), self._goal[GRIP])
        start = Sample(np.append(path.positions[0], self._goal[GRIP]), np.zeros(N_ARM + 1))
        trajectory = Trajectory(
            path.times,
            np.hstack([path.positions, grip]),
            np.hstack([path.velocities, np.zeros_like(grip)]),
            start,
        )
        times = PERIOD_S * np.arange(1, math.ceil(path.duration_s / PERIOD_S) + 1)
        self._stream(trajectory.sample(times).position)
        self._rest(0.06)
        self._arrive()

    @property
    def holding(self) -> bool:
        """Whether something stands between the fingers."""
        return holds(joint_to_gap(self._grip()))

    def open(self) -> None:
        """Open the fingers."""
        self._pressing = False
        self._goal[GRIP] = 0.0
        for _ in range(round(OPENING_S / PERIOD_S)):
            self._send()

    def close(self) -> float:
        """Close the fingers until they are shut or something stops them. Returns grip_joint's angle [rad].

        From then on they go on closing while the arm moves: an object that is held by its edges turns in the hand as
        it leaves the table, and the fingers have to come after it.
        """
        self._pressing = True
        held, standing = self._grip(), 0
        for _ in range(round(1.5 / PERIOD_S)):
            self._send()
            measured = self._grip()
            standing = standing + 1 if abs(measured - held) < 0.004 else 0
            held = measured
            if standing == 8:
                break
        return held

    def shake(self) -> None:
        """Shake for a second."""
        times = PERIOD_S * np.arange(1, round(SHAKE_S / PERIOD_S) + 1)
        swing = np.sin(2.0 * math.pi * SHAKE_HZ * times)[:, None] * np.append(SHAKE, 0.0)
        self._stream(self._goal + swing)
        self._rest(0.1)

    def _stream(self, goals: FloatArray) -> None:
        for goal in goals:
            self._goal = goal.copy()
            self._send()

    def _send(self) -> None:
        now = self._arm.clock.now()
        if self._pressing:
            self._goal[GRIP] = max(self._goal[GRIP], min(self._grip() + LEAD, 0.5 * math.pi))
        self._arm.write(self._goal + self._lead(), 2 * PERIOD_S)
        self._arm.clock.sleep_until(now + PERIOD_S)

    def _lead(self) -> FloatArray:
        if self._trim is None:
            return np.zeros(N_ARM + 1)
        reading = self._arm.read()
        late = np.abs(reading.position - self._goal) > FAR_RAD
        return self._trim.update(self._goal, reading.position, reading.fresh, late)

    def _grip(self) -> float:
        return float(self._arm.read().position[GRIP])

    def _arrive(self) -> None:
        """Ask again until the arm is there: a bus holds a goal back that comes too soon, and is soft at first."""
        for _ in range(round(LATE_S / PERIOD_S)):
            off = np.abs(self._arm.read().position[:N_ARM] - self._goal[:N_ARM]).max()
            if off < ARRIVED_RAD and not (self._trim is not None and self._trim.busy):
                return
            self._send()

    def _rest(self, seconds: float) -> None:
        self._arm.clock.sleep_until(self._arm.clock.now() + seconds)


@dataclass(frozen=True)
class Verdict:
    """How an attempt ended.

    Attributes:
        outcome: of the attempt.
        thing: index of the object that rose most.
        empty: whether the arm can tell that it failed: the fingers have closed on nothing.
    """

    outcome: Outcome
    thing: int
    empty: bool = False


def attempt(mover: Mover, plan: GraspMotion, where: Heights, *, above: bool = False) -> Verdict:
    """Carry out a planned grasp and judge it by the objects' true positions; `above`: the reach has been made.

    Lifted means that an object has risen by 50 mm, and still is up there after a second of shaking. What holds it is
    friction alone.
    """
    before = where()
    if not above:
        mover.follow(plan.reach)
    mover.follow(plan.descend)
    pushed = np.linalg.norm(where() - before, axis=1).max() > PUSHED_M
    if not holds(joint_to_gap(mover.close())):
        return Verdict("collided" if pushed else "missed", 0, empty=True)
    mover.follow(plan.lift)
    rise = where()[:, 2] - before[:, 2]
    thing = int(rise.argmax())
    if rise[thing] >= LIFTED_M:
        mover.shake()
        lifted = where()[thing, 2] - before[thing, 2] >= LIFTED_M
        return Verdict("lifted" if lifted else "slipped", thing, empty=not mover.holding)
    if pushed:
        return Verdict("collided", thing, empty=not mover.holding)
    return Verdict("slipped" if rise[thing] > 0.004 else "missed", thing, empty=not mover.holding)


def withdraw(mover: Mover, plan: GraspMotion, limits: MotionLimits) -> None:
    """After an attempt that held nothing: up, if the arm has not lifted, open the fingers, and back to the start."""
    if np.abs(mover.goal[:N_ARM] - plan.descend.positions[-1]).max() < ARRIVED_RAD:
        mover.follow(plan.lift)
    mover.open()
    mover.follow(retime(joint_line(mover.goal[:N_ARM], plan.reach.positions[0]), limits))
