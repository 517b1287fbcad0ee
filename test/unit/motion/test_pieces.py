"""Polynomial pieces: what they are given they meet, they are each other's derivatives, and no extreme is missed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dofbot_ros.core.types import FloatArray
from dofbot_ros.motion.pieces import QUINTIC_SAMPLES, Pieces, monotone_slopes

TIMES = np.array([0.0, 0.5, 2.0])
ENDS = np.array([0.0, 1.0])[:, None, None]
FINE = np.linspace(0.0, 1.0, 401)[:, None, None]
few = st.one_of(st.floats(-3.0, 3.0), st.sampled_from([-1.0, 0.0, 1.0]))
knots = arrays(np.float64, (3, 2), elements=few)


@given(knots, knots, knots)
def test_knots_are_met_by_position_velocity_and_acceleration(q: FloatArray, v: FloatArray, a: FloatArray) -> None:
    for pieces in (Pieces.cubic(TIMES, q, v), Pieces.quintic_through(TIMES, q, v, a)):
        np.testing.assert_allclose(pieces.position(ENDS), [q[:-1], q[1:]], atol=1e-9)
        np.testing.assert_allclose(pieces.velocity(ENDS), [v[:-1], v[1:]], atol=1e-9)
        np.testing.assert_array_equal(pieces.lengths, [[0.5], [1.5]])
        if pieces.quintic:
            np.testing.assert_allclose(pieces.acceleration(ENDS), [a[:-1], a[1:]], atol=1e-8)


@given(knots, knots, knots, st.floats(0.1, 0.9), st.integers(0, 1))
def test_velocity_and_acceleration_are_derivatives_of_position(
    q: FloatArray, v: FloatArray, a: FloatArray, u: float, k: int
) -> None:
    step = 1e-4
    for pieces in (Pieces.cubic(TIMES, q, v), Pieces.quintic_through(TIMES, q, v, a)):
        one, at = np.array([k]), np.array([[u]])
        length = pieces.lengths[k, 0]
        before, here, after = (pieces.position(at + d / length, one) for d in (-step, 0.0, step))
        np.testing.assert_allclose(pieces.velocity(at, one), (after - before) / (2.0 * step), atol=1e-4)
        np.testing.assert_allclose(pieces.acceleration(at, one), (after - 2.0 * here + before) / step**2, atol=1e-2)


@given(knots, knots)
def test_a_cubic_is_nowhere_beyond_its_extremes_nor_faster_than_at_its_steepest(q: FloatArray, v: FloatArray) -> None:
    pieces = Pieces.cubic(TIMES, q, v)
    extremes, steepest = pieces.extremes(), pieces.steepest()
    for u in (extremes, steepest):
        assert not u[0].any()
        assert (u[1] == 1.0).all()
        assert u.min() >= 0.0
        assert u.max() <= 1.0
    at, fine = pieces.position(extremes), pieces.position(FINE)
    assert (fine.max(axis=0) <= at.max(axis=0) + 1e-9).all()
    assert (fine.min(axis=0) >= at.min(axis=0) - 1e-9).all()
    for u in (extremes, steepest):
        fastest = np.abs(pieces.velocity(u)).max(axis=0)
        assert (np.abs(pieces.velocity(FINE)).max(axis=0) <= fastest + 1e-9).all()


@pytest.mark.parametrize(
    ("coefficients", "expected"),
    [
        ([0.0, 2.0, -3.0, 1.0], 1.0 - 3.0**-0.5),  # slope 3 u^2 - 6 u + 2
        ([0.0, -1.0, 0.0, 1.0], 3.0**-0.5),  # slope 3 u^2 - 1: no term of u
        ([0.0, 1.0, -2.0, 0.0], 0.25),  # a parabola
        ([0.0, 0.5, -1.0, 1e-17], 0.25),  # one but for rounding
        ([0.0, 0.5, -1.0, 5e-324], 0.25),
    ],
)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_cubic_turns_where_its_slope_vanishes(coefficients: list[float], expected: float) -> None:
    column = np.array([*coefficients, 0.0, 0.0])[:, None, None]
    turns = Pieces(np.ones((1, 1)), column, quintic=False).extremes()
    assert np.abs(turns - expected).min() < 1e-12


@given(knots, knots, knots)
def test_a_quintic_is_looked_at_in_even_steps(q: FloatArray, v: FloatArray, a: FloatArray) -> None:
    pieces = Pieces.quintic_through(TIMES, q, v, a)
    for u in (pieces.extremes(), pieces.steepest()):
        assert u.shape == (QUINTIC_SAMPLES, 2, 2)
        assert not u[0].any()
        assert (u[1] == 1.0).all()
        np.testing.assert_allclose(np.sort(u[:, 1, 1]), np.linspace(0.0, 1.0, QUINTIC_SAMPLES), atol=1e-15)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_monotone_slopes_are_a_weighted_harmonic_mean_and_zero_at_a_turn_a_standstill_and_the_end() -> None:
    t = np.array([0.0, 1.0, 3.0, 4.0, 5.0])
    q = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 0.0], [2.0, -2.0], [3.0, -6.0]])
    slopes = monotone_slopes(t, q, np.array([0.7, -0.7]))
    # Joint 0 at 1 s: slopes 1 before and 1/2 after, of 1 s and 2 s: weights 2 * 2 + 1 and 2 + 2 * 1.
    expected = (5.0 + 4.0) / (5.0 / 1.0 + 4.0 / 0.5)
    np.testing.assert_allclose(slopes[:, 0], [0.7, expected, 0.0, 0.0, 0.0])
    # Joint 1 turns at 1 s, and falls ever faster: -1/2, -2, -4.
    second = (4.0 + 5.0) / (4.0 / -0.5 + 5.0 / -2.0)
    third = (3.0 + 3.0) / (3.0 / -2.0 + 3.0 / -4.0)
    np.testing.assert_allclose(slopes[:, 1], [-0.7, 0.0, second, third, 0.0])
