"""Following late is no error; being elsewhere is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.safety.following import FollowingError


def ramp(seconds, speed=1.0, period=0.02):
    following = FollowingError(0.2)
    following.reset(0.0, np.zeros(6))
    times = np.arange(1, round(seconds / period) + 1) * period
    for t in times:
        following.note(t, np.full(6, speed * t))
    return following


@pytest.mark.parametrize("late_s", [0.0, 0.05, 0.1, 0.19])
def test_a_joint_that_follows_late_has_no_error(late_s):
    following = ramp(2.0)
    assert following(np.full(6, 2.0 - late_s), np.full(6, 2.0)) == pytest.approx(np.zeros(6))


def test_a_joint_that_stands_still_falls_behind_by_what_lateness_does_not_explain():
    assert ramp(1.0)(np.zeros(6), np.full(6, 1.0)) == pytest.approx(np.full(6, 0.8), abs=1e-9)


def test_the_sign_is_commanded_minus_measured():
    following = ramp(1.0)
    assert following(np.full(6, 1.3), np.full(6, 1.0)) == pytest.approx(np.full(6, -0.3))


def test_each_joint_is_compared_with_the_time_at_which_it_was_read():
    stamps = np.array([1.0, 0.5, 1.0, 1.0, 1.0, 1.0])
    error = ramp(1.0)(np.full(6, 0.5), stamps)
    assert error[1] == pytest.approx(0.0)
    assert error[0] == pytest.approx(0.3)


def test_an_old_command_holds_until_the_next_one():
    following = FollowingError(0.2)
    following.reset(0.0, np.full(6, 0.7))
    assert following(np.full(6, 0.7), np.full(6, 50.0)) == pytest.approx(np.zeros(6))


def test_nothing_commanded_is_no_error():
    assert FollowingError()(np.ones(6), np.zeros(6)).tolist() == [0.0] * 6


@given(
    st.lists(st.floats(-1.5, 1.5), min_size=1, max_size=150),
    st.floats(-2.0, 2.0),
    st.floats(0.0, 0.19),
)
def test_the_error_is_the_distance_to_the_band_of_late_commands(commanded, measured, age):
    following = FollowingError(0.2)
    following.reset(0.0, np.zeros(6))
    for k, value in enumerate(commanded):
        following.note(0.02 * (k + 1), np.full(6, value))
    stamp = 0.02 * len(commanded) - age
    history = [(0.0, 0.0), *((0.02 * (k + 1), value) for k, value in enumerate(commanded))]
    before = [value for t, value in history if t <= stamp - 0.2][-1:]
    band = before + [value for t, value in history if stamp - 0.2 < t <= stamp] or [0.0]
    expected = max(min(band) - measured, 0.0) - max(measured - max(band), 0.0)
    assert following(np.full(6, measured), np.full(6, stamp))[0] == pytest.approx(expected, abs=1e-12)


def test_each_joint_is_compared_with_its_own_commands():
    following = FollowingError(0.2)
    following.reset(0.0, np.arange(6.0))
    following.note(0.1, np.arange(6.0) + 0.5)
    measured = np.array([0.7, 0.8, 2.25, 3.5, 4.0, 4.9])
    assert following(measured, np.full(6, 0.1)) == pytest.approx([-0.2, 0.2, 0.0, 0.0, 0.0, 0.1])


def test_readings_up_to_0_8_s_old_find_the_commands_of_their_time():
    following = ramp(5.0)
    stamps = np.full(6, 5.0 - 0.79)
    assert following(np.full(6, 4.21 - 0.2), stamps) == pytest.approx(np.zeros(6), abs=1e-9)
    assert following(np.full(6, 4.21 - 0.5), stamps) == pytest.approx(np.full(6, 0.3), abs=0.021)


def test_what_was_commanded_long_ago_is_forgotten():
    following = FollowingError(0.2)
    following.reset(0.0, np.full(6, 9.0))
    for k in range(1, 200):
        following.note(0.02 * k, np.zeros(6))
    assert following(np.full(6, 9.0), np.zeros(6)).tolist() == [-9.0] * 6
