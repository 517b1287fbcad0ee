"""One-Euro filter: still when the hand is still, quick when it is quick.

Casiez, Roussel and Vogel, "1 Euro filter: a simple speed-based low-pass filter for noisy input", CHI 2012.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import ConfigError


@dataclass(frozen=True)
class OneEuroConfig:
    """Parameters of one kind of signal.

    Attributes:
        min_cutoff_hz: cut-off at rest [Hz]. Lower: less jitter, more lag in slow motion (lag at rest 1 / (2 pi f)).
        beta: cut-off gained per unit of speed [Hz per unit/s]. Higher: less lag in quick motion, more jitter there.
        speed_cutoff_hz: cut-off of the speed estimate [Hz]. Lower: the filter wakes up later and calmer.
    """

    min_cutoff_hz: float = 1.0
    beta: float = 0.0
    speed_cutoff_hz: float = 1.0

    def __post_init__(self) -> None:
        if not (self.min_cutoff_hz > 0 and self.speed_cutoff_hz > 0 and self.beta >= 0):
            raise ConfigError(f"cut-offs must be positive and beta not negative, got {self}")


class OneEuroFilter:
    """Filters a vector on its own stamps, which may come at any interval.

    A sample with a value that is no number, or a stamp that is not newer, leaves the state as it is.

    Args:
        config: the same parameters for all components.
    """

    def __init__(self, config: OneEuroConfig) -> None:
        self._config = config
        self._stamp_s = 0.0
        self._samples = 0
        self._raw: FloatArray | None = None
        self._value = self._speed = np.zeros(0)

    def reset(self) -> None:
        """Forget the past: the next sample passes unchanged."""
        self._raw = None

    def __call__(self, value: ArrayLike, stamp_s: float) -> FloatArray:
        """The filtered value, shape (n,).

        Args:
            value: the sample, shape (n,).
            stamp_s: when it was captured [s].
        """
        x = np.asarray(value, dtype=np.float64)
        good = bool(np.isfinite(x).all()) and bool(np.isfinite(stamp_s))
        if self._raw is None:
            if good:
                self._raw, self._value, self._speed, self._stamp_s = x.copy(), x.copy(), np.zeros_like(x), stamp_s
                self._samples = 1
            return x.copy()
        dt = stamp_s - self._stamp_s
        if not good or dt <= 0:
            return self._value.copy()
        speed_gain = _gain(np.array(self._config.speed_cutoff_hz), dt)
        # The speed of the samples, not the paper's (sample - filtered), which grows with the lag: beta keeps its unit.
        self._speed = self._speed + speed_gain * ((x - self._raw) / dt - self._speed)
        cutoff = self._config.min_cutoff_hz + self._config.beta * np.abs(self._speed)
        # The first samples are averaged: one of them alone would take a whole time constant to be forgotten.
        self._samples += 1
        self._value = self._value + np.maximum(_gain(cutoff, dt), 1.0 / self._samples) * (x - self._value)
        self._raw, self._stamp_s = x.copy(), stamp_s
        return self._value.copy()


class DeadZone:
    """Holds its output while the input rests, and follows it without offset while it moves.

    A component rests when it has stayed within half of `radius` for `rest_s`, and is then held at its mean over that
    time; it moves again when it has left the held value by more than `radius`. So what remains of a still hand's noise
    after filtering does not reach the arm.

    Args:
        radius: one for all components or shape (n,).
        rest_s: [s].
    """

    def __init__(self, radius: ArrayLike, rest_s: float) -> None:
        self._radius = np.asarray(radius, dtype=np.float64)
        self._rest_s = rest_s
        self._held: FloatArray | None = None
        self._moving = np.zeros(0, dtype=bool)
        self._quiet_at = self._quiet_mean = self._quiet_since = self._quiet_samples = np.zeros(0)

    def reset(self) -> None:
        """Forget the past: the next sample passes unchanged."""
        self._held = None

    def __call__(self, value: FloatArray, stamp_s: float) -> FloatArray:
        """The held components of `value` (n,), the others as they are; `stamp_s` is its capture time [s]."""
        if self._held is None:
            self._held = self._quiet_at = self._quiet_mean = value.copy()
            self._quiet_samples = np.zeros(value.shape)
            self._moving, self._quiet_since = np.ones(value.shape, dtype=bool), np.full(value.shape, stamp_s)
        stirs = np.abs(value - self._quiet_at) > 0.5 * self._radius
        self._quiet_at = np.where(stirs, value, self._quiet_at)
        self._quiet_since = np.where(stirs, stamp_s, self._quiet_since)
        self._quiet_samples = np.where(stirs, 1, self._quiet_samples + 1)
        self._quiet_mean = np.where(stirs, value, self._quiet_mean + (value - self._quiet_mean) / self._quiet_samples)
        settles = self._moving & (stamp_s - self._quiet_since >= self._rest_s)
        self._moving = np.where(self._moving, ~settles, np.abs(value - self._held) > self._radius)
        self._held = np.where(self._moving, value, np.where(settles, self._quiet_mean, self._held))
        return self._held.copy()


def _gain(cutoff_hz: FloatArray, dt: float) -> FloatArray:
    """Share of a new sample in a first-order low-pass, after `dt` [s]."""
    turn = 2.0 * np.pi * cutoff_hz * dt
    gain: FloatArray = turn / (1.0 + turn)
    return gain
