"""The state of the arm follows from its four facts; the gravest wins."""

import itertools

import pytest

from dofbot_ros.safety.states import ArmState, arm_state


@pytest.mark.parametrize(
    ("connected", "estopped", "faulty", "torque", "moving"), list(itertools.product([False, True], repeat=5))
)
def test_the_gravest_fact_names_the_state(connected, estopped, faulty, torque, moving):
    by_gravity = [
        (not connected, ArmState.DISCONNECTED),
        (estopped, ArmState.ESTOP),
        (faulty, ArmState.FAULT),
        (not torque, ArmState.IDLE),
        (moving, ArmState.ACTIVE),
        (True, ArmState.HOLD),
    ]
    expected = next(state for fact, state in by_gravity if fact)
    assert arm_state(connected, estopped, faulty, torque, moving) is expected
