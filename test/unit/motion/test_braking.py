"""The formula that the governor's promise rests on, against adding the periods up one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.motion.braking import braking_velocity, joint_braking_velocity

distances = st.floats(0, 3)
steps = st.floats(0.01, 1.0)
periods = st.floats(0.005, 0.05)


def summed(velocity, step, period):
    """Distance of braking from `velocity`, that period included."""
    total = 0.0
    while velocity > 0:
        total += velocity * period
        velocity -= step
    return total


@given(distances, steps, periods)
def test_braking_velocity_just_fits_the_distance(distance, step, period):
    v = float(braking_velocity(np.array([distance]), np.array([step]), period)[0])
    assert summed(v, step, period) <= distance + 1e-9
    assert summed(v + 1e-3, step, period) >= distance - 1e-9


@given(distances, steps, periods)
def test_one_joint_brakes_as_all_do(distance, step, period):
    together = braking_velocity(np.array([distance]), np.array([step]), period)
    assert joint_braking_velocity(distance, step, period) == float(together[0])
