"""How late and how exactly the simulated arm follows a hand whose way is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from rich.progress import Progress

from dofbot_ros.core.console import console
from dofbot_ros.core.types import FloatArray
from dofbot_ros.teleop.config import TeleopConfig, load_config
from dofbot_ros.teleop.input.synthetic import SyntheticHand
from dofbot_ros.teleop.sessions.session import SimSession

CENTRE = (-0.7, 0.05, 0.03)
"""Of the hand's way: forward, left, up from the camera [m]."""
DIRECTIONS = {"depth": 0, "lateral": 1, "vertical": 2}
SPEED = 0.1
"""Of the hand, at most [m/s]."""
FPS = 30.0
SETTLED_S = 3.0
"""Judged from here on [s]."""
MOST_LAG_S = 0.5


def measure(seconds: float = 12.0, amplitude: float = 0.05, seed: int = 0) -> dict[str, Any]:
    """Move a hand in each direction, then hold it still, with the shipped configuration; on simulated time.

    Args:
        seconds: of each of the four runs [s].
        amplitude: of the sinusoid whose greatest speed is SPEED [m].
        seed: of the noise.

    Returns:
        For each of DIRECTIONS: lag_ms, from capture to the measured arm, at which hand and tool fit best; error_mm,
        what is then left [mm rms]. For `still`: jitter_mm of the measured tool [mm rms].
    """
    config = load_config()
    result: dict[str, Any] = {}
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("following", total=len(DIRECTIONS) + 1)
        for name, axis in DIRECTIONS.items():
            times, tool = _follow(config, seconds, axis, amplitude, seed)
            lag_s, error_m = _fit(times, tool[:, axis], CENTRE[axis], amplitude, config.hand.scale[axis])
            result[name] = {"lag_ms": 1e3 * lag_s, "error_mm": 1e3 * error_m}
            progress.advance(task)
        times, tool = _follow(config, seconds, 0, 0.0, seed)
        still = tool[times > SETTLED_S]
        result["still"] = {"jitter_mm": 1e3 * float(np.sqrt(still.var(axis=0).sum()))}
        progress.advance(task)
    return result


def _follow(
    config: TeleopConfig, seconds: float, axis: int, amplitude: float, seed: int
) -> tuple[FloatArray, FloatArray]:
    """Times on the clock of the frames' stamps [s], shape (n,), and the measured tool points then [m], shape (n, 3)."""
    hand = SyntheticHand(np.random.default_rng(seed))
    with SimSession(config, seed) as session:
        for frame in range(round(seconds * FPS)):
            stamp_s = frame / FPS
            point = np.array(CENTRE)
            point[axis] += _way(np.array(stamp_s), amplitude)
            forward, left, up = point.tolist()
            session.observe(hand.at(forward, left, up, stamp_s))
        path = session.finish(0.0)
        return path.time_s - session.shift_s, path.tool[:, :3]


def _way(time_s: FloatArray, amplitude: float) -> FloatArray:
    """How far the hand is from the centre [m]."""
    way: FloatArray = amplitude * np.sin(time_s * (SPEED / amplitude if amplitude else 0.0))
    return way


def _fit(times: FloatArray, track: FloatArray, centre: float, amplitude: float, scale: float) -> tuple[float, float]:
    """The delay of the hand's way that explains the tool's best [s], and what is left then [m rms]."""
    after = times > SETTLED_S
    lags = np.arange(0.0, MOST_LAG_S, 0.002)
    left = [np.std(track[after] - scale * (centre + _way(times[after] - lag, amplitude))) for lag in lags]
    best = int(np.argmin(left))
    return float(lags[best]), float(left[best])
