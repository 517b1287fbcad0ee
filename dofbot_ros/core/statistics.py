"""What a sample says about what lies behind it: rates of success, means, how figures are spread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from dofbot_ros.errors import InputError


def wilson(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of a success rate (Wilson, J. Am. Stat. Assoc. 22, 1927).

    Unlike the textbook's interval it holds its level at few trials and at rates near 0 and 1, which is where grasp
    trials are.

    Args:
        successes: 0..trials.
        trials: how many there were.
        confidence: in (0, 1).

    Returns:
        Lower and upper end, in 0..1; (0, 1) for no trials.

    Raises:
        InputError: more successes than trials, or fewer than none.
    """
    if not 0 <= successes <= trials:
        raise InputError(f"{successes} successes in {trials} trials")
    if not 0.0 < confidence < 1.0:
        raise InputError(f"a confidence lies between 0 and 1, got {confidence}")
    if trials == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + 0.5 * confidence)
    rate = successes / trials
    scale = 1.0 + z * z / trials
    middle = (rate + 0.5 * z * z / trials) / scale
    half = z * math.sqrt(rate * (1.0 - rate) / trials + 0.25 * z * z / trials**2) / scale
    # At the ends the interval reaches them exactly; rounding must not say otherwise.
    return (0.0 if successes == 0 else middle - half), (1.0 if successes == trials else middle + half)


def newcombe(a: tuple[int, int], b: tuple[int, int], confidence: float = 0.95) -> tuple[float, float]:
    """Hybrid score interval of a difference of two success rates, a's less b's.

    Method 10 of Newcombe, Statistics in Medicine 17 (1998), 873-890: the distances of both rates from the ends of their
    Wilson intervals, put together as the legs of a right triangle.

    Args:
        a, b: successes and trials of each; the trials are independent, not pairs.
        confidence: in (0, 1).

    Returns:
        Lower and upper end, in -1..1; (-1, 1) where one of them has no trials.

    Raises:
        InputError: more successes than trials, or fewer than none.
    """
    (low_a, high_a), (low_b, high_b) = wilson(*a, confidence), wilson(*b, confidence)
    if not (a[1] and b[1]):
        return -1.0, 1.0
    rate_a, rate_b = a[0] / a[1], b[0] / b[1]
    difference = rate_a - rate_b
    return (
        difference - math.hypot(rate_a - low_a, high_b - rate_b),
        difference + math.hypot(high_a - rate_a, rate_b - low_b),
    )


def spread(values: Sequence[float]) -> dict[str, float | None]:
    """Median and 95th percentile, as plain data for summaries; None without values."""
    if not values:
        return {"median": None, "p95": None}
    median, p95 = np.percentile(values, [50, 95])
    return {"median": float(median), "p95": float(p95)}


def bootstrap_mean(
    values: Sequence[float], rng: np.random.Generator, confidence: float = 0.95, resamples: int = 10_000
) -> tuple[float, float]:
    """Percentile interval of a mean (Efron, Ann. Stat. 7, 1979). Too narrow for less than some ten values.

    Args:
        values: independent ones.
        rng: draws the samples.
        confidence: in (0, 1).
        resamples: drawn with replacement.

    Raises:
        InputError: no values.
    """
    if len(values) == 0:
        raise InputError("a mean needs at least one value")
    if not 0.0 < confidence < 1.0:
        raise InputError(f"a confidence lies between 0 and 1, got {confidence}")
    sample = np.asarray(values, float)
    means = sample[rng.integers(len(sample), size=(resamples, len(sample)))].mean(axis=1)
    low, high = np.quantile(means, [0.5 - 0.5 * confidence, 0.5 + 0.5 * confidence])
    return float(low), float(high)
