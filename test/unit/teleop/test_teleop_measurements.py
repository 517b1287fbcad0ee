"""Jitter, lag and tracking error, on synthetic hands with the noise of real ones."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic_operator import Operator, Path3, follow

from dofbot_ros.core.types import FloatArray
from dofbot_ros.teleop.config import TeleopConfig

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


@pytest.mark.parametrize(("axis", "most_s"), [(0, 0.33), (1, 0.15), (2, 0.15)])
@pytest.mark.parametrize("amplitude", [0.03, 0.05])
def test_a_sinusoid_of_100_mm_per_s_is_followed(axis: int, most_s: float, amplitude: float) -> None:
    """From capture to command, 30 ms of camera and detector included. Depth is noisier and filtered harder."""

    def path(t: float) -> tuple[float, float, float]:
        point = list(CENTRE)
        point[axis] += amplitude * np.sin(0.1 / amplitude * t)
        return (point[0], point[1], point[2])

    times, tools, _ = follow(path, 8.0, Operator())
    lag, error = lag_and_error(times, tools[:, axis], path, axis, TeleopConfig().hand.scale[axis])
    assert lag <= most_s
    assert error <= 6e-3
