"""Six servos behind a bus, as the emulator sees them: stand-alone models here, a physics world elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from dofbot_ros.arm.backend import ServoHealth
from dofbot_ros.hardware.servo_model import ServoModel, ServoModelConfig

SERVO_IDS = (1, 2, 3, 4, 5, 6)
UPRIGHT_TICKS = (2000, 2000, 2000, 2000, 1486, 2000)
"""Servos 1 to 5 at 90 degrees, the gripper half open."""


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

    def position(self, servo: int, now: float) -> int:
        """What the servo's encoder says [ticks]."""
        ...

    def health(self, servo: int, now: float) -> ServoHealth:
        """Status bits and temperature."""
        ...


class ModelServos:
    """Servos with nothing on them: every link is where its motor drives it, unless it is jammed or moved by hand.

    Args:
        start_ticks: where each servo stands to begin with, in id order [ticks].
        config: what every servo can do, or one a servo id.
        now: the time at which they are switched on [s].
    """

    def __init__(
        self,
        start_ticks: Sequence[float] = UPRIGHT_TICKS,
        config: ServoModelConfig | Mapping[int, ServoModelConfig] | None = None,
        now: float = 0.0,
    ) -> None:
        self.ids = SERVO_IDS[: len(start_ticks)]
        configs = config if isinstance(config, Mapping) else dict.fromkeys(self.ids, config)
        self.models = {
            servo: ServoModel(start, configs.get(servo), now)
            for servo, start in zip(self.ids, start_ticks, strict=True)
        }
        self._links = dict(zip(self.ids, map(float, start_ticks), strict=True))
        self._jammed: set[int] = set()

    def step(self, now: float) -> None:
        """Bring every servo up to `now` [s]."""
        for servo in self.ids:
            self._bring_up(servo, now)

    def command(self, servo: int, ticks: int, time_ms: int, now: float) -> None:
        """A goal [ticks] with its move time [ms] has arrived."""
        self.models[servo].command(ticks, time_ms, now)

    def torque(self, servo: int, enabled: bool, now: float) -> None:
        """The torque switch was written."""
        self.models[servo].torque(enabled, now)

    def torque_on(self, servo: int) -> bool:
        """The torque switch, as last written."""
        return self.models[servo].torque_on

    def position(self, servo: int, now: float) -> int:
        """What the servo's encoder says [ticks]."""
        self._bring_up(servo, now)
        return self.models[servo].position

    def health(self, servo: int, now: float) -> ServoHealth:
        """Status bits and temperature."""
        self._bring_up(servo, now)
        return self.models[servo].health

    def jam(self, servo: int, jammed: bool = True) -> None:
        """Hold the link where it is, as something hard in its way would."""
        (self._jammed.add if jammed else self._jammed.discard)(servo)

    def heat(self, servo: int, celsius: float) -> None:
        """Make a servo hot; it cools down by itself."""
        self.models[servo].temperature_c = celsius

    def turn_by_hand(self, servo: int, ticks: float) -> None:
        """Put a limp link somewhere else [ticks]; a servo that holds takes it back at once."""
        self._links[servo] = ticks

    def _bring_up(self, servo: int, now: float) -> None:
        model = self.models[servo]
        if model.holding and servo not in self._jammed:
            self._links[servo] = model.reference(now)
        model.feel(self._links[servo], now)
