"""Goals that lead a little, so that joints arrive where they were told: an outer loop over the servos'.

A bus servo holds a load by standing off its goal, and its gears have play that gravity takes up; its encoder sees both.
How far a joint gives way is learned while the arm rests, as an angle per torque of gravity, and added to every goal at
the torque of its pose. The correction only ever acts against gravity: it lifts what hangs low, and presses on nothing.

Gravity does not pull joints 1 and 5: they rest beside their goals by half the play of their gears, on the side from
which they came. What their encoders see of it is added to their goals at rest, and forgotten when the arm moves on. A
joint that rests further off than play explains is held there by something, and is not pushed.
"""

from __future__ import annotations

import numpy as np

from dofbot_ros.arm.gravity import Gravity
from dofbot_ros.core.types import GRIP, N_JOINTS, BoolArray, FloatArray

FOLLOW_S = 0.12
"""In which servos come to rest after the last goal [s]."""
ENGAGE_RAD, RELEASE_RAD = 0.009, 0.004
"""A joint that rests further off than the first is corrected until it is nearer than the second [rad]."""
GAIN_HZ = 5.0
"""Share of the error that is taken back a second; with the servos' delay of a tenth of a second it does not swing."""
SPEED = 0.25
"""With which a correction changes at most [rad/s]."""
MIN_SHARE = 0.05
"""A joint that gravity pulls by less of its greatest torque than this is left alone: nothing tells which way."""
STILL = 1e-6
"""A goal that changes by less in a period stands still [rad]."""
GIVE_UP_S = 1.5
"""A joint that is not there after this long is not going to be [s]."""
TURNING = np.array([True, False, False, False, True, False])
"""Joints 1 and 5, whose axes gravity does not pull, (6,)."""
MOST_PLAY = 0.025
"""A turning joint that rests further off its goal is not corrected: gears have 2 degrees of play at the most [rad]."""
MOST_TAKEN_UP = 0.02
"""Largest correction of a turning joint [rad]."""


class GoalTrim:
    """One arm's corrections.

    Args:
        gravity: how it pulls the arm.
        period_s: control period [s].
        most: largest correction [rad]; 0 for none ever.
    """

    def __init__(self, gravity: Gravity, period_s: float, most: float) -> None:
        self._gravity = gravity
        self._period_s = period_s
        self._most = most
        self._give = np.zeros(N_JOINTS)
        """Angle by which each joint gives way to gravity's greatest torque [rad] (6,)."""
        self._taken_up = np.zeros(N_JOINTS)
        """What is added to the goals of the turning joints for the play of their gears [rad] (6,)."""
        self._engaged = np.zeros(N_JOINTS, dtype=np.bool_)
        self._goal: FloatArray | None = None
        self._rest_s = 0.0
        self._lead = 0.0
        """Of the goals before the joints, the largest of those that are corrected [rad]."""
        self.offset = np.zeros(N_JOINTS)
        """What is added to the goals now [rad] (6,)."""

    @property
    def busy(self) -> bool:
        """Whether joints are still on their way to where the arm was told to rest."""
        if not self._most or self._goal is None or self._rest_s > GIVE_UP_S:
            return False
        if self._rest_s < FOLLOW_S:
            return self._lead > ENGAGE_RAD
        return bool(self._engaged.any())

    def start(self) -> None:
        """The arm holds where it is from now on; corrections come back slowly."""
        self.offset = np.zeros(N_JOINTS)
        self._taken_up[:] = 0.0
        self._goal = None

    def pause(self) -> None:
        """The arm has been stopped: nothing is learned, and the correction stays as it is."""
        self._goal = None

    def update(
        self, goal: FloatArray, measured: FloatArray, fresh: BoolArray, held_up: BoolArray, *, under_way: bool = True
    ) -> FloatArray:
        """What to add to the goals of this period [rad] (6,).

        Args:
            goal: where the joints shall be [rad] (6,).
            measured: where they are [rad] (6,).
            fresh: which of them have just been read, (6,).
            held_up: which of them do not follow, so that something must be in their way, (6,).
            under_way: whether a motion runs, if only at rest where it ends. Play is taken up within a motion alone: an
                arm that was halted, or merely holds, does not move for it.
        """
        if not self._most:
            return self.offset
        shares = self._gravity.shares(goal)
        still = self._goal is not None and bool(np.abs(goal - self._goal)[:GRIP].max() < STILL)
        self._rest_s = self._rest_s + self._period_s if still else 0.0
        self._goal = goal.copy()
        error = goal - measured
        pulled = np.abs(shares) > MIN_SHARE
        self._lead = float(np.abs(error)[pulled | TURNING].max(initial=0.0))
        if self._rest_s >= FOLLOW_S:
            self._engaged &= (pulled | TURNING) & ~held_up
            self._learn(error, shares, fresh & pulled & ~held_up)
            self._engaged &= ~TURNING | under_way
            self._take_up(error, fresh & TURNING & ~held_up & under_way)
        else:
            self._engaged[:] = False
            self._taken_up[:] = 0.0
        # Not np.clip(), which takes twice the time.
        wanted = np.minimum(np.maximum(self._taken_up - self._give * shares, -self._most), self._most)
        step = SPEED * self._period_s
        self.offset = self.offset + np.minimum(np.maximum(wanted - self.offset, -step), step)
        return self.offset

    def _learn(self, error: FloatArray, shares: FloatArray, known: BoolArray) -> None:
        """Move what joints give way by towards what would bring them to their goals."""
        # Hanging below the goal: measured lies to gravity's side of it. What lies to the other side is pushed there.
        low = -error * np.sign(shares)
        off = np.where(self._engaged, np.abs(error) > RELEASE_RAD, np.abs(error) > ENGAGE_RAD)
        full = (np.abs(self.offset) >= self._most - 1e-9) & (low > 0)
        empty = (self._give <= 0.0) & (low < 0)
        self._engaged = np.where(known, off & ~full & ~empty, self._engaged)
        rate = np.clip(GAIN_HZ * low, -SPEED, SPEED) * self._period_s
        change = np.where(self._engaged & known, rate / np.maximum(np.abs(shares), MIN_SHARE), 0.0)
        limit = self._most / np.maximum(np.abs(shares), MIN_SHARE)
        self._give = np.clip(self._give + change, 0.0, np.maximum(limit, self._give))

    def _take_up(self, error: FloatArray, known: BoolArray) -> None:
        """Move the goals of turning joints on, by what their encoders miss of them."""
        size = np.abs(error)
        off = np.where(self._engaged, size > RELEASE_RAD, size > ENGAGE_RAD) & (size <= MOST_PLAY)
        full = (np.abs(self._taken_up) >= MOST_TAKEN_UP - 1e-9) & (error * self._taken_up > 0.0)
        self._engaged = np.where(known, off & ~full, self._engaged)
        change = np.clip(GAIN_HZ * error, -SPEED, SPEED) * self._period_s
        taken_up = np.clip(self._taken_up + change, -MOST_TAKEN_UP, MOST_TAKEN_UP)
        self._taken_up = np.where(self._engaged & known, taken_up, self._taken_up)
