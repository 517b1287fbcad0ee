"""Readings no servo can have made: believed only once they repeat themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.safety.plausibility import PlausibilityFilter

ALL = np.ones(6, dtype=bool)


def fed(readings, fresh=ALL, period=0.02):
    """Positions of joint 1 that a filter goes by, and whether each was believed."""
    f = PlausibilityFilter()
    f.start(np.zeros(6), np.zeros(6))
    out = []
    for k, value in enumerate(readings):
        position, stamps, believed = f.filter(np.full(6, value), np.full(6, (k + 1) * period), fresh)
        out.append((position[0], stamps[0], bool(believed[0])))
    return out


def test_what_a_servo_can_do_is_believed_at_once():
    assert [row[2] for row in fed([0.05, 0.1, 0.15, 0.1])] == [True] * 4


def test_one_wild_reading_is_passed_over():
    out = fed([0.01, -2.9, 0.02])
    assert [row[0] for row in out] == [0.01, 0.01, 0.02]
    assert out[1][1] == 0.02, "its stamp is that of the last believed reading"


def test_a_jump_is_believed_when_it_has_repeated_itself_three_times():
    assert [row[2] for row in fed([1.5, 1.5, 1.5, 1.5])] == [False, False, True, True]


def test_jumps_that_contradict_one_another_are_never_believed():
    assert not any(row[2] for row in fed([1.5, -1.5] * 10))


def test_a_long_silence_allows_a_long_way():
    f = PlausibilityFilter()
    f.start(np.zeros(6), np.zeros(6))
    _, _, believed = f.filter(np.full(6, 1.0), np.full(6, 0.5), ALL)
    assert believed.all()


def test_only_fresh_joints_are_judged():
    f = PlausibilityFilter()
    f.start(np.zeros(6), np.zeros(6))
    fresh = np.array([True, False, True, True, True, True])
    position, stamps, believed = f.filter(np.full(6, 2.0), np.full(6, 0.02), fresh)
    assert not believed.any()
    assert f.doubted.tolist() == fresh.tolist()
    assert (position[1], stamps[1]) == (0.0, 0.0)


@given(st.lists(st.floats(-2.9, 2.9), min_size=1, max_size=40))
def test_what_is_gone_by_never_jumps_without_three_readings_that_say_so(values):
    believed_before, run = 0.0, []
    for value, (position, _, believed) in zip(values, fed(values), strict=True):
        run.append(value)
        if believed:
            assert position == value
        else:
            assert position == believed_before
        believed_before = position


# -- the exact bounds --------------------------------------------------------------------------------------------------


def judged(f, value, stamp_s, fresh=ALL):
    """Whether a reading of all joints is believed."""
    return bool(f.filter(np.full(6, value), np.full(6, stamp_s), fresh)[2][0])


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_margin_and_speed_bound_what_is_believed_at_once(sign):
    for value, believed in ((0.5, True), (0.5 + 1e-9, False)):
        f = PlausibilityFilter(max_speed=8.0, margin=0.25)
        f.start(np.zeros(6), np.full(6, 1.0))
        assert judged(f, sign * value, 1.03125) is believed


def test_by_default_a_joint_turns_8_rad_a_second_and_0_08_rad_are_no_jump():
    for value, believed in ((4.07, True), (4.09, False)):
        f = PlausibilityFilter()
        f.start(np.zeros(6), np.zeros(6))
        assert judged(f, value, 0.5) is believed


def test_no_silence_counts_for_more_than_a_second():
    for value, believed in ((8.25, True), (8.26, False)):
        f = PlausibilityFilter(max_speed=8.0, margin=0.25)
        f.start(np.zeros(6), np.zeros(6))
        assert judged(f, value, 60.0) is believed


def test_a_stamp_before_the_last_one_leaves_the_margin():
    f = PlausibilityFilter(max_speed=8.0, margin=0.25)
    f.start(np.zeros(6), np.full(6, 1.0))
    assert judged(f, 0.25, 0.9)
    assert not judged(f, 0.51, 0.9)


def test_one_that_was_never_started_believes_what_comes_first():
    f = PlausibilityFilter()
    position, stamps, believed = f.filter(np.linspace(-3.0, 3.0, 6), np.full(6, 5.0), ALL)
    assert believed.all()
    assert position.tolist() == np.linspace(-3.0, 3.0, 6).tolist()
    assert stamps.tolist() == [5.0] * 6
    assert not f.doubted.any()


def test_time_that_passes_in_doubt_makes_a_wild_reading_no_more_believable():
    for value, believed in ((0.4, True), (0.6, False)):
        f = PlausibilityFilter()
        f.start(np.zeros(6), np.zeros(6))
        assert not judged(f, 3.0, 0.02)
        assert judged(f, value, 1.02) is believed


def test_readings_that_contradict_the_one_before_begin_to_count_anew():
    assert [row[2] for row in fed([1.5, -1.5, -1.5, -1.5])] == [False, False, False, True]
    assert [row[2] for row in fed([1.5, 1.5, 0.0, 1.5, 1.5, 1.5])] == [False, False, True, False, False, True]


def test_a_joint_that_was_not_read_in_between_does_not_break_the_agreement():
    f = PlausibilityFilter()
    f.start(np.zeros(6), np.zeros(6))
    assert not judged(f, 1.5, 0.02)
    assert not judged(f, -1.5, 0.02, ~ALL)
    assert not judged(f, 1.5, 0.06)
    assert judged(f, 1.5, 0.08)
    assert not f.doubted.any()
