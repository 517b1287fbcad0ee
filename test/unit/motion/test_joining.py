"""The fade by which a trajectory takes back a difference at its start: ends, derivatives and extremes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.motion.joining import fade, fade_extremes

durations = st.floats(0.1, 5.0)


@given(durations)
def test_it_goes_from_one_to_nothing_and_rests_at_both_ends(join_s: float) -> None:
    for time_s, value in ((-1.0, 1.0), (0.0, 1.0), (0.5 * join_s, 0.5), (join_s, 0.0), (join_s + 3.0, 0.0)):
        share, velocity, acceleration = (float(each[0]) for each in fade(np.array([time_s]), join_s))
        assert share == pytest.approx(value, abs=1e-12)
        assert acceleration == pytest.approx(0.0, abs=1e-9)
        if time_s != 0.5 * join_s:
            assert velocity == pytest.approx(0.0, abs=1e-12)


@given(durations, st.floats(0.05, 0.95))
def test_its_derivatives_are_those_of_its_value(join_s: float, share: float) -> None:
    step = 1e-4 * join_s
    t = share * join_s + step * np.array([-1.0, 0.0, 1.0])
    value, velocity, acceleration = fade(t, join_s)
    assert (value[2] - value[0]) / (2.0 * step) == pytest.approx(velocity[1], abs=1e-6 / join_s)
    assert (velocity[2] - velocity[0]) / (2.0 * step) == pytest.approx(acceleration[1], abs=1e-5 / join_s**2)


@given(durations)
def test_its_extremes_are_what_it_reaches_and_does_not_pass(join_s: float) -> None:
    gaps = np.array([0.0, 0.01, 0.02, 0.05, 0.1, 0.3])
    _, velocity, acceleration = fade(np.linspace(0.0, join_s, 4001), join_s)
    fastest, hardest = fade_extremes(join_s, gaps)
    assert fastest == pytest.approx(gaps * np.abs(velocity).max(), rel=1e-5)
    assert hardest == pytest.approx(gaps * np.abs(acceleration).max(), rel=1e-5)
