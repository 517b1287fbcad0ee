"""Where inputs lie to each other in a layer's activations: principal components, or t-SNE where scikit-learn is."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from dofbot_ros.errors import DependencyError, InputError, UsageError, one_of

Projection = Literal["pca", "tsne"]

GRID = 8
"""Maps are averaged to at most so many rows and columns before they are compared."""


def features_of(activation: Tensor) -> NDArray[np.float64]:
    """Activations (n, ...) as one row of numbers a sample, (n, k)."""
    if activation.ndim == 4:
        rows, columns = (min(GRID, int(extent)) for extent in activation.shape[2:])
        activation = nn.functional.adaptive_avg_pool2d(activation, (rows, columns))
    return np.asarray(activation.detach().flatten(1).double().numpy())


def principal_components(
    features: NDArray[np.float64], count: int = 2
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates (n, count) along the directions of most variance, and each one's share of it, (count,)."""
    centred = features - features.mean(axis=0)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    total = float(np.square(size).sum())
    shares = np.square(size) / total if total > 0.0 else np.zeros_like(size)
    places = left * size
    missing = count - places.shape[1]
    if missing > 0:
        places, shares = np.pad(places, ((0, 0), (0, missing))), np.pad(shares, (0, missing))
    return places[:, :count], shares[:count]


def project(features: NDArray[np.float64], how: Projection = "pca", seed: int = 0) -> NDArray[np.float64]:
    """Places (n, 2) in a plane.

    Raises:
        InputError: fewer than three samples, or no such projection.
        DependencyError: t-SNE without scikit-learn.
    """
    if how not in get_args(Projection):
        raise UsageError(one_of("projection", how, get_args(Projection)))
    if len(features) < 3:
        raise InputError(f"clusters need three inputs or more, got {len(features)}")
    if how == "pca":
        return principal_components(features)[0]
    try:
        from sklearn.manifold import TSNE
    except ModuleNotFoundError as error:
        raise DependencyError("scikit-learn", "lab", "t-SNE") from error
    places = principal_components(features, min(50, len(features) - 1))[0]
    perplexity = min(30.0, (len(features) - 1) / 3.0)
    return np.asarray(TSNE(perplexity=perplexity, random_state=seed, init="pca").fit_transform(places), np.float64)
