"""A planner's fastest trajectory through the whole daemon: taken, and followed on its path."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

JOINTS = ("joint1", "joint2", "joint3", "joint4", "joint5")
VELOCITY, ACCELERATION, STEP_S = 1.6, 8.0, 0.1


def test_a_trapezoid_at_the_limits_is_carried_out_from_where_the_arm_was_measured(bench: Any) -> None:
    way, ramp = 1.2, VELOCITY / ACCELERATION
    duration = ramp + way / VELOCITY
    t = np.append(np.arange(0.0, duration, STEP_S), duration)
    rows = [
        np.select([t < ramp, t > duration - ramp], [rising, falling], cruising)
        for rising, falling, cruising in (
            (ACCELERATION * t**2 / 2, way - ACCELERATION * (duration - t) ** 2 / 2, VELOCITY * (t - ramp / 2)),
            (ACCELERATION * t, ACCELERATION * (duration - t), VELOCITY),
            (ACCELERATION, -ACCELERATION, 0.0),
        )
    ]
    direction = np.array([1.0, 0.3, 0.4, 0.3, -0.5])
    position, velocity, acceleration = (np.outer(row, direction) for row in rows)
    measured = 0.015 * np.array([1.0, -1.0, 1.0, 1.0, -1.0])
    number = bench.daemon.follow(t, position + measured, velocity, JOINTS, accelerations=acceleration)

    sent, times = [], []
    began = bench.clock.now()
    while bench.daemon.snapshot().motion == number or not sent:
        snapshot = bench.run(0.02)
        sent.append(snapshot.sent.position[0])
        times.append(snapshot.stamp_s - began)
        assert snapshot.stamp_s - began < 5.0
        if snapshot.result is not None and snapshot.result.motion == number:
            break
    assert bench.daemon.snapshot().result.succeeded
    late = (np.array(times) > 0.5) & (np.array(times) < duration)
    path = np.interp(np.array(times)[late], t, position[:, 0] + measured[0])
    assert np.abs(np.array(sent)[late] - path).max() < 0.05
    assert bench.measured()[:5] == pytest.approx(position[-1] + measured, abs=0.03)
