"""The scalar limiter does what the governor does with a moving setpoint."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.core.types import FloatArray
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.motion.braking import joint_braking_velocity
from dofbot_ros.motion.trajectory import Sample
from dofbot_ros.policy.interface.action_mapper import PERIOD_S
from dofbot_ros.policy.interface.rate_limiter import RateLimiter, braking_room
from dofbot_ros.safety.governor import Governor
from dofbot_ros.safety.workspace import NAMES, Workspace


class Anywhere(Workspace):
    """A workspace without obstacles: the limiter leaves the workspace to the reach map."""

    def clearances(self, q: FloatArray) -> FloatArray:
        return np.ones((*np.shape(q)[:-1], len(NAMES)))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), stride=st.floats(0.0, 0.5))
def test_it_leaves_of_any_stream_what_the_governor_leaves(seed: int, stride: float) -> None:
    rng = np.random.default_rng(seed)
    limits = DriverConfig().motion_limits(DRAWN)
    start = rng.uniform(limits.lower, limits.upper)
    limiter = RateLimiter(limits, PERIOD_S)
    governor = Governor(limits, Anywhere(DRAWN.kinematics), PERIOD_S, soft_start_s=0.0, timeout_s=1.0)
    limiter.start(start.tolist())
    governor.start(start, 0.0)
    for _ in range(40):
        goal = governor.state.position + rng.normal(0.0, stride, 6)
        setpoint = Sample(goal, (goal - governor.state.position) / PERIOD_S)
        governed = governor.step(setpoint, 0.0, 0.0)
        assert np.allclose(limiter.step(goal.tolist()), governed.position, atol=1e-9)


@given(speed=st.floats(0.01, 10.0), step=st.floats(0.001, 2.0), further=st.floats(0.0, 10.0))
def test_beyond_the_braking_room_no_joint_has_to_be_slowed_down(speed: float, step: float, further: float) -> None:
    room = braking_room(speed, step, PERIOD_S)
    assert joint_braking_velocity(room + further, step, PERIOD_S) >= speed
    # The way of a constant deceleration, with three periods' steps to spare.
    assert room <= 0.5 * PERIOD_S * (speed + 3.0 * step) ** 2 / step * (1.0 + 1e-9)
