"""What a number of successes says about the rate behind it."""

from __future__ import annotations

import math
from statistics import NormalDist

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
