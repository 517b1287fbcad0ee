"""When a servo began to brake, and when it rested, by its truth: also where it had been slower for a moment."""

from __future__ import annotations

import numpy as np
import pytest

from dofbot_ros.bench.estop import WINDOW_S, stopped
from dofbot_ros.errors import DofbotError
from dofbot_ros.hardware.emulation.servo_model import TICKS_PER_RAD
from dofbot_ros.hardware.emulation.truth_log import Truth

STEP_S, SPEED = 0.005, 0.3


def truth(speeds: np.ndarray) -> Truth:
    """Of servo 1 alone, with so many samples of its speed [rad/s]."""
    times = STEP_S * np.arange(len(speeds))
    links = np.cumsum(speeds) * STEP_S * TICKS_PER_RAD
    return Truth(times, links[:, None], links[:, None], np.ones((len(speeds), 1), dtype=bool))


def test_braking_and_rest_are_found() -> None:
    times = STEP_S * np.arange(800)
    speeds = np.where(times < 2.5, SPEED, np.maximum(0.0, SPEED - 8.0 * (times - 2.5)))
    speeds[(times > 2.1) & (times < 2.15)] = 0.0  # the driver was kept waiting
    braking_s, rest_s = stopped(truth(speeds), 2.0)
    assert braking_s == pytest.approx(2.5, abs=WINDOW_S)
    assert rest_s == pytest.approx(2.5 + SPEED / 8.0, abs=WINDOW_S + 0.01)


@pytest.mark.parametrize("speeds", [np.full(800, SPEED), np.zeros(800)])
def test_what_was_no_stop_is_not_measured(speeds: np.ndarray) -> None:
    with pytest.raises(DofbotError, match="no stop to measure"):
        stopped(truth(speeds), 2.0)
