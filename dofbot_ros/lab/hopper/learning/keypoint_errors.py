"""KeypointErrors: errors of keypoints in lessons that are not rendered, modelled on those of the keypoint network."""

from __future__ import annotations

import numpy as np

from dofbot_ros.core.types import FloatArray

NOISE_M, DRIFT_M, BIAS_M = (0.002, 0.007), (0.0, 0.006), 0.002
"""Standard deviations of white noise and drift (both drawn for each episode), and of the episode's bias [m]."""

FADING = 0.8
"""Correlation of the drift from frame to frame, 8 ms apart; that of the network's errors is 0.4 to 0.8."""


class KeypointErrors:
    """Gaussian errors of several episodes side by side; drifts are first-order autoregressions.

    Args:
        episodes: how many.
        numbers: coordinates of a frame.
        rng: draws them.
    """

    def __init__(self, episodes: int, numbers: int, rng: np.random.Generator) -> None:
        self._rng = rng
        self._noise_m, self._drift_m = np.zeros((2, episodes))
        self._bias, self._drift = np.zeros((2, episodes, numbers))

    def begin(self, episode: int) -> None:
        """Draw how large the errors of a new episode are."""
        rng, numbers = self._rng, self._bias.shape[1]
        self._noise_m[episode], self._bias[episode] = rng.uniform(*NOISE_M), rng.normal(0.0, BIAS_M, numbers)
        self._drift_m[episode] = rng.uniform(*DRIFT_M)
        self._drift[episode] = rng.normal(0.0, self._drift_m[episode], numbers)

    def next(self) -> FloatArray:
        """Errors in the next frame of each episode [m], (episodes, numbers)."""
        fresh, new = self._rng.standard_normal((2, *self._bias.shape))
        # As large after a step as before it: both variances add up to the drift's.
        self._drift = FADING * self._drift + np.sqrt(1.0 - FADING**2) * self._drift_m[:, None] * fresh
        errors: FloatArray = self._bias + self._drift + self._noise_m[:, None] * new
        return errors
