"""Filters for what a camera says of a hand: still when it is still, quick and ahead of time when it is quick."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.config.ranges import Checked, NotNegative, Positive
from dofbot_ros.core.types import BoolArray, FloatArray


@dataclass(frozen=True)
class OneEuroConfig(Checked):
    """Parameters of one kind of signal.

    Attributes:
        min_cutoff_hz: cut-off at rest [Hz]. Lower: less jitter, more lag in slow motion (lag at rest 1 / (2 pi f)).
        beta: cut-off gained per unit of speed [Hz per unit/s]. Higher: less lag in quick motion, more jitter there.
        speed_cutoff_hz: cut-off of the speed estimate [Hz]. Lower: the filter wakes up later and calmer.
        trend: expect the next sample where the speed leads (Holt's double exponential smoothing): no lag at constant
            speed, a little overshoot where it changes.
    """

    min_cutoff_hz: Positive = 1.0
    beta: NotNegative = 0.0
    speed_cutoff_hz: Positive = 1.0
    trend: bool = False


@dataclass(frozen=True)
class RestConfig(Checked):
    """When a signal counts as still, and is held.

    Attributes:
        after_s: when it has stayed within half its zone for this long [s].
        zone_per_noise: the zone is at least this many standard deviations of the samples' noise.
    """

    after_s: Positive = 0.6
    zone_per_noise: NotNegative = 2.5


class OneEuroFilter:
    """Filters a vector on its own stamps, which may come at any interval.

    Casiez, Roussel and Vogel, "1 Euro filter: a simple speed-based low-pass filter for noisy input", CHI 2012.

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

    @property
    def speed(self) -> FloatArray:
        """Of the samples, low-passed [units/s], shape (n,)."""
        return self._speed.copy()

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
        trend, before = self._config.trend, self._value
        speed_gain = _gain(np.array(self._config.speed_cutoff_hz), dt)
        if not trend:
            # The speed of the samples, not the paper's (sample - filtered), which grows with the lag: beta keeps its
            # unit.
            self._speed = self._speed + speed_gain * ((x - self._raw) / dt - self._speed)
        cutoff = self._config.min_cutoff_hz + self._config.beta * np.abs(self._speed)
        # The first samples are averaged: one of them alone would take a whole time constant to be forgotten.
        self._samples += 1
        gain = np.maximum(_gain(cutoff, dt), 1.0 / self._samples)
        expected = before + self._speed * dt if trend else before
        self._value = expected + gain * (x - expected)
        if trend:
            # A speed that is learnt more than half as fast as the value makes both ring (damping below 0.7).
            self._speed = self._speed + np.minimum(speed_gain, 0.5 * gain) * ((self._value - before) / dt - self._speed)
        self._raw, self._stamp_s = x.copy(), stamp_s
        return self._value.copy()


class NoiseLevel:
    """How much a signal scatters from sample to sample, whatever it does more slowly than that.

    Judged by how far each sample lies from the line between its neighbours; the mean of these distances, times
    sqrt(pi/2), is the standard deviation of normal noise, and one leap hardly moves it.

    Args:
        memory_s: time constant of the mean [s].
    """

    def __init__(self, memory_s: float = 1.0) -> None:
        self._memory_s = memory_s
        self.reset()

    def reset(self) -> None:
        """Forget the past."""
        self._samples: list[tuple[float, FloatArray]] = []
        self._mean: FloatArray | None = None
        self._count = 0

    def __call__(self, value: FloatArray, stamp_s: float) -> FloatArray:
        """Standard deviation, shape (n,), after this sample; 0 before the third. Stamps must grow."""
        self._samples = [*self._samples[-2:], (stamp_s, value)]
        if len(self._samples) < 3:
            return np.zeros_like(value)
        (t0, a), (t1, b), (t2, c) = self._samples
        share = (t1 - t0) / (t2 - t0)
        # The line's own ends are noisy too.
        spread = np.abs(b - a - share * (c - a)) / math.sqrt(1.0 + share**2 + (1.0 - share) ** 2)
        self._count += 1
        before = spread if self._mean is None else self._mean
        weight = max(1.0 - math.exp(-(t2 - t1) / self._memory_s), 1.0 / self._count)
        self._mean = before + weight * (spread - before)
        level: FloatArray = math.sqrt(math.pi / 2.0) * self._mean
        return level


class DeadZone:
    """Holds its output while the input rests, and follows it without offset while it moves.

    A component rests when it has stayed within half of its radius for `rest_s`, and is then held at its mean over that
    time; it moves again when it has left the held value by more than the radius. So what remains of a still hand's
    noise after filtering does not reach the arm.

    Args:
        rest_s: [s].
    """

    def __init__(self, rest_s: float) -> None:
        self._rest_s = rest_s
        self._held: FloatArray | None = None
        self._moving = np.zeros(0, dtype=bool)
        self._quiet_at = self._quiet_mean = self._quiet_since = self._quiet_samples = np.zeros(0)

    @property
    def moving(self) -> BoolArray:
        """Which components are followed, shape (n,); the others are held."""
        return self._moving.copy()

    def reset(self) -> None:
        """Forget the past: the next sample passes unchanged."""
        self._held = None

    def hold(self) -> FloatArray:
        """Hold the last output (n,), as if the input had come to rest there, and return it."""
        self._moving = np.zeros_like(self._moving)
        return np.zeros(0) if self._held is None else self._held.copy()

    def __call__(self, value: FloatArray, stamp_s: float, radius: ArrayLike) -> FloatArray:
        """The held components of `value` (n,), the others as they are.

        Args:
            value: shape (n,).
            stamp_s: its capture time [s].
            radius: one for all components or shape (n,).
        """
        radius = np.asarray(radius, dtype=np.float64)
        if self._held is None:
            self._held = self._quiet_at = self._quiet_mean = value.copy()
            self._quiet_samples = np.zeros(value.shape)
            self._moving, self._quiet_since = np.ones(value.shape, dtype=bool), np.full(value.shape, stamp_s)
        stirs = np.abs(value - self._quiet_at) > 0.5 * radius
        self._quiet_at = np.where(stirs, value, self._quiet_at)
        self._quiet_since = np.where(stirs, stamp_s, self._quiet_since)
        self._quiet_samples = np.where(stirs, 1, self._quiet_samples + 1)
        self._quiet_mean = np.where(stirs, value, self._quiet_mean + (value - self._quiet_mean) / self._quiet_samples)
        settles = self._moving & (stamp_s - self._quiet_since >= self._rest_s)
        self._moving = np.where(self._moving, ~settles, np.abs(value - self._held) > radius)
        self._held = np.where(self._moving, value, np.where(settles, self._quiet_mean, self._held))
        return self._held.copy()


class SteadyFilter:
    """One-Euro, then a dead zone as wide as the noise demands; what moves is led ahead of its own lag.

    Args:
        config: of the One-Euro filter.
        rest: of the dead zone.
        radius: least radius of the zone, one for all components or shape (n,).
        lead_s: how far ahead of the samples the output of a moving component is, by its speed [s].
        judge: of a calmer One-Euro filter that tells rest from motion; None where `config` is calm enough for that.
    """

    def __init__(
        self,
        config: OneEuroConfig,
        rest: RestConfig,
        radius: ArrayLike,
        lead_s: float = 0.0,
        judge: OneEuroConfig | None = None,
    ) -> None:
        self._euro, self._judge = OneEuroFilter(config), OneEuroFilter(judge or config)
        self._noise, self._zone = NoiseLevel(), DeadZone(rest.after_s)
        self._per_noise, self._radius, self._lead_s = rest.zone_per_noise, np.asarray(radius, dtype=np.float64), lead_s
        self._calm = np.zeros(0)

    @property
    def calm(self) -> FloatArray:
        """The last value as the dead zone has it, without the lead, shape (n,)."""
        return self._calm.copy()

    def reset(self) -> None:
        """Forget the past: the next sample passes unchanged."""
        for part in (self._euro, self._judge, self._noise, self._zone):
            part.reset()

    def hold(self) -> FloatArray:
        """Be at rest until the input leaves the value held by more than the zone; returns that, shape (n,)."""
        return self._zone.hold()

    def __call__(self, value: FloatArray, stamp_s: float) -> FloatArray:
        """The steady value, shape (n,).

        Args:
            value: the sample, shape (n,), all of it numbers.
            stamp_s: when it was captured [s]; newer than the last one.
        """
        smooth = self._euro(value, stamp_s)
        radius = np.maximum(self._radius, self._per_noise * self._noise(value, stamp_s))
        self._calm = self._zone(self._judge(value, stamp_s), stamp_s, radius)
        return np.where(self._zone.moving, smooth + self._lead_s * self._euro.speed, self._calm)


def _gain(cutoff_hz: FloatArray, dt: float) -> FloatArray:
    """Share of a new sample in a first-order low-pass, after `dt` [s]."""
    turn = 2.0 * np.pi * cutoff_hz * dt
    gain: FloatArray = turn / (1.0 + turn)
    return gain
