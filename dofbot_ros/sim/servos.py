"""Servo models on the joints of the simulated arm: what a bus, or the arm backend, finds at the far end of the wire."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from dofbot_ros.arm.backend import ServoHealth
from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration, TickArray
from dofbot_ros.core.types import FloatArray
from dofbot_ros.hardware.emulation.servo_model import ServoModel, ServoModelConfig
from dofbot_ros.hardware.emulation.servos import SERVO_IDS
from dofbot_ros.sim.world import World

PLAY_SHARE = 0.03
"""Share of gravity's greatest torque that takes up the play of a gear against its friction."""


class WorldServos:
    """A hardware.servos.ServoBank whose links are the joints of a world's arm.

    As an actuator of the world it moves the models' references and lets them feel their links at every servo tick. As a
    bank it also makes the world keep up with the time that step() is told; beyond that `now` is not used: the models
    run on the world's time, so that a reset repeats itself bit for bit.

    Args:
        world: the world; its arm obeys this bank from now on.
        calibration: ticks <-> rad, the same that the driver uses (or another: a miscalibrated arm).
        config: what every servo can do, or one a servo id.
    """

    def __init__(
        self,
        world: World,
        calibration: Calibration = DEFAULT_CALIBRATION,
        config: ServoModelConfig | Mapping[int, ServoModelConfig] | None = None,
    ) -> None:
        self.ids = SERVO_IDS
        self._world = world
        self._calibration = calibration
        self._configs = config if isinstance(config, Mapping) else dict.fromkeys(self.ids, config)
        self._ahead_s: float | None = None
        self._models: dict[int, ServoModel] = {}
        world.attach(self)

    def restart(self) -> None:
        """Switch all servos on where the arm stands."""
        now = self._world.time_s
        angles = self._world.arm.angles()
        self._models = {
            servo: ServoModel(start, self._configs.get(servo), now)
            for servo, start in zip(self.ids, self._sensed(angles), strict=True)
        }

    def tick(self, time_s: float) -> None:
        """Feel the links, then set the motors for the steps until the next tick."""
        angles, reference = self._feel(time_s)
        holding = [model.holding for model in self._models.values()]
        driven = self._calibration.plain_rad(reference)
        if not self._world.arm.flaws.rigid:
            driven = [q + b for q, b in zip(driven, self._give(angles), strict=True)]
        self._world.arm.drive(driven, holding, angles)

    def step(self, now: float) -> None:
        """Let the world catch up with `now` [s], a clock that need not start where the world's does."""
        with self._world.lock:
            if self._ahead_s is None:
                self._ahead_s = now - self._world.now_s
            self._world.run_until(now - self._ahead_s)
            self._feel(self._world.time_s)

    def command(self, servo: int, ticks: int, time_ms: int, now: float) -> None:  # noqa: ARG002
        """A goal [ticks] with its move time [ms] has arrived."""
        with self._world.lock:
            self._models[servo].command(ticks, time_ms, self._world.time_s)

    def torque(self, servo: int, enabled: bool, now: float) -> None:  # noqa: ARG002
        """The torque switch was written."""
        with self._world.lock:
            self._models[servo].torque(enabled, self._world.time_s)

    def torque_on(self, servo: int) -> bool:
        """The torque switch, as last written."""
        return self._models[servo].torque_on

    def holding(self, servo: int) -> bool:
        """Whether the motor truly drives its link."""
        return self._models[servo].holding

    def current_ma(self, servo: int) -> int:
        """What the motor draws [mA]."""
        return self._models[servo].current_ma

    def goal(self, servo: int) -> int:
        """The goal register [ticks]."""
        return self._models[servo].goal_ticks

    def position(self, servo: int, now: float) -> int:  # noqa: ARG002
        """What the servo's encoder said at the last step [ticks]."""
        return self._models[servo].position

    def health(self, servo: int, now: float) -> ServoHealth:  # noqa: ARG002
        """Status bits and temperature."""
        return self._models[servo].health

    def sense(self) -> tuple[TickArray, tuple[ServoHealth, ...]]:
        """Positions [ticks] (6,) and health of all servos at the world's present moment."""
        with self._world.lock:
            self._feel(self._world.time_s)
            models = self._models.values()
            return np.array([model.position for model in models]), tuple(model.health for model in models)

    def references(self) -> FloatArray:
        """Where the motors drive their links at the world's present moment [ticks] (6,)."""
        with self._world.lock:
            return np.array([model.reference(self._world.time_s) for model in self._models.values()])

    def goals(self) -> TickArray:
        """The goal registers [ticks], shape (6,)."""
        return np.array([model.goal_ticks for model in self._models.values()])

    def send(self, goals: Sequence[int], time_ms: int) -> list[bool]:
        """Give every servo whose goal register differs its new goal [ticks] (6,). Returns which those were, (6,)."""
        with self._world.lock:
            now, changed = self._world.time_s, []
            for goal, model in zip(goals, self._models.values(), strict=True):
                changed.append(goal != model.goal_ticks)
                if changed[-1]:
                    model.command(goal, time_ms, now)
        return changed

    def switch(self, enabled: bool) -> None:
        """Let all servos hold where they are now, or let go; one that holds already keeps its goal."""
        with self._world.lock:
            here, _ = self.sense()
            now = self._world.time_s
            for servo, ticks in zip(self.ids, here.tolist(), strict=True):
                if enabled and not self.holding(servo):
                    # The goal first: a servo heads for the goal it has stored as soon as it has torque.
                    self.command(servo, ticks, 0, now)
                self.torque(servo, enabled, now)

    def _feel(self, time_s: float) -> tuple[Sequence[float], list[float]]:
        """Tell the models where their links are; returns that [rad], (6,), and their references [ticks]."""
        angles = self._world.arm.angles()
        models = zip(self._models.values(), self._sensed(angles), strict=True)
        return angles, [model.feel(link, time_s) for model, link in models]

    def _give(self, angles: Sequence[float]) -> list[float]:
        """How far gravity holds each link from where its servo's gear would have it [rad] (6,): droop, play, flex."""
        flaws = self._world.arm.flaws
        give = flaws.droop_rad + flaws.flex_rad
        return [
            give * share + 0.5 * flaws.play_rad * math.tanh(share / PLAY_SHARE)
            for share in self._world.arm.load(angles)
        ]

    def _sensed(self, angles: Sequence[float]) -> list[int]:
        """What the encoders read [ticks] (6,) of joint angles [rad] (6,): not the flex of the links beyond them."""
        flex = self._world.arm.flaws.flex_rad
        if flex:
            angles = [q - flex * share for q, share in zip(angles, self._world.arm.load(angles), strict=True)]
        return self._calibration.plain_ticks(angles)
