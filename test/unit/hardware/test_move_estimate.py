"""Where a servo should be by its goals: against the servo model itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.hardware.emulation.servo_model import ServoModel, ServoModelConfig
from dofbot_ros.hardware.move_estimate import MoveEstimate

ONE = np.array([True])


def test_a_move_is_straight_in_its_time_and_then_rests():
    estimate = MoveEstimate(np.array([1000, 2000]))
    estimate.sent(np.array([1100, 2500]), np.array([True, False]), 0.1, 5.0)
    assert estimate.at(5.05).tolist() == [1050.0, 2000.0]
    assert estimate.at(9.0).tolist() == [1100.0, 2000.0]


@given(st.lists(st.tuples(st.integers(1500, 2500), st.floats(0.03, 0.4)), min_size=1, max_size=8))
def test_it_is_where_a_servo_is_that_obeys_at_once(goals):
    config = ServoModelConfig(start_delay_s=0.0, backlash_ticks=0.0, max_speed=1e9)
    servo, estimate, now = ServoModel(2000, config), MoveEstimate(np.array([2000])), 0.0
    for ticks, pause in goals:
        time_ms = round(1000 * pause)
        servo.command(ticks, time_ms, now)
        estimate.sent(np.array([ticks]), ONE, time_ms / 1000, now)
        now += 0.6 * pause
        assert estimate.at(now)[0] == pytest.approx(servo.reference(now), abs=1e-6)
