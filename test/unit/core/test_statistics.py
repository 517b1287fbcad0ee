"""Wilson's and Newcombe's intervals against published values and against what an interval has to be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.core.statistics import bootstrap_mean, newcombe, wilson
from dofbot_ros.errors import InputError


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_values(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson(successes, trials) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_holds_the_rate_and_mirrors(counts: tuple[int, int]) -> None:
    successes, trials = counts
    low, high = wilson(successes, trials)
    assert 0.0 <= low <= successes / trials <= high <= 1.0
    assert low < high
    mirrored = wilson(trials - successes, trials)
    assert (1.0 - mirrored[1], 1.0 - mirrored[0]) == pytest.approx((low, high), abs=1e-12)


def test_narrows_with_more_trials_and_widens_with_confidence() -> None:
    def width(interval: tuple[float, float]) -> float:
        return interval[1] - interval[0]

    assert width(wilson(90, 100)) < width(wilson(9, 10))
    assert width(wilson(9, 10, 0.99)) > width(wilson(9, 10, 0.95))


def test_nothing_known_without_trials() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("successes", "trials", "confidence"), [(3, 2, 0.95), (-1, 2, 0.95), (1, 2, 1.0)])
def test_impossible_counts_are_refused(successes: int, trials: int, confidence: float) -> None:
    with pytest.raises(InputError):
        wilson(successes, trials, confidence)


@pytest.mark.parametrize(
    ("a", "b", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10.
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_published_differences(a: tuple[int, int], b: tuple[int, int], low: float, high: float) -> None:
    assert newcombe(a, b) == pytest.approx((low, high), abs=5e-5)


counts = st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, counts)
def test_a_difference_holds_the_rates_and_turns_its_sign(a: tuple[int, int], b: tuple[int, int]) -> None:
    low, high = newcombe(a, b)
    difference = a[0] / a[1] - b[0] / b[1]
    assert -1.0 - 1e-12 <= low <= difference <= high <= 1.0 + 1e-12
    turned = newcombe(b, a)
    assert (-turned[1], -turned[0]) == pytest.approx((low, high), abs=1e-12)


def test_nothing_known_of_a_difference_to_no_trials() -> None:
    assert newcombe((3, 4), (0, 0)) == (-1.0, 1.0)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30))
def test_a_bootstrap_interval_lies_within_the_values_around_their_mean(values: list[float]) -> None:
    low, high = bootstrap_mean(values, np.random.default_rng(0), resamples=400)
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9
    shifted = bootstrap_mean([value + 5.0 for value in values], np.random.default_rng(0), resamples=400)
    assert shifted == pytest.approx((low + 5.0, high + 5.0), abs=1e-6)


def test_a_bootstrap_interval_covers_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        low, high = bootstrap_mean(rng.normal(size=30).tolist(), rng, resamples=300)
        held += low <= 0.0 <= high
    assert 0.88 <= held / 300 <= 0.98


def test_no_values_have_no_mean() -> None:
    with pytest.raises(InputError, match="at least one value"):
        bootstrap_mean([], np.random.default_rng(0))
