"""Six servos behind a bus, as the emulator sees them: stand-alone models here, a physics world elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from dofbot_ros.arm.backend import ServoHealth
from dofbot_ros.hardware.emulation.servo_model import ServoModel, ServoModelConfig
from dofbot_ros.hardware.emulation.truth_log import TruthLog

SERVO_IDS = (1, 2, 3, 4, 5, 6)
UPRIGHT_TICKS = (2000, 2000, 2000, 2000, 1486, 2000)
"""Servos 1 to 5 at 90 degrees, the gripper half open."""
ROUNDING = 1e-6
"""So far a link may move in no time [ticks]: speeds are compared in floating point."""


class ServoBank(Protocol):
    """The servos at the far end of the wire. All calls come from one thread (the emulator's), `now` never runs back.

    Ticks are raw servo counts (0..4095), `servo` is the bus id.
    """

    @property
    def ids(self) -> Sequence[int]:
        """Their addresses on the bus."""
        ...

    def step(self, now: float) -> None:
        """Bring everything up to `now` [s]; called at least every few milliseconds and before every other call."""
        ...

    def command(self, servo: int, ticks: int, time_ms: int, now: float) -> None:
        """A goal [ticks] with its move time [ms] has arrived."""
        ...

    def torque(self, servo: int, enabled: bool, now: float) -> None:
        """The torque switch was written."""
        ...

    def torque_on(self, servo: int) -> bool:
        """The torque switch, as last written."""
        ...

    def holding(self, servo: int) -> bool:
        """Whether the motor truly drives its link: the switch is on and the stall protection has not let go."""
        ...

    def current_ma(self, servo: int) -> int:
        """What the motor draws [mA]."""
        ...

    def goal(self, servo: int) -> int:
        """The goal register [ticks]."""
        ...

    def position(self, servo: int, now: float) -> int:
        """What the servo's encoder says [ticks]."""
        ...

    def health(self, servo: int, now: float) -> ServoHealth:
        """Status bits and temperature."""
        ...


class ModelServos:
    """Servos with nothing on them: every link goes where its motor drives it, no faster than the motor can.

    A link that was jammed and comes free, or was turned by hand, runs to its goal at the servo's full speed; that takes
    time, as in life, and is what a careless driver lets happen to a hand.

    Args:
        start_ticks: where each servo stands to begin with, in id order [ticks].
        config: what every servo can do, or one a servo id.
        now: the time at which they are switched on [s].
        log: told where every servo truly is at each step, and of every goal and torque switch that arrives.
    """

    def __init__(
        self,
        start_ticks: Sequence[float] = UPRIGHT_TICKS,
        config: ServoModelConfig | Mapping[int, ServoModelConfig] | None = None,
        now: float = 0.0,
        log: TruthLog | None = None,
    ) -> None:
        self.ids = SERVO_IDS[: len(start_ticks)]
        configs = config if isinstance(config, Mapping) else dict.fromkeys(self.ids, config)
        self.models = {
            servo: ServoModel(start, configs.get(servo), now)
            for servo, start in zip(self.ids, start_ticks, strict=True)
        }
        self.log = log
        self._links = dict(zip(self.ids, map(float, start_ticks), strict=True))
        self._moved_s = dict.fromkeys(self.ids, now)
        self._droop = dict.fromkeys(self.ids, 0.0)
        self._jammed: set[int] = set()
        self._held = dict.fromkeys(self.ids, True)

    def step(self, now: float) -> None:
        """Bring every servo up to `now` [s]."""
        for servo in self.ids:
            self._bring_up(servo, now)
        if self.log is not None:
            self._write_down(self.log, now)

    def command(self, servo: int, ticks: int, time_ms: int, now: float) -> None:
        """A goal [ticks] with its move time [ms] has arrived."""
        self._bring_up(servo, now)
        self.models[servo].command(ticks, time_ms, now)
        if self.log is not None:
            self.log.goal(now, self.ids.index(servo), ticks, time_ms)

    def torque(self, servo: int, enabled: bool, now: float) -> None:
        """The torque switch was written."""
        self._bring_up(servo, now)
        self.models[servo].torque(enabled, now)
        self._bring_up(servo, now)

    def torque_on(self, servo: int) -> bool:
        """The torque switch, as last written."""
        return self.models[servo].torque_on

    def holding(self, servo: int) -> bool:
        """Whether the motor truly drives its link."""
        return self.models[servo].holding

    def current_ma(self, servo: int) -> int:
        """What the motor draws [mA]."""
        return self.models[servo].current_ma

    def goal(self, servo: int) -> int:
        """The goal register [ticks]."""
        return self.models[servo].goal_ticks

    def position(self, servo: int, now: float) -> int:
        """What the servo's encoder says [ticks]."""
        self._bring_up(servo, now)
        return self.models[servo].position

    def health(self, servo: int, now: float) -> ServoHealth:
        """Status bits and temperature."""
        self._bring_up(servo, now)
        return self.models[servo].health

    def link(self, servo: int) -> float:
        """Where the link truly was when it was last looked at [ticks]."""
        return self._links[servo]

    def jam(self, servo: int, jammed: bool = True) -> None:
        """Hold the link where it is, as something hard in its way would, or let it go."""
        (self._jammed.add if jammed else self._jammed.discard)(servo)

    def heat(self, servo: int, celsius: float) -> None:
        """Make a servo hot; it cools down by itself."""
        self.models[servo].temperature_c = celsius

    def supply(self, servo: int, volts: float) -> None:
        """Set the voltage at the plug of a servo [V]."""
        self.models[servo].supply_v = volts

    def load(self, servo: int, ticks: float) -> None:
        """Let a load press the link so far beside where its motor drives it [ticks]."""
        self._droop[servo] = ticks

    def trip(self, servo: int, now: float) -> None:
        """Let the stall protection of a servo let go."""
        self._bring_up(servo, now)
        self.models[servo].trip(now)

    def reboot(self, servo: int, now: float) -> None:
        """Take a servo's power and give it back: it wakes without torque, its goal is where it is."""
        self.torque(servo, False, now)
        self.models[servo].command(self.models[servo].position, 0, now)

    def turn_by_hand(self, servo: int, ticks: float) -> None:
        """Put a limp link somewhere else [ticks]; a servo that holds takes it back as fast as it can."""
        self._links[servo] = ticks

    def _bring_up(self, servo: int, now: float) -> None:
        model = self.models[servo]
        seconds = max(0.0, now - self._moved_s[servo])
        self._moved_s[servo] = max(now, self._moved_s[servo])
        if model.holding and servo not in self._jammed:
            way = model.reference(now) + self._droop[servo] - self._links[servo]
            reach = model.config.max_speed * seconds + ROUNDING
            self._links[servo] += min(reach, max(-reach, way))
        model.feel(self._links[servo], now)
        if model.holding != self._held[servo]:
            self._held[servo] = model.holding
            if self.log is not None:
                self.log.torque(now, self.ids.index(servo), model.holding)

    def _write_down(self, log: TruthLog, now: float) -> None:
        models = self.models.values()
        log.sample(
            now,
            [self._links[servo] for servo in self.ids],
            [model.goal_ticks for model in models],
            [model.holding for model in models],
        )
