import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.motion.trajectory import MotionLimits, Sample, Trajectory

REST = Sample(np.zeros(6), np.zeros(6))
LIMITS = MotionLimits(np.full(6, -1.5), np.full(6, 1.5), np.full(6, 2.0), np.full(6, 10.0))
knots = arrays(np.float64, (4, 6), elements=st.floats(-1.4, 1.4))


def one_joint(values):
    q = np.zeros((len(values), 6))
    q[:, 1] = values
    return q


@given(knots)
def test_passes_through_its_knots_and_never_beyond_their_neighbours(q):
    times = [0.5, 1.0, 1.7, 3.0]
    trajectory = Trajectory(times, q, None, REST)
    np.testing.assert_allclose(trajectory.sample(times).position, q, atol=1e-12)
    all_knots, edges = np.vstack([np.zeros(6), q]), np.array([0.0, *times])
    for k in range(4):
        inner = trajectory.sample(np.linspace(edges[k], edges[k + 1], 30)).position
        assert (inner <= np.maximum(all_knots[k], all_knots[k + 1]) + 1e-9).all()
        assert (inner >= np.minimum(all_knots[k], all_knots[k + 1]) - 1e-9).all()


@given(knots, arrays(np.float64, (4, 6), elements=st.floats(-1, 1)))
def test_velocity_is_the_derivative_of_position(q, v):
    trajectory = Trajectory([0.5, 1.0, 1.7, 3.0], q, v, REST)
    t = np.linspace(0.01, 2.98, 83)
    t = t[np.abs(t[:, None] - [0.5, 1.0, 1.7]).min(axis=1) > 1e-5]
    h = 1e-6
    numeric = (trajectory.sample(t + h).position - trajectory.sample(t - h).position) / (2 * h)
    np.testing.assert_allclose(trajectory.sample(t).velocity, numeric, atol=1e-5)


@given(knots, arrays(np.float64, (4, 6), elements=st.floats(-3, 3)))
def test_check_agrees_with_dense_sampling(q, v):
    trajectory = Trajectory([0.5, 1.0, 1.7, 3.0], q, v, REST)
    dense = trajectory.sample(np.linspace(0, 3, 3001))
    worst = max(np.abs(dense.position).max() / 1.5, np.abs(dense.velocity).max() / 2.0)
    acceleration = np.abs(np.diff(dense.velocity, axis=0) / 0.001).max() / 10.0
    try:
        trajectory.check(LIMITS)
    except CommandRefusedError:
        assert max(worst, acceleration) > 0.97
    else:
        assert worst <= 1 + 1e-6
        assert acceleration <= 1.01


def test_rests_on_the_last_knot():
    trajectory = Trajectory([1.0], one_joint([0.4]), None, REST)
    after = trajectory.sample(5.0)
    assert after.position[1] == pytest.approx(0.4)
    assert not after.velocity.any()


def test_begins_with_the_velocity_the_arm_has():
    start = Sample(np.zeros(6), np.full(6, 0.3))
    assert Trajectory([1.0], one_joint([0.4]), None, start).sample(0.0).velocity == pytest.approx(np.full(6, 0.3))


@pytest.mark.parametrize(
    ("times", "q", "message"),
    [
        ([], np.zeros((0, 6)), "no points"),
        ([1.0, 1.0], np.zeros((2, 6)), "strictly increasing"),
        ([-1.0, 1.0], np.zeros((2, 6)), "strictly increasing"),
        ([1.0], np.zeros((1, 5)), r"shape \(1, 5\); expected \(1, 6\)"),
        ([1.0], np.full((1, 6), np.nan), "not finite"),
        ([np.inf], np.zeros((1, 6)), "strictly increasing"),
        ([0.0], np.zeros((1, 6)), "no point after time 0"),
        ([0.0, 1.0], one_joint([0.5, 0.6]), "0.500 rad away from where joint2 is"),
    ],
)
def test_refuses_what_is_no_trajectory(times, q, message):
    with pytest.raises(CommandRefusedError, match=message):
        Trajectory(times, q, None, REST)


@pytest.mark.parametrize(
    ("seconds", "target", "message"),
    [
        (5.0, 1.7, r"joint2 would reach 1\.700 rad before 5\.00 s; its limits are -1\.500\.\.1\.500"),
        (0.5, 1.0, r"joint2 would need a velocity of 3\.00 rad/s .* stretch the times by 1\.5"),
        (0.7, 0.9, "joint2 would need an acceleration of 11"),
    ],
)
def test_check_names_joint_value_limit_and_remedy(seconds, target, message):
    with pytest.raises(CommandRefusedError, match=message):
        Trajectory([seconds], one_joint([target]), None, REST).check(LIMITS)


def test_stretching_by_the_factor_in_the_message_makes_it_pass():
    with pytest.raises(CommandRefusedError) as refused:
        Trajectory([0.5], one_joint([1.0]), None, REST).check(LIMITS)
    factor = float(str(refused.value).rsplit(" ", 1)[1]) + 0.01
    again = Trajectory([0.5 * factor], one_joint([1.0]), None, REST)
    try:
        again.check(LIMITS)
    except CommandRefusedError as error:
        factor *= float(str(error).rsplit(" ", 1)[1]) + 0.01
        Trajectory([0.5 * factor], one_joint([1.0]), None, REST).check(LIMITS)
