"""The simulated arm as a backend: the same contract as the serial one, without a wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from dofbot_ros.arm.backend import ArmReading, ArmSent, BusStats, never
from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration
from dofbot_ros.core.clock import Clock
from dofbot_ros.core.types import N_JOINTS, FloatArray
from dofbot_ros.errors import InputError, PortError
from dofbot_ros.hardware.emulation.servo_model import ServoModelConfig
from dofbot_ros.hardware.slow_queries import PRESSING_MA
from dofbot_ros.sim.clock import SimClock
from dofbot_ros.sim.servos import WorldServos
from dofbot_ros.sim.world import World


class SimArm:
    """An ArmBackend on a world. Reads and writes take no simulated time; the servos' delay is in their models.

    Args:
        world: the world; its arm obeys this backend from now on.
        clock: the time it lives in; by default the world's, as fast as possible.
        calibration: ticks <-> rad, as this backend is told.
        servo: what every servo can do, or one a servo id.
        truth: the calibration that the simulated servos truly have; the same by default.
    """

    name = "sim"

    def __init__(
        self,
        world: World,
        clock: Clock | None = None,
        calibration: Calibration = DEFAULT_CALIBRATION,
        servo: ServoModelConfig | Mapping[int, ServoModelConfig] | None = None,
        truth: Calibration | None = None,
    ) -> None:
        self.clock: Clock = clock or SimClock(world)
        self._world = world
        self._calibration = calibration
        self._servos = WorldServos(world, truth or calibration, servo)
        self._connected = False
        self._stats = BusStats()

    def connect(self) -> ArmReading:
        """Read where the simulated joints are; nothing moves."""
        self._connected = True
        self._stats = BusStats()
        return self.read()

    def read(self, until_s: float = np.inf, urgent: Callable[[], bool] = never) -> ArmReading:  # noqa: ARG002
        """Positions in whole ticks, as the servos would answer; that takes no time."""
        self._check_connected()
        ticks, health = self._servos.sense()
        now = self.clock.now()
        self._count(N_JOINTS)
        return ArmReading(
            stamp_s=now,
            position=self._calibration.ticks_to_rad(ticks),
            stamps_s=np.full(N_JOINTS, now),
            fresh=np.ones(N_JOINTS, dtype=bool),
            health=health,
            torque=tuple(self._servos.torque_on(servo) for servo in self._servos.ids),
            pressing=tuple(self._servos.current_ma(servo) > PRESSING_MA for servo in self._servos.ids),
            heard=(True,) * N_JOINTS,
        )

    def write(self, position: FloatArray, duration_s: float, urgent: bool = False) -> ArmSent:  # noqa: ARG002
        """Give every servo whose goal changes by a tick or more its new goal and time."""
        self._check_connected()
        position = np.asarray(position, dtype=np.float64)
        if position.shape != (N_JOINTS,) or not np.isfinite(position).all():
            raise InputError(f"an arm's goal is {N_JOINTS} finite joint angles, got {position.tolist()}")
        goals = self._calibration.plain_ticks(position.tolist())
        written = np.array(self._servos.send(goals, round(1000 * duration_s)))
        self._count(int(written.sum()))
        return ArmSent(self.clock.now(), self._calibration.ticks_to_rad(self._servos.goals()), written)

    def underway(self) -> FloatArray:
        """Where the servos' motors are [rad] (6,)."""
        return self._calibration.ticks_to_rad(self._servos.references())

    def torque(self, enabled: bool) -> None:
        """Hold the present pose with torque, or let go."""
        self._check_connected()
        self._servos.switch(enabled)
        self._count(N_JOINTS)

    def limit_speed(self, max_velocity: float) -> None:
        """Simulated servos miss no goal, so they have nothing to catch up with."""

    def stats(self) -> BusStats:
        """Frames as a bus would have counted them; none is ever lost."""
        return self._stats

    def close(self) -> None:
        """Nothing to let go of: the world belongs to whoever made it."""
        self._connected = False

    def _check_connected(self) -> None:
        if not self._connected:
            raise PortError("the simulated arm is not connected: call connect() first", "sim")

    def _count(self, frames: int) -> None:
        stats = self._stats
        self._stats = replace(stats, frames_sent=stats.frames_sent + frames, replies=stats.replies + frames)
