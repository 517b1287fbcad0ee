"""What a layer knows: how well a linear probe reads a quantity from its activations (Alain and Bengio, 2016)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.errors import InputError

FOLDS = 5
PENALTIES = tuple(float(10.0**k) for k in range(-4, 4))
"""Ridge penalties that are tried, for products of samples that are the mean over their features."""


@dataclass(frozen=True)
class Predictability:
    """How much of a quantity's variance a probe explains on inputs that it has not seen.

    Attributes:
        r2: 1: all of it; 0 and below: none. Mean over the folds.
        low, high: the worst and the best fold.
        samples: how many inputs there were.
        features: how many numbers the layer gives.
    """

    r2: float
    low: float
    high: float
    samples: int
    features: int


def predictability(features: NDArray[np.float64], quantity: NDArray[np.float64], seed: int = 0) -> Predictability:
    """Cross-validated coefficient of determination of ridge regression, in its dual form.

    Features are scaled to mean 0 and variance 1 over all inputs, which needs no quantity; the penalty is chosen within
    each fold's training part.

    Args:
        features: of n inputs, (n, k).
        quantity: of the same, (n, m); angles as cosine and sine.
        seed: of the folds.

    Raises:
        InputError: too few inputs, or a quantity that does not vary.
    """
    n, k = features.shape
    if n < 4 * FOLDS:
        raise InputError(f"a probe needs {4 * FOLDS} inputs or more, got {n}")
    if float(np.ptp(quantity, axis=0).max()) < 1e-9:
        raise InputError("the quantity is the same in all inputs: there is nothing to predict")
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0)
    products = scaled @ scaled.T / k
    order = np.random.default_rng(seed).permutation(n)
    scores = []
    for fold in np.array_split(order, FOLDS):
        rest = order[~np.isin(order, fold)]
        tried, known = rest[: len(rest) // 5], rest[len(rest) // 5 :]
        penalty = max(PENALTIES, key=lambda one: _r2(products, quantity, known, tried, one))
        scores.append(_r2(products, quantity, rest, fold, penalty))
    return Predictability(float(np.mean(scores)), min(scores), max(scores), n, k)


def _r2(
    products: NDArray[np.float64],
    quantity: NDArray[np.float64],
    known: NDArray[np.int64],
    asked: NDArray[np.int64],
    penalty: float,
) -> float:
    """Share of the variance of the `asked` rows that a regression on the `known` ones explains."""
    mean = quantity[known].mean(axis=0)
    damped = products[np.ix_(known, known)] + penalty * np.eye(len(known))
    told = mean + products[np.ix_(asked, known)] @ np.linalg.solve(damped, quantity[known] - mean)
    missed = float(np.square(quantity[asked] - told).sum())
    return 1.0 - missed / max(float(np.square(quantity[asked] - mean).sum()), 1e-12)
