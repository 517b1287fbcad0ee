import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import ToolPose
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.motion.twist import joint_velocity

ARM = Kinematics()
LIMIT = np.full(5, 1.6)
vectors = arrays(np.float64, 3, elements=st.floats(-0.5, 0.5))
joints = arrays(np.float64, 5, elements=st.floats(-1.5, 1.5))


@given(joints, vectors, vectors)
def test_no_joint_is_asked_for_more_than_its_limit(q, linear, angular):
    assert np.abs(joint_velocity(ARM, q, linear, angular, LIMIT)).max() <= 1.6 + 1e-9


@pytest.mark.parametrize("pitch", [150, 145])
@pytest.mark.parametrize("direction", [[0.02, 0, 0], [0, 0.03, 0], [0, 0, 0.02]])
def test_over_the_table_the_tool_moves_as_asked(pitch, direction):
    q = ARM.solve(ToolPose(0.19, 0.05, 0.05, np.radians(pitch)))
    velocity = joint_velocity(ARM, q, direction, [0, 0, 0], LIMIT)
    np.testing.assert_allclose(ARM.jacobian(q)[:3] @ velocity, direction, atol=1e-9)
    assert velocity[1:4].sum() == pytest.approx(0, abs=1e-9)


def test_pitch_and_roll_are_followed():
    q = ARM.solve(ToolPose(0.19, 0.0, 0.05, np.radians(145)))
    along = ARM.tool_transform(q)[:3, 2]
    pitch = joint_velocity(ARM, q, [0, 0, 0], [0, 0.2, 0], LIMIT)
    assert pitch[1:4].sum() == pytest.approx(0.2)
    roll = joint_velocity(ARM, q, [0, 0, 0], 0.3 * along, LIMIT)
    assert roll[4] == pytest.approx(0.3)
    assert np.abs(roll[:4]).max() == pytest.approx(0, abs=1e-9)


def test_what_is_no_number_is_refused():
    with pytest.raises(CommandRefusedError, match="not finite"):
        joint_velocity(ARM, np.zeros(5), [np.nan, 0, 0], [0, 0, 0], LIMIT)
