"""Simulated time as a clock: to sleep is to let the world run."""

from __future__ import annotations

import time

from dofbot_ros.sim.world import World

MAX_DEBT_S = 0.5
"""A world that is slower than asked for by more than this [s of wall time] does not try to catch up."""


class SimClock:
    """core.clock.Clock on a world's time, which a reset of the world does not set back.

    Args:
        world: whose time it is; whoever sleeps advances it.
        rtf: simulated seconds a wall second; 0 is as fast as possible, 1 real time.
    """

    def __init__(self, world: World, rtf: float = 0.0) -> None:
        if not rtf >= 0:
            raise ValueError(f"a real-time factor must not be negative, got {rtf}")
        self._world = world
        self._rtf = rtf
        self._start_wall: float | None = None
        self._start_now = 0.0

    def now(self) -> float:
        """Simulated time since the world was made [s]."""
        return self._world.now_s

    def sleep_until(self, deadline_s: float) -> None:
        """Run the world until `deadline_s`, no faster than the real-time factor allows."""
        if self._rtf == 0:
            self._world.run_until(deadline_s)
            return
        # In slices, so that other threads see the world between them, and so that it never runs far ahead of the wall.
        period = 1.0 / self._world.config.physics.servo_hz
        while (now := self._world.now_s) < deadline_s:
            self._world.run_until(min(deadline_s, now + period))
            if self._world.now_s == now:
                return
            self._wait()

    def _wait(self) -> None:
        wall, now = time.monotonic(), self._world.now_s
        if self._start_wall is None:
            self._start_wall, self._start_now = wall, now
        due = self._start_wall + (now - self._start_now) / self._rtf
        if due < wall - MAX_DEBT_S:
            self._start_wall, self._start_now = wall, now
        elif due > wall:
            time.sleep(due - wall)
