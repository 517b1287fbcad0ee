"""Keeps what is commanded near where the arm is: a joint that something stops must not wait to snap free.

A servo that rests beside its goal presses on whatever stopped it, and runs to the goal at full speed once it is free.
So the goal of a joint that does not follow is drawn back until it leads by no more than a little.
"""

from __future__ import annotations

import numpy as np

from dofbot_ros.arm.backend import ArmReading
from dofbot_ros.core.types import GRIP, N_JOINTS, BoolArray, FloatArray
from dofbot_ros.safety.following import FollowingError

FREE_LEAD = 0.07
"""How far a joint that followed its command may rest from it: droop under load, play and dead band [rad]."""
BLOCKED_LEAD = 0.001
"""How far the goal leads a joint that something has stopped [rad]: about a tick, so that it presses on nothing."""
HALT_LEAD = 0.0115
"""How far a joint may rest from its goal after a halt: play and dead band [rad]."""
HYSTERESIS = 0.005
"""A goal that has been drawn back is left alone while the reading changes by less [rad]: a few ticks."""
DRAW_BACK_SPEED = 0.2
"""With which a servo takes its goal back where its current does not tell whether something stops it [rad/s]: a joint
whose sensor lies moves with it."""
IMPLAUSIBLE_LEAD = 0.6
"""Farther than this no obstacle can have brought a joint from its goal, since it is stopped before [rad]."""


class Adherence:
    """Corrections of the commanded position by the measured one, once a cycle; the gripper has a care of its own.

    Args:
        tracking_error: a joint this far from what it was commanded lately does not follow [rad].
    """

    def __init__(self, tracking_error: float) -> None:
        self._tracking_error = tracking_error
        self._following = FollowingError()
        self._blocked = np.zeros(N_JOINTS, dtype=np.bool_)
        self._absent = np.zeros(N_JOINTS, dtype=np.bool_)
        self._settled_s = -np.inf
        self.error = np.zeros(N_JOINTS)
        """Commanded minus measured, beyond what following late explains [rad] (6,)."""

    @property
    def lagging(self) -> BoolArray:
        """Joints of the arm that do not follow now, shape (6,)."""
        late = np.abs(self.error) > self._tracking_error
        late[GRIP] = False
        return late

    def start(self, now_s: float, position: FloatArray) -> None:
        """The arm rests at `position` [rad] (6,), by command and by measurement."""
        self._following.reset(now_s, position)
        self._blocked[:] = False
        self._absent[:] = False
        self._settled_s = now_s
        self.error = np.zeros(N_JOINTS)

    def begin(self) -> None:
        """A motion begins: a joint that was stopped may try again."""
        self._blocked[:] = False

    def commanded(self, now_s: float, position: FloatArray) -> None:
        """`position` [rad] (6,) is sent now."""
        self._following.note(now_s, position)

    def correct(self, commanded: FloatArray, reading: ArmReading, now_s: float, rest: bool) -> FloatArray:
        """What to take for commanded from now on [rad] (6,).

        Args:
            commanded: what was commanded last [rad] (6,).
            reading: where the joints are, and which of them do not answer.
            now_s: on the control clock [s].
            rest: whether the arm has been told to rest.
        """
        measured, absent = reading.position, reading.silent_s > 0.0
        # A servo that was absent is back when it has answered, not when it merely no longer counts as silent.
        absent = absent | (self._absent & ~reading.fresh)
        known = ~absent
        rejoined = self._absent & known
        self._absent = absent
        self.error = np.where(known, self._following(measured, reading.stamps_s), 0.0)
        self._blocked |= self.lagging
        if not rest and not rejoined.any():
            return commanded.copy()
        lead = commanded - measured
        # At rest a reading is compared once the servo has had its time to get there: the error says so.
        pushed = rest & (np.abs(self.error) > FREE_LEAD)
        self._blocked[:GRIP] |= pushed[:GRIP]
        loose = rest & known & self._blocked & (np.abs(lead) < IMPLAUSIBLE_LEAD)
        loose &= np.abs(lead) > BLOCKED_LEAD + HYSTERESIS
        # A servo that does not press is where it was sent, whatever its sensor says.
        loose &= np.array([pressing is not False for pressing in reading.pressing])
        unknown = loose & np.array([pressing is None for pressing in reading.pressing])
        if unknown.any():
            self._settled_s = max(self._settled_s, now_s + float(np.abs(lead[unknown]).max()) / DRAW_BACK_SPEED)
        corrected = np.where(loose, measured + np.sign(lead) * BLOCKED_LEAD, commanded)
        # What a servo was not told while it was away must not be told to it in one go.
        return np.where(rejoined & (np.abs(lead) < IMPLAUSIBLE_LEAD), measured, corrected)

    @staticmethod
    def settled(commanded: FloatArray, reading: ArmReading) -> FloatArray:
        """What to hold after a halt [rad] (6,): a joint that came to rest elsewhere stays there, and a gripper that
        presses on nothing.

        A goal that a servo did not hear, told to it again, would move it after everything was to stand. One that says
        that it has its goal bears a load there: held at its reading, it would sag once more.

        Args:
            commanded: where the arm was to come to rest [rad] (6,).
            reading: where it did.
        """
        lead = np.abs(commanded - reading.position)
        elsewhere = (reading.silent_s == 0.0) & (lead > HALT_LEAD) & (lead < IMPLAUSIBLE_LEAD)
        elsewhere &= np.array([heard is not True for heard in reading.heard])
        elsewhere[GRIP] &= reading.pressing[GRIP] is False
        return np.where(elsewhere, reading.position, commanded)

    def settling_s(self, now_s: float) -> float:
        """How long a servo may still take to draw its goal back [s]."""
        return max(0.0, self._settled_s - now_s)
