"""From a velocity of the tool to joint velocities: in the direction that was asked for, or not at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import ARM_JOINTS, N_ARM, FloatArray
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.motion.singular_exit import singular_exit

DAMPING = 1e-4
"""Largest damping, the square of a lever of 10 mm; it bounds joint velocities where the arm cannot move as asked."""
NEAR_SINGULAR = 0.008
"""Smallest singular value below which damping begins [m]; over the table it is about 0.018 at any working pose."""
LEVER = 0.1
"""Weighs a radian of tool rotation as this many metres of tool motion."""
MAX_LINEAR = 10.0
"""A faster twist is no twist of this arm but a mistake: refused [m/s]."""
MAX_ANGULAR = 100.0
"""A faster rotation is refused too [rad/s]."""
AT_LIMIT = 5e-3
"""A joint this near to its limit goes no nearer [rad]."""
CRAWL = 0.02
"""Speed at which a joint comes that near [rad/s]."""
GENTLE = 0.25
"""Share of the acceleration limit with which joint limits are approached: the rest is for the jerk limit's lag."""
MAX_DEVIATION = math.radians(25.0)
"""A tool that would move further off the direction asked for is stopped [rad]."""
MAX_DEVIATION_AHEAD = math.radians(40.0)
"""The same where the arm would come to rest if it braked now [rad]."""
MAX_DRIFT = 0.1
"""A tool that is only turned may drift by this share of LEVER times its rotation."""
MIN_PROGRESS = 0.05
"""So is one that would move with less than this share of the speed asked for."""
_LEAST_DAMPING = 1e-12
"""Keeps the equations solvable with joints locked [m^2]."""
_NEGLIGIBLE = 1e-9
"""Smaller speeds are rounding [m/s or rad/s]."""
_SPEEDS = 0.5 ** np.arange(7)
"""Shares of the speed that are tried, until the arm could stop without leaving the direction."""


@dataclass(frozen=True)
class TwistSolution:
    """How the joints move for a twist.

    Attributes:
        velocity: of the joints [rad/s], shape (5,); zero where the tool cannot go in the direction asked for.
        limited: why it is zero, one sentence; "" when the tool moves.
    """

    velocity: FloatArray
    limited: str = ""


def solve_twist(
    kinematics: Kinematics,
    q: FloatArray,
    linear: ArrayLike,
    angular: ArrayLike,
    limit: FloatArray,
    *,
    acceleration: FloatArray,
    moving: FloatArray | None = None,
    stopping_s: float = 0.1,
) -> TwistSolution:
    """Joint velocities that move the tool as asked, as nearly as five joints can, or none.

    Damped least squares with a damping that grows towards singular poses (Nakamura and Hanafusa, J. Dyn. Sys. 108,
    1986). A joint that stands at its limit and would go beyond it is locked and the others are solved for again. What
    they can do is taken when the tool then moves within MAX_DEVIATION of the direction asked for. A stretched or folded
    arm is bent towards a pose a step ahead instead, where that leads out (singular_exit). Speed is lowered as
    a whole, so that the direction is kept: where a joint would exceed `limit`, could not brake before its position
    limit, or where the tool would leave the direction while the arm brakes.

    Solve anew in each control period: a joint velocity is a direction of the tool at one pose only.

    Args:
        kinematics: lengths and position limits of the arm.
        q: joint angles, shape (5,) [rad].
        linear: wanted velocity of tool_link in base_link, shape (3,) [m/s].
        angular: wanted angular velocity in base_link, shape (3,) [rad/s]; its part about the horizontal axis across
            the arm is followed as pitch, its part along the tool as roll.
        limit: velocity limit of each joint, shape (5,) [rad/s].
        acceleration: acceleration limit of each joint, shape (5,) [rad/s^2].
        moving: joint velocities commanded now, shape (5,) [rad/s]; rest when None. A joint that is to be locked comes
            to rest before the others go on.
        stopping_s: what braking takes longer because acceleration is built up within a jerk limit [s].

    Raises:
        CommandRefusedError: a component is not finite, or no velocity that this arm could be meant to have.
    """
    v, w = check_twist(linear, angular)
    if not np.isfinite(q).all():
        raise CommandRefusedError(f"a twist needs finite joint angles to start from, got {q.tolist()}")
    across = np.array([-math.sin(q[0]), math.cos(q[0]), 0.0])
    along = kinematics.tool_transform(q)[:3, 2]
    asked = _without_noise(np.concatenate([v, [LEVER * (across @ w), LEVER * (along @ w)]]))
    if not asked.any():
        about = "five joints cannot turn the tool about this axis" if w.any() else ""
        return TwistSolution(np.zeros(N_ARM), about)
    task = _task(kinematics, q)
    solution, locked = _solve_locked(kinematics, q, task, asked)
    achieved = task @ solution
    if not _goes(achieved, asked, MAX_DEVIATION, MIN_PROGRESS) or _drifts(achieved, asked):
        out = None if locked else singular_exit(kinematics, q, asked / [1.0, 1.0, 1.0, LEVER, LEVER])
        if out is None or _beyond(kinematics, q, out):
            return TwistSolution(np.zeros(N_ARM), _reason(locked))
        return TwistSolution(out * _fastest(kinematics, q, out, limit, acceleration))
    # All the others wait until a joint that is to be locked stands: otherwise the tool would drift while it brakes.
    if moving is not None and np.abs(moving[locked]).max(initial=0.0) > CRAWL:
        return TwistSolution(np.zeros(N_ARM))
    velocity = solution * _fastest(kinematics, q, solution, limit, acceleration)
    for share in _SPEEDS:
        slower = share * velocity
        travel = slower * (stopping_s + 0.5 * float(np.abs(slower / acceleration).max()))
        if _goes(_task(kinematics, q + travel) @ slower, asked, MAX_DEVIATION_AHEAD):
            return TwistSolution(slower)
    return TwistSolution(np.zeros(N_ARM), _reason(locked))


def check_twist(linear: ArrayLike, angular: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """The two parts of a twist as arrays (3,).

    Raises:
        CommandRefusedError: a component is not finite, or no velocity that this arm could be meant to have.
    """
    return _checked("linear", linear, MAX_LINEAR, "m/s"), _checked("angular", angular, MAX_ANGULAR, "rad/s")


def _checked(what: str, values: ArrayLike, most: float, unit: str) -> FloatArray:
    vector = np.asarray(values, dtype=np.float64)
    if vector.shape != (3,):
        raise CommandRefusedError(f"the twist's {what} part has shape {vector.shape}; expected (3,)")
    if not np.isfinite(vector).all():
        raise CommandRefusedError(f"the twist's {what} part holds a number that is not finite: {vector.tolist()}")
    if np.abs(vector).max() > most or np.linalg.norm(vector) > most:
        raise CommandRefusedError(f"the twist's {what} part {vector.tolist()} is beyond {most:g} {unit}")
    return vector


def _without_noise(values: FloatArray) -> FloatArray:
    return np.where(np.abs(values) < _NEGLIGIBLE, 0.0, values)


def _task(kinematics: Kinematics, q: FloatArray) -> FloatArray:
    """Rows: linear velocity, pitch and roll of the tool, the angles weighed by LEVER; columns: joints (5, 5)."""
    return np.vstack([kinematics.jacobian(q)[:3], [0, LEVER, LEVER, LEVER, 0], [0, 0, 0, 0, LEVER]])


def _solve_locked(
    kinematics: Kinematics, q: FloatArray, task: FloatArray, asked: FloatArray
) -> tuple[FloatArray, list[int]]:
    """Joint velocities (5,) that take no joint beyond its limit, and the joints that stand still for that."""
    smallest = float(np.linalg.norm(task, -2))
    damping = DAMPING * max(0.0, 1.0 - (smallest / NEAR_SINGULAR) ** 2) + _LEAST_DAMPING
    locked: list[int] = []
    while True:
        free = task.copy()
        free[:, locked] = 0.0
        solution = free.T @ np.linalg.solve(free @ free.T + damping * np.eye(len(asked)), asked)
        beyond = _beyond(kinematics, q, solution)
        if not beyond:
            return solution, locked
        locked += beyond


def _beyond(kinematics: Kinematics, q: FloatArray, velocity: FloatArray) -> list[int]:
    """The joints at a limit that would go beyond it."""
    stands = _room(kinematics, q, velocity) < AT_LIMIT
    joints: list[int] = np.flatnonzero(stands & (np.abs(velocity) > _NEGLIGIBLE)).tolist()
    return joints


def _room(kinematics: Kinematics, q: FloatArray, velocity: FloatArray) -> FloatArray:
    """How far each joint (5,) is from the limit that it moves to [rad]."""
    return np.where(velocity > 0.0, kinematics.upper - q, q - kinematics.lower)


def _fastest(
    kinematics: Kinematics, q: FloatArray, solution: FloatArray, limit: FloatArray, acceleration: FloatArray
) -> float:
    """Share of `solution` in 0..1 that no joint exceeds and from which all, in proportion, stop before their limits."""
    speed = np.maximum(np.abs(solution), _NEGLIGIBLE)
    room = np.maximum(_room(kinematics, q, solution) - AT_LIMIT, 0.0)
    braking = GENTLE * float((acceleration / speed).min())
    brakeable = np.sqrt((CRAWL / speed) ** 2 + 2.0 * braking * room / speed)
    return min(1.0, float((limit / speed).min()), float(brakeable.min()))


def _goes(achieved: FloatArray, asked: FloatArray, deviation: float, progress: float = 0.0) -> bool:
    """Whether the tool's motion (5,) is one in the direction asked for (5,): linear where linear motion is asked for.

    Args:
        achieved, asked: in the rows of _task.
        deviation: largest angle between them [rad].
        progress: smallest share of the speed asked for.
    """
    goal, motion = (asked[:3], achieved[:3]) if asked[:3].any() else (asked[3:], achieved[3:])
    size, moved = float(np.linalg.norm(goal)), float(np.linalg.norm(motion))
    forward = float(motion @ goal) / size
    return forward > progress * size and forward >= math.cos(deviation) * moved


def _drifts(achieved: FloatArray, asked: FloatArray) -> bool:
    """Whether a tool that shall only turn leaves its place."""
    return not asked[:3].any() and bool(np.linalg.norm(achieved[:3]) > MAX_DRIFT * np.linalg.norm(achieved[3:]))


def _reason(locked: Sequence[int]) -> str:
    names = " and ".join(ARM_JOINTS[i] for i in sorted(locked))
    where = f"{names} {'is at its limit' if len(locked) == 1 else 'are at their limits'}"
    if not locked:
        where = "the arm is stretched or folded as far as it goes"
    return f"{where}: the tool cannot go on in this direction"
