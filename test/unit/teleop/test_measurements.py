"""Jitter, lag and tracking error, on synthetic hands with the noise of real ones."""

from __future__ import annotations

import numpy as np
import pytest

from dofbot_ros.bench.following import measure
from dofbot_ros.core.types import FloatArray
from dofbot_ros.teleop.config import TeleopConfig

from .synthetic_operator import Operator, Path3, follow

CENTRE = (-0.7, 0.05, 0.03)
SETTLED_S = 1.5


def lag_and_error(times: FloatArray, track: FloatArray, wanted: Path3, axis: int, scale: float) -> tuple[float, float]:
    """The delay of the hand's path that explains the tool's path best [s], and what is left then [m rms]."""
    after = times > SETTLED_S
    best = (np.inf, 0.0)
    for lag in np.arange(0.0, 0.4, 0.002):
        path = scale * np.array([wanted(t - lag)[axis] for t in times[after]])
        error = track[after] - path
        best = min(best, (float(np.std(error)), float(lag)))
    return best[1], best[0]


@pytest.mark.parametrize("seed", range(3))
def test_a_still_hand_leaves_the_tool_still(seed: int) -> None:
    times, tools, _ = follow(lambda _: CENTRE, 11.0, Operator(seed=seed))
    still = tools[times > 1.0]
    assert np.sqrt(still.var(axis=0).sum()) <= 0.5e-3


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("amplitude", [0.03, 0.05])
def test_a_sinusoid_of_100_mm_per_s_is_commanded_in_time(axis: int, amplitude: float) -> None:
    """From capture to command, 30 ms of camera and detector included; servos take some 75 ms more."""

    def path(t: float) -> tuple[float, float, float]:
        point = list(CENTRE)
        point[axis] += amplitude * np.sin(0.1 / amplitude * t)
        return (point[0], point[1], point[2])

    times, tools, _ = follow(path, 8.0, Operator())
    lag, error = lag_and_error(times, tools[:, axis], path, axis, TeleopConfig().hand.scale[axis])
    assert lag <= 0.1
    assert error <= 6e-3


@pytest.mark.slow
def test_the_arm_follows_in_every_direction_and_stands_still() -> None:
    """From capture to the measured arm, the simulated servos included."""
    pytest.importorskip("pybullet", reason="the simulated arm is an extra: pip install 'dofbot_ros[sim]'")
    result = measure(seconds=9.0)
    assert {name: figures["lag_ms"] <= 150.0 for name, figures in result.items() if name != "still"} == {
        "depth": True, "lateral": True, "vertical": True,
    }  # fmt: skip
    assert max(figures.get("error_mm", 0.0) for figures in result.values()) <= 6.0
    assert result["still"]["jitter_mm"] <= 0.5


def test_a_quick_reach_overshoots_by_15_mm_at_most() -> None:
    """A hand that goes 0.1 m to the left in 0.6 s and stops there (minimum jerk): the lead ends with its speed."""

    def path(t: float) -> tuple[float, float, float]:
        s = float(np.clip((t - 2.0) / 0.6, 0.0, 1.0))
        return (CENTRE[0], CENTRE[1] + 0.1 * (10 * s**3 - 15 * s**4 + 6 * s**5), CENTRE[2])

    times, tools, _ = follow(path, 5.0, Operator())
    travel = tools[:, 1] - tools[times < 1.9, 1].mean()
    assert travel[-1] == pytest.approx(0.08, abs=0.006)
    assert travel.max() <= travel[-1] + 0.015
