"""Readings no servo can have made: believed only once they repeat themselves."""

import numpy as np
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
