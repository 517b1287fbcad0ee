"""What a layer knows: how well a linear probe reads a quantity from its activations (Alain and Bengio, 2016)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.errors import InputError

FOLDS = 5
PENALTIES = tuple(float(10.0**k) for k in range(-3, 5))
"""Ridge penalties that are tried, times the number of features."""


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
    """Cross-validated coefficient of determination of ridge regression.

    Args:
        features: of n inputs, (n, k).
        quantity: of the same, (n, m); angles as cosine and sine.
        seed: of the folds.

    Raises:
        InputError: too few inputs, or a quantity that does not vary.
    """
    n = len(features)
    if n < 4 * FOLDS:
        raise InputError(f"a probe needs {4 * FOLDS} inputs or more, got {n}")
    if float(np.ptp(quantity, axis=0).max()) < 1e-9:
        raise InputError("the quantity is the same in all inputs: there is nothing to predict")
    order = np.random.default_rng(seed).permutation(n)
    scores = []
    for fold in np.array_split(order, FOLDS):
        rest = np.setdiff1d(order, fold)
        penalty = _best_penalty(features[rest], quantity[rest])
        scores.append(
            _r2(quantity[fold], _ridge(features[rest], quantity[rest], features[fold], penalty), quantity[rest])
        )
    return Predictability(float(np.mean(scores)), min(scores), max(scores), n, features.shape[1])


def _best_penalty(features: NDArray[np.float64], quantity: NDArray[np.float64]) -> float:
    held = len(features) // 5
    train, test = slice(held, None), slice(0, held)
    scored = [
        (_r2(quantity[test], _ridge(features[train], quantity[train], features[test], one), quantity[train]), one)
        for one in PENALTIES
    ]
    return max(scored)[1]


def _ridge(
    features: NDArray[np.float64], quantity: NDArray[np.float64], new: NDArray[np.float64], penalty: float
) -> NDArray[np.float64]:
    """Predictions for `new` (m, ...): in the dual form where there are more features than samples."""
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    X, Y = (features - mean) / spread, quantity - quantity.mean(axis=0)
    n, k = X.shape
    damp = penalty * k
    if k <= n:
        weight = np.linalg.solve(X.T @ X + damp * np.eye(k), X.T @ Y)
    else:
        weight = X.T @ np.linalg.solve(X @ X.T + damp * np.eye(n), Y)
    return np.asarray((new - mean) / spread @ weight + quantity.mean(axis=0))


def _r2(truth: NDArray[np.float64], told: NDArray[np.float64], known: NDArray[np.float64]) -> float:
    missed = float(np.square(truth - told).sum())
    return 1.0 - missed / max(float(np.square(truth - known.mean(axis=0)).sum()), 1e-12)
