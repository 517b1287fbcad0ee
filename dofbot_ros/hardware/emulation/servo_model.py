"""One bus servo as arithmetic: a goal and a time become a reference, a felt link position becomes a reading.

The model owns no clock and no link. Whoever owns the link runs the same three calls, whatever the link is:

    link = ...                         # the simulated joint's angle, or model.reference(now) where nothing resists
    model.feel(link, now)              # the encoder, the stall protection and the heat follow the link
    model.position                     # what the servo answers when asked where it is, in whole ticks

and between them drives its link towards `model.reference(now)` while `model.holding` is true, with no torque otherwise.
A jammed servo is a link that stays where it is; a limp one is a link that something else moves. Times must not run
backwards; how often the model is asked does not change what it answers.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from dofbot_ros.arm.backend import ServoHealth
from dofbot_ros.config.ranges import Checked, Index, NotNegative, Positive

NO_LOAD_SPEED_RAD_S = 3.4
TICKS_PER_RAD = 2200 / math.pi
"""Scale of servos 1 to 4 and 6 (2200 ticks for 180 degrees); servo 5 differs by 0.6 %."""


@dataclass(frozen=True)
class ServoModelConfig(Checked):
    """What a servo can do. Speed, stall time and supply are the maker's sheet (YB-SD15M), the rest is assumed.

    Attributes:
        start_delay_s: from the end of a goal frame to the first motion [s].
        max_speed: [ticks/s].
        backlash_ticks: whole width of the play between motor and link [ticks].
        min_ticks: lowest goal taken; a lower one is cut [ticks].
        max_ticks: highest goal taken [ticks].
        full_load_ticks: distance between reference and link at which the motor gives all it has [ticks].
        stall_s: how long the motor may give all it has before the servo lets go [s].
        ambient_c: temperature at rest [deg C].
        heating_c: rise above that at full load, after a long time [deg C].
        heating_time_s: time constant of heating and cooling [s].
        overheat_c: from here on the temperature bit is set [deg C].
        min_supply_v: below it the voltage bit is set [V].
        max_supply_v: above it too [V].
        idle_current_a: what a servo with torque draws without load [A].
        stall_current_a: what the motor draws at full load [A].
    """

    start_delay_s: NotNegative = 0.010
    max_speed: Positive = NO_LOAD_SPEED_RAD_S * TICKS_PER_RAD
    backlash_ticks: NotNegative = 8.0
    min_ticks: Index = 0
    max_ticks: int = 4095
    full_load_ticks: Positive = 160.0
    stall_s: Positive = 3.0
    ambient_c: float = 25.0
    heating_c: float = 60.0
    heating_time_s: Positive = 240.0
    overheat_c: float = 70.0
    min_supply_v: float = 5.5
    max_supply_v: float = 8.4
    idle_current_a: float = 0.08
    stall_current_a: float = 3.2

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if not self.min_ticks < self.max_ticks:
            yield f"min_ticks must be below max_ticks, got {self.min_ticks} and {self.max_ticks}"


class _Ramp(NamedTuple):
    """Motion at one speed from `start` [ticks] at `begin_s` to `goal` at `end_s`."""

    start: float
    goal: float
    begin_s: float
    end_s: float

    def at(self, now: float) -> float:
        if now >= self.end_s:
            return self.goal
        if now <= self.begin_s:
            return self.start
        part = (now - self.begin_s) / (self.end_s - self.begin_s)
        return self.start + part * (self.goal - self.start)


class _Goal(NamedTuple):
    ticks: int
    time_s: float
    begin_s: float


class ServoModel:
    """One servo: see the top of this file for how to drive it.

    Args:
        start_ticks: where the link is to begin with [ticks]; the servo holds it.
        config: what the servo can do.
        now: the time at which it is switched on [s].
    """

    def __init__(self, start_ticks: float, config: ServoModelConfig | None = None, now: float = 0.0) -> None:
        self.config = config or ServoModelConfig()
        self.temperature_c = self.config.ambient_c
        """Case temperature [deg C]; set it to make the servo hot."""
        self.supply_v = 7.4
        """Voltage at its plug [V]; set it to make the supply weak."""
        self._half_play = self.config.backlash_ticks / 2.0
        self._ramp = _Ramp(start_ticks, start_ticks, now, now)
        self._waiting: deque[_Goal] = deque()
        self._stored = _clamp_goal(round(start_ticks), self.config)
        self._link = start_ticks
        self._driven = start_ticks
        self._felt_s = now
        self._full_load_since: float | None = None
        self._torque = True
        self._overloaded = False
        self._load = 0.0

    @property
    def torque_on(self) -> bool:
        """The torque switch, as last written."""
        return self._torque

    @property
    def holding(self) -> bool:
        """Whether the motor drives the link: torque is on and the stall protection has not let go."""
        return self._torque and not self._overloaded

    @property
    def goal_ticks(self) -> int:
        """The goal register [ticks]."""
        return self._stored

    @property
    def current_ma(self) -> int:
        """What the motor draws for the load it was last felt to hold [mA]."""
        idle_a = self.config.idle_current_a if self._torque else 0.0
        return round(1000.0 * max(idle_a, self.config.stall_current_a * self._load))

    @property
    def position(self) -> int:
        """The link as the encoder last felt it, in whole ticks within the encoder's range."""
        return min(4095, max(0, round(self._link)))

    @property
    def health(self) -> ServoHealth:
        """The status bits and the temperature."""
        config = self.config
        return ServoHealth(
            voltage_fault=not config.min_supply_v <= self.supply_v <= config.max_supply_v,
            overheated=self.temperature_c >= config.overheat_c,
            overloaded=self._overloaded,
            temperature_c=self.temperature_c,
        )

    def command(self, ticks: int, time_ms: int, now: float) -> None:
        """Take a goal [ticks] to be reached `time_ms` after the start delay; 0 or too short a time means full speed.

        The move begins where the one under way has come to by then. Without torque, or after a stall, the goal
        is only stored.
        """
        self._stored = _clamp_goal(ticks, self.config)
        if self.holding:
            self._waiting.append(_Goal(self._stored, time_ms / 1000.0, now + self.config.start_delay_s))

    def torque(self, enabled: bool, now: float) -> None:
        """Turn the torque switch. On, after off or after a stall, the servo heads for its stored goal at full speed:
        that is the jump a careless driver causes (what a real servo does is not documented; this is the worse case).
        """
        self.reference(now)
        was_holding = self.holding
        self._torque = enabled
        self._overloaded = self._overloaded and not enabled
        self._full_load_since = None
        if self.holding and not was_holding:
            self._rest_at(self._link, now)
            self.command(self._stored, 0, now)
        elif not enabled:
            self._waiting.clear()

    def trip(self, now: float) -> None:
        """Let go as after a stall: the overload bit is set until torque is switched on anew."""
        self.reference(now)
        self._overloaded = True
        self._rest_at(self._link, now)

    def reference(self, now: float) -> float:
        """Where the motor drives the link at `now` [ticks], with the play of the gears in it."""
        while self._waiting and self._waiting[0].begin_s <= now:
            goal = self._waiting.popleft()
            start = self._ramp.at(goal.begin_s)
            self._take_up_play(start)
            needed_s = abs(goal.ticks - start) / self.config.max_speed
            self._ramp = _Ramp(start, goal.ticks, goal.begin_s, goal.begin_s + max(goal.time_s, needed_s))
        self._take_up_play(self._ramp.at(now))
        return self._driven

    def feel(self, link_ticks: float, now: float) -> float:
        """Tell the servo where its link really is [ticks]; moves its heat and its stall protection on to `now`.

        Returns reference(now), which a caller with many servos would ask for next.
        """
        away = abs(self.reference(now) - link_ticks)
        self._link = link_ticks
        holding = self._torque and not self._overloaded
        self._load = load = min(1.0, away / self.config.full_load_ticks) if holding else 0.0
        if now > self._felt_s:
            config = self.config
            part = -math.expm1((self._felt_s - now) / config.heating_time_s)
            self.temperature_c += part * (config.ambient_c + config.heating_c * load - self.temperature_c)
            self._felt_s = now
        if not holding:
            self._rest_at(link_ticks, now)
        elif load < 1.0:
            self._full_load_since = None
        elif self._full_load_since is None:
            self._full_load_since = now
        elif now - self._full_load_since >= self.config.stall_s:
            self.trip(now)
        return self._driven

    def _take_up_play(self, motor_ticks: float) -> None:
        """The play operator (Krasnosel'skii and Pokrovskii, 1989): the link moves once the motor has crossed the gap.

        A ramp is monotone, so this is exact however seldom it is asked, as long as every ramp's end is passed through.
        """
        if self._driven < motor_ticks - self._half_play:
            self._driven = motor_ticks - self._half_play
        elif self._driven > motor_ticks + self._half_play:
            self._driven = motor_ticks + self._half_play

    def _rest_at(self, ticks: float, now: float) -> None:
        self._waiting.clear()
        self._ramp = _Ramp(ticks, ticks, now, now)
        self._driven = ticks


def _clamp_goal(ticks: int, config: ServoModelConfig) -> int:
    return min(config.max_ticks, max(config.min_ticks, ticks))
