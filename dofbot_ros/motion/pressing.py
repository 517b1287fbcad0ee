"""How hard and how long the gripper's servo may press: it pushes harder the further its goal lies ahead."""

from __future__ import annotations

import math
from collections import deque


class Pressing:
    """Counts how long the fingers are pressed, and says by how much their goal may lead them.

    A bus servo gives all it has from 0.135 rad ahead on, lets go after about three seconds of that, and overheats
    within minutes at nine tenths of it. So the lead is not limited at first. After HARD_S of more than `lead` it is
    `lead`; after FIRM_S of about that, or where the fingers are pressed hard all the same, it is HOLDING of it, which a
    servo bears for good. Where something shakes the fingers, so that even this presses them hard, it is EASED for a
    while. Time that was used comes back slowly, whoever commands the gripper: one of these belongs to one servo.

    Args:
        lead: how far a goal may lead standing fingers for some time [rad].
    """

    HARD_S = 0.3
    """Pressing with more than `lead` before the lead is limited [s]."""
    LOWER_S = 0.05
    """Pressing hard all the same before it is lowered again [s]."""
    RECOVER_S = 0.2
    """Time to press hard that has to have come back before the lead rises [s]."""
    HARD_REFILL = 0.03
    """Seconds to press hard that come back in one second without."""
    FIRM_S = 30.0
    """Pressing with more than HOLDING of `lead` before it is limited to that [s]."""
    FIRM_REFILL = 0.2
    """Seconds of that which come back in one second without."""
    HOLDING = 0.75
    """Share of `lead` that a servo bears for good: two thirds of its full load."""
    EASED = (0.4, 0.15)
    """Shares of `lead` for fingers that are shaken."""
    DELAY_S = 0.12
    """From a goal to fingers that are there: bus, start delay and the length of a move [s]."""
    SETTLE_S = 0.6
    """Time at most until fingers feel that their goal has been drawn back [s]."""
    ABOVE = 1.05
    """Effort within a twentieth of a lead is that lead, held."""

    _HOLDING = 2

    def __init__(self, lead: float) -> None:
        self._lead = lead
        self._caps = (math.inf, lead, self.HOLDING * lead, *(share * lead for share in self.EASED))
        self._level = 0
        self._sides: set[float] = set()
        self._hard_s = self._firm_s = 0.0
        self._sent: deque[tuple[float, float]] = deque()
        self._last_s: float | None = None
        self._feel_from_s = -math.inf

    def cap(self, side: float) -> float:
        """By how much the goal may lead the fingers towards `side` (1 closing, -1 opening) [rad]; inf: as it likes."""
        return self._caps[self._level] if side in self._sides else math.inf

    @property
    def may_press_hard(self) -> bool:
        """Whether there is time for another hard press."""
        return self._hard_s <= self.HARD_S - self.RECOVER_S and self._firm_s < self.FIRM_S

    def release(self) -> None:
        """The fingers are asked to let go: the next press may be a hard one, where there is time for it."""
        if self.may_press_hard:
            self._level = 0
            self._sides.clear()

    def update(self, sent: float, measured: float, now_s: float) -> None:
        """One period in which `sent` is the goal [rad] and the joint is at `measured` [rad]."""
        dt = 0.0 if self._last_s is None else max(0.0, now_s - self._last_s)
        self._last_s = now_s
        lead = self._lead_felt(sent, measured, now_s)
        effort = abs(lead)
        # A period that was left out is no time of pressing: nobody knows what was sent in it.
        used = min(dt, self.DELAY_S)
        hard, firm = effort > self.ABOVE * self._lead, effort > self.ABOVE * self.HOLDING * self._lead
        self._hard_s = self._hard_s + used if hard else max(0.0, self._hard_s - self.HARD_REFILL * dt)
        self._firm_s = min(self._firm_s + used, self.FIRM_S) if firm else max(0.0, self._firm_s - self.FIRM_REFILL * dt)
        self._hard_s = min(self._hard_s, self._lowered_at(len(self._caps) - 2))
        if abs(sent - measured) <= self.ABOVE * self._caps[self._level]:
            self._feel_from_s = min(self._feel_from_s, now_s + 1.5 * self.DELAY_S)
        if hard and self._hard_s >= self._lowered_at(self._level) and now_s >= self._feel_from_s:
            self._level = min(self._level + 1, len(self._caps) - 1)
            self._sides.add(math.copysign(1.0, lead))
            self._feel_from_s = now_s + self.SETTLE_S
        elif self._level < self._HOLDING and self._firm_s >= self.FIRM_S:
            self._level = self._HOLDING
            self._sides.add(math.copysign(1.0, lead))
        elif self._level > self._HOLDING and self._hard_s < self._lowered_at(self._level - 1) - self.RECOVER_S:
            self._level -= 1

    def _lowered_at(self, level: int) -> float:
        """Time pressed hard at which the lead of `level` is lowered [s]."""
        return self.HARD_S + self.LOWER_S * level

    def _lead_felt(self, sent: float, measured: float, now_s: float) -> float:
        """By how much what was sent DELAY_S ago leads the fingers [rad]; 0 for fingers that have passed it already."""
        self._sent.append((now_s, sent))
        while len(self._sent) > 1 and self._sent[1][0] <= now_s - self.DELAY_S + 1e-6:
            self._sent.popleft()
        measured_grip = self._sent[0][1] - measured
        return measured_grip if measured_grip * (sent - measured) > 0.0 else 0.0
