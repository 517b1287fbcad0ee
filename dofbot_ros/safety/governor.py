"""Every command to the arm passes the governor, which returns what may be sent and why it differs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from dofbot_ros.core.types import JOINT_NAMES, FloatArray
from dofbot_ros.motion.braking import braking_velocity
from dofbot_ros.motion.trajectory import MotionLimits, Sample
from dofbot_ros.safety.workspace import Workspace

PAST_LIMIT = 1e-3
"""A joint that is farther past its limit than this moves inward slowly; less is rounding [rad]."""

FALL_BACK_S = 0.12
"""Longest time by which servos lag behind their goals [s]."""

_QUARTERS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
"""Where on its way to rest the arm is looked at."""


@dataclass(frozen=True)
class Governed:
    """What may be sent.

    Attributes:
        position: [rad] shape (6,).
        velocity: [rad/s] shape (6,), of this period.
        reasons: why it differs from the setpoint, each as "what: where"; empty when it does not differ.
        unusable: True when the setpoint was too old or not finite, so that the arm brakes.
    """

    position: FloatArray
    velocity: FloatArray
    reasons: tuple[str, ...]
    unusable: bool = False


class Governor:
    """Limits position, velocity, acceleration and workspace of a stream of setpoints, one control period at a time.

    It keeps one invariant: braking each joint at its acceleration limit from the present command stays within joint
    limits and workspace. A setpoint that would break it is replaced by that braking. So whatever is asked, the arm can
    always stop in time, and after any sequence of setpoints velocity and acceleration are within their limits.

    Args:
        limits: of position, velocity and acceleration.
        workspace: where table, base and the arm's own links forbid the arm to be.
        period_s: control period [s].
        soft_start_s: time over which the velocity limit grows to its full value after start() [s].
        timeout_s: a setpoint older than this is not followed [s].
    """

    SOFT_START_FLOOR = 0.15
    """Share of the velocity limit that is allowed when a soft start begins, and to a joint that is past its limits."""

    def __init__(
        self, limits: MotionLimits, workspace: Workspace, period_s: float, soft_start_s: float, timeout_s: float
    ) -> None:
        self.limits = limits
        self.workspace = workspace
        self.period_s = period_s
        self.soft_start_s = soft_start_s
        self.timeout_s = timeout_s
        self._position = np.zeros_like(limits.lower)
        self._velocity = np.zeros_like(limits.lower)
        self._started_s = -math.inf

    @property
    def state(self) -> Sample:
        """Position and velocity commanded last."""
        return Sample(self._position.copy(), self._velocity.copy())

    @property
    def at_rest(self) -> bool:
        """Whether the commanded velocity is zero."""
        return bool(np.abs(self._velocity).max() < 1e-9)

    def start(self, measured: FloatArray, now_s: float) -> None:
        """Begin at rest from where the arm was measured to be, (6,) [rad]; soft start runs from `now_s`.

        An arm that stands a little past a limit (servos do, when pushed by hand) is not pulled back at once: its first
        motion may only go inward.
        """
        self._position = np.array(measured, dtype=np.float64)
        self._velocity = np.zeros_like(self._position)
        self._started_s = now_s

    def soften(self, now_s: float) -> None:
        """Begin a soft start at `now_s` [s]: for a new commander, or after a stop was reset."""
        self._started_s = now_s

    def rebase(self, position: FloatArray) -> None:
        """Replace the last commanded position by `position` (6,) [rad]; joints that this moves rest there.

        For joints that did not reach their goals: the next motion begins where they are.
        """
        moved = position != self._position
        if not moved.any():
            return
        self._position = np.where(moved, position, self._position)
        self._velocity = np.where(moved, 0.0, self._velocity)

    def fall_back(self, underway: FloatArray) -> None:
        """Brake from the present joints `underway` (6,) [rad] instead of from their goals, which lead a little.

        A joint is set back against its own motion only, by FALL_BACK_S of its velocity at most; its velocity stays.
        """
        behind = np.sign(self._velocity) * (self._position - underway)
        most = FALL_BACK_S * np.abs(self._velocity)
        self._position = self._position - np.sign(self._velocity) * np.clip(behind, 0.0, most)

    def rest(self) -> None:
        """Set the commanded velocity to zero: servos that got no new goals have come to rest by themselves."""
        self._velocity = np.zeros_like(self._velocity)

    def soft_start_scale(self, now_s: float) -> float:
        """Share of the velocity limit that is allowed at `now_s` [s], from SOFT_START_FLOOR to 1."""
        if self.soft_start_s <= 0:
            return 1.0
        done = min(1.0, max(0.0, (now_s - self._started_s) / self.soft_start_s))
        return self.SOFT_START_FLOOR + (1.0 - self.SOFT_START_FLOOR) * done

    def step(self, setpoint: Sample, stamp_s: float, now_s: float) -> Governed:
        """One control period towards `setpoint`.

        Args:
            setpoint: position [rad] (6,) wanted at the end of this period, and the velocity [rad/s] (6,) it moves with;
                that lets a moving setpoint be followed without lag, and one at rest be met without overshoot.
            stamp_s: when the setpoint was made, on the control clock [s].
            now_s: the same clock now [s].
        """
        reasons: list[str] = []
        if now_s - stamp_s > self.timeout_s:
            reasons.append(f"stale: command is {now_s - stamp_s:.2f} s old, the limit is {self.timeout_s:.2f} s")
        elif not (np.isfinite(setpoint.position).all() and np.isfinite(setpoint.velocity).all()):
            reasons.append("not finite: a joint value of the command is no number")
        if reasons:
            return replace(self._brake(reasons), unusable=True)
        velocity = self._shape(setpoint, now_s, reasons)
        if not self._can_stop(velocity, reasons):
            return self._brake(reasons)
        return self._advance(velocity, reasons)

    def halt(self, since_s: float = 0.0) -> Governed:
        """One control period of braking at the acceleration limit.

        Args:
            since_s: time since the last period, where it is longer than one: a late period brakes for all of it [s].
        """
        return self._brake([], max(1.0, since_s / self.period_s))

    def _shape(self, setpoint: Sample, now_s: float, reasons: list[str]) -> FloatArray:
        dt, limits = self.period_s, self.limits
        # Standing past a limit already is no reason to move: the arm is only kept from going further.
        target = _clipped(
            setpoint.position, np.minimum(limits.lower, self._position), np.maximum(limits.upper, self._position)
        )
        self._note(reasons, np.abs(target - setpoint.position) > 1e-6, "position limit")
        v_max = limits.velocity * self.soft_start_scale(now_s)
        outside = (self._position < limits.lower - PAST_LIMIT) | (self._position > limits.upper + PAST_LIMIT)
        if outside.any():
            v_max = np.where(outside, np.minimum(v_max, self.SOFT_START_FLOOR * limits.velocity), v_max)
        feed = np.where(target == setpoint.position, _clipped(setpoint.velocity, -v_max, v_max), 0.0)
        distance = target - self._position
        wanted = distance / dt
        # Relative to the moving setpoint, never faster than what the acceleration limit can take away again in time.
        step = limits.acceleration * dt
        reach = braking_velocity(np.abs(distance), step, dt)
        shaped = _clipped(wanted, np.minimum(feed, 0.0) - reach, np.maximum(feed, 0.0) + reach)
        velocity = _clipped(shaped, -v_max, v_max)
        self._note(reasons, np.abs(velocity - shaped) > 1e-6, "velocity limit")
        eased = _clipped(velocity, self._velocity - step, self._velocity + step)
        self._note(reasons, np.abs(eased - velocity) > 0.05 * limits.velocity, "acceleration limit")
        return self._within_limits(eased)

    def _within_limits(self, velocity: FloatArray) -> FloatArray:
        """Cut velocities that could not be braked before the joint limit."""
        dt, limits = self.period_s, self.limits
        left = np.array([limits.upper - self._position, self._position - limits.lower])
        up, down = braking_velocity(np.maximum(left, 0.0), limits.acceleration * dt, dt)
        return _clipped(velocity, -down, up)

    def _can_stop(self, velocity: FloatArray, reasons: list[str]) -> bool:
        """Whether braking right after this period stays in the workspace, or at least does not get worse."""
        q = self._position + velocity * self.period_s
        ratio = self._periods_to_rest(velocity)
        periods = np.minimum((_QUARTERS * math.ceil(ratio)).round(), math.floor(ratio))[:, None]
        travel = velocity * self.period_s * (periods - 0.5 * periods * (periods + 1.0) / max(ratio, 1e-12))
        low, high = np.minimum(self.limits.lower, q), np.maximum(self.limits.upper, q)
        offence = self.workspace.first_violation(_clipped(q + travel, low, high), self._position)
        if offence is None:
            return True
        reasons.append("workspace: " + offence[1])
        return False

    def _periods_to_rest(self, velocity: FloatArray) -> float:
        """Periods that the joint which takes longest needs to brake."""
        return float((np.abs(velocity) / (self.limits.acceleration * self.period_s)).max())

    def _brake(self, reasons: list[str], periods: float = 1.0) -> Governed:
        """Brake all joints in proportion: they come to rest together, and the tool keeps its direction."""
        ratio = self._periods_to_rest(self._velocity)
        velocity = self._velocity * max(0.0, 1.0 - periods / ratio) if ratio > 0.0 else np.zeros_like(self._velocity)
        return self._advance(self._within_limits(velocity), reasons)

    def _advance(self, velocity: FloatArray, reasons: list[str]) -> Governed:
        self._position = self._position + velocity * self.period_s
        self._velocity = velocity
        return Governed(self._position.copy(), velocity.copy(), tuple(reasons))

    @staticmethod
    def _note(reasons: list[str], joints: FloatArray, what: str) -> None:
        if joints.any():
            names = [name for name, hit in zip(JOINT_NAMES, joints, strict=True) if hit]
            reasons.append(f"{what}: {', '.join(names)}")


def _clipped(values: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """np.clip() in half its time, which is most of what six numbers take."""
    return np.minimum(np.maximum(values, low), high)
