"""An arm of servo models on a hand-turned clock: the daemon's whole loop without waiting, with faults at will."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from dofbot_ros.arm.backend import ArmReading, ArmSent, BusStats, ServoHealth, never
from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration
from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.clock import ManualClock
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.driver.daemon import ArmDaemon
from dofbot_ros.driver.motion_events import Event, MotionEvent
from dofbot_ros.errors import BusError, NoReplyError, PortError
from dofbot_ros.hardware.emulation.servos import SERVO_IDS, ModelServos


@dataclass
class ModelArm:
    """ArmBackend over six servo models. Set the flags to break it."""

    clock: ManualClock
    calibration: Calibration = DEFAULT_CALIBRATION
    name: str = "model"
    absent: bool = False
    silent: set[int] = field(default_factory=set)
    deaf: bool = False
    goals: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.servos = ModelServos(now=self.clock.now())
        for servo in SERVO_IDS:
            self.servos.torque(servo, False, self.clock.now())
        self._stamps = np.full(6, -np.inf)
        self._position = np.zeros(6)
        self._since = np.full(6, np.inf)

    def connect(self) -> ArmReading:
        if self.silent:
            raise NoReplyError(f"servo {sorted(self.silent)} is silent", sorted(self.silent))
        return self.read()

    def read(self, until_s: float = np.inf, urgent: Callable[[], bool] = never) -> ArmReading:
        self._check_port()
        now = self.clock.now()
        fresh = np.array([servo not in self.silent for servo in SERVO_IDS])
        ticks = [self.servos.position(servo, now) for servo in SERVO_IDS]
        self._position = np.where(fresh, self.calibration.ticks_to_rad(ticks), self._position)
        self._stamps = np.where(fresh, now, self._stamps)
        self._since = np.where(fresh, np.inf, np.minimum(self._since, now))
        health = tuple(self.servos.health(servo, now) for servo in SERVO_IDS)
        silent_s = np.where(fresh, 0.0, now - np.where(fresh, now, self._since))
        torque = tuple(self.servos.torque_on(servo) for servo in SERVO_IDS)
        return ArmReading(now, self._position.copy(), self._stamps.copy(), fresh, health, silent_s, torque)

    def write(self, position: np.ndarray, duration_s: float, urgent: bool = False) -> ArmSent:
        self._check_port()
        if self.deaf:
            raise BusError("no servo takes a goal")
        now = self.clock.now()
        ticks = self.calibration.rad_to_ticks(position)
        for servo, tick in zip(SERVO_IDS, ticks, strict=True):
            if servo in self.silent:
                continue
            self.servos.command(servo, int(tick), round(1000 * duration_s), now)
        self.goals.append(np.array(position))
        return ArmSent(now, self.calibration.ticks_to_rad(ticks), np.ones(6, dtype=bool))

    def underway(self) -> np.ndarray:
        now = self.clock.now()
        return self.calibration.ticks_to_rad([self.servos.models[servo].reference(now) for servo in SERVO_IDS])

    def torque(self, enabled: bool) -> None:
        self._check_port()
        now = self.clock.now()
        for servo in SERVO_IDS:
            if enabled:
                self.servos.command(servo, self.servos.position(servo, now), 0, now)
            self.servos.torque(servo, enabled, now)

    def limit_speed(self, max_velocity: float) -> None:
        pass

    def stats(self) -> BusStats:
        return BusStats()

    def close(self) -> None:
        pass

    def health(self, servo: int) -> ServoHealth:
        return self.servos.health(servo, self.clock.now())

    def _check_port(self) -> None:
        if self.absent:
            raise PortError("the port is gone", "/dev/none")


class Bench:
    """A daemon on its arm, and time to let pass."""

    def __init__(
        self,
        calibration: Calibration = DEFAULT_CALIBRATION,
        allowed: Callable[[], float] | None = None,
        **config: object,
    ) -> None:
        self.events: list[MotionEvent] = []
        self.clock = ManualClock(100.0)
        self.arm = ModelArm(self.clock, calibration)
        self.daemon = ArmDaemon(
            self.arm,
            DriverConfig(**{"soft_start_s": 0.0, **config}),  # type: ignore[arg-type]
            Robot.calibrated(calibration),
            speed=allowed,
        )

    def hold(self) -> None:
        """Connect and switch the torque on."""
        self.run(0.04)
        self.daemon.set_torque(True)
        self.run(0.1)

    def run(self, seconds: float):
        for _ in range(round(seconds * 50)):
            self.events += self.daemon.step().events
            self.clock.advance(0.02)
        return self.daemon.snapshot()

    @property
    def stops(self) -> int:
        """How often everything was stopped so far."""
        return sum(event.event is Event.STOPPED for event in self.events)

    def until(self, condition, seconds: float = 10.0):
        for _ in range(round(seconds * 50)):
            snapshot = self.run(0.02)
            if condition(snapshot):
                return snapshot
        raise AssertionError(f"not within {seconds} s; the last was {self.daemon.snapshot()}")

    def measured(self) -> np.ndarray:
        return self.daemon.snapshot().reading.position


@pytest.fixture
def new_bench():
    return Bench


@pytest.fixture
def bench():
    """Connected and holding."""
    b = Bench()
    b.hold()
    return b
