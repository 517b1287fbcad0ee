"""What servos are asked now and then, one question a cycle: torque, temperature, current, and the goal they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dofbot_ros.arm.backend import ServoHealth
from dofbot_ros.core.types import GRIP, BoolArray
from dofbot_ros.hardware.servo_bus import ServoBus
from dofbot_ros.hardware.wire.protocol import HostProtocol

TORQUE_PERIOD_S = 0.035
"""Between two questions for a torque switch, the servos in turn [s]: one that is lost is noticed in 0.25 s."""
AWAY_TICKS = 8
"""A servo farther than this from its goal may be pressing on something: it is asked for its current [ticks]."""
CURRENT_PERIOD_S = 0.04
"""Between two questions for the current of a servo that is not where it was sent [s]."""
CURRENT_AGE_S = 0.2
"""An answer older than this says nothing about the present [s]."""
PRESSING_MA = 600
"""A servo that draws more presses on something: it needs up to 310 mA to turn freely, and 3,200 mA where it is stopped
(the maker's sheet) [mA]."""
GIVE_UP = 3
"""A servo that never answered a kind of question after so many of them is not asked it any more."""


class SlowQueries:
    """Asks for torque switches and temperatures; keeps the last answers.

    Args:
        protocol: what can be asked.
        ids: servos on the bus, in the order of the joints.
        temperature_period_s: time between two questions for a temperature, the servos in turn [s].

    Attributes:
        torque: whether each servo says that its torque is on; None before it was asked, or where it cannot tell.
    """

    def __init__(self, protocol: HostProtocol, ids: tuple[int, ...], temperature_period_s: float) -> None:
        n = len(ids)
        self._temperature_period_s = temperature_period_s
        self.torque: list[bool | None] = [None] * n
        self._tells = [False] * n
        self._temperature_c: list[float | None] = [None] * n
        self._torque_queries = [protocol.torque_state(servo) for servo in ids]
        self._temperature_queries = [protocol.temperature(servo) for servo in ids]
        self._current_queries = [protocol.current(servo) for servo in ids]
        self._current_ma = [0] * n
        self._current_s = [-np.inf] * n
        self._currents_are_told = False
        self._goal_queries = [protocol.goal(servo) for servo in ids]
        self.heard: list[bool | None] = [None] * n
        """Whether each servo says that it has the goal sent to it last; None while not asked since then."""
        self._goals_unanswered = [0] * n
        self._unanswered = [0] * n
        self._next_torque = self._next_temperature = 0
        self._torque_due_s = self._temperature_due_s = self._current_due_s = -np.inf

    def ask_all_torques(self, bus: ServoBus) -> None:
        """Ask every servo whether its torque is on; one that does not answer becomes None.

        Raises:
            PortError: the port is gone.
        """
        for i, query in enumerate(self._torque_queries):
            self.torque[i] = None if query is None else bus.ask(query)
            self._tells[i] |= self.torque[i] is not None

    def disagreeing(self, enabled: bool) -> list[int]:
        """Servos (by their place) that say, or leave unsaid though they can tell, that they have not switched."""
        return [
            i
            for i, (state, tells) in enumerate(zip(self.torque, self._tells, strict=True))
            if state is (not enabled) or (state is None and tells)
        ]

    def sent(self, changed: BoolArray) -> None:
        """New goals went out to the servos in `changed` (n,)."""
        self.heard = [None if new else heard for new, heard in zip(changed, self.heard, strict=True)]

    def ask_goal(self, bus: ServoBus, i: int, goal: int) -> None:
        """Ask servo `i` whether it has `goal` [ticks], once.

        Raises:
            PortError: the port is gone.
        """
        query = self._goal_queries[i]
        if query is None:
            return
        told = bus.ask(query, once=True)
        self._goals_unanswered[i] = 0 if told is not None else self._goals_unanswered[i] + 1
        self.heard[i] = None if told is None else told == goal

    def may_tell_goal(self, i: int) -> bool:
        """Whether servo `i` is worth asking which goal it has: not again before the next goal, nor in vain for ever."""
        return self._goal_queries[i] is not None and self.heard[i] is None and self._goals_unanswered[i] < GIVE_UP

    def ask_one(self, bus: ServoBus, now: float, there: BoolArray, away: int | None = None) -> None:
        """Ask the one question that is due, if any, of a servo that is `there` (n,).

        Args:
            bus: the line.
            now: [s].
            there: which servos answer (n,).
            away: the servo, by its place, that is farthest from where it was sent; None where all are about there.

        Raises:
            PortError: the port is gone.
        """
        if away is not None and there[away] and now >= self._current_due_s and self._ask_current(bus, now, away):
            return
        n = len(self.torque)
        if now >= self._temperature_due_s:
            self._temperature_due_s = now + self._temperature_period_s
            i, self._next_temperature = self._next_temperature, (self._next_temperature + 1) % n
            temperature = self._temperature_queries[i]
            if temperature is not None and there[i]:
                celsius = bus.ask(temperature, once=True)
                self._temperature_c[i] = self._temperature_c[i] if celsius is None else float(celsius)
        elif now >= self._torque_due_s:
            self._torque_due_s = now + TORQUE_PERIOD_S
            i, self._next_torque = self._next_torque, (self._next_torque + 1) % n
            torque = self._torque_queries[i]
            if torque is not None and there[i] and self._unanswered[i] < GIVE_UP:
                state = bus.ask(torque, once=True)
                self.torque[i] = self.torque[i] if state is None else state
                self._unanswered[i] += state is None and self.torque[i] is None

    def _ask_current(self, bus: ServoBus, now: float, i: int) -> bool:
        query = self._current_queries[i]
        if query is None:
            return False
        self._current_due_s = now + CURRENT_PERIOD_S
        current = bus.ask(query, once=True)
        if current is not None:
            self._current_ma[i], self._current_s[i] = current, now
            self._currents_are_told |= current > 0
        return True

    def pressing(self, now: float) -> tuple[bool | None, ...]:
        """Which servos press hard on something; None for one that was not asked lately.

        A servo's 0 mA is believed once any of them has told another number: not every make has the register.
        """
        if not self._currents_are_told:
            return (None,) * len(self._current_ma)
        told = zip(self._current_ma, self._current_s, strict=True)
        return tuple([current > PRESSING_MA if now - asked_s <= CURRENT_AGE_S else None for current, asked_s in told])

    def with_temperatures(self, health: list[ServoHealth]) -> list[ServoHealth]:
        """`health` of the servos, with the temperature that each told last."""
        return [
            one if one.temperature_c == celsius else replace(one, temperature_c=celsius)
            for one, celsius in zip(health, self._temperature_c, strict=True)
        ]


def farthest(away: Sequence[int]) -> int | None:
    """The joint that is farthest `away` from its goal [ticks] (6,), where that is more than play; the gripper last."""
    i = max(range(GRIP), key=away.__getitem__)
    i = i if away[i] > AWAY_TICKS else GRIP
    return i if away[i] > AWAY_TICKS else None
