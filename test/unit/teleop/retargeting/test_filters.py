from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.errors import ConfigError
from dofbot_ros.teleop.retargeting.filters import (
    DeadZone,
    NoiseLevel,
    OneEuroConfig,
    OneEuroFilter,
    RestConfig,
    SteadyFilter,
)

values = st.floats(-10.0, 10.0)
gaps = st.floats(1e-3, 2.0)
configs = st.builds(OneEuroConfig, st.floats(0.05, 20.0), st.floats(0.0, 50.0), st.floats(0.05, 20.0))


def run(config: OneEuroConfig, samples: list[tuple[float, float]]) -> list[float]:
    """samples: (time since the last one, value)."""
    one_euro, stamp, out = OneEuroFilter(config), 0.0, []
    for dt, value in samples:
        stamp += dt
        out.append(float(one_euro([value], stamp)[0]))
    return out


@settings(deadline=None)
@given(configs, st.lists(st.tuples(gaps, values), min_size=1, max_size=50))
def test_output_stays_within_what_was_seen(config: OneEuroConfig, samples: list[tuple[float, float]]) -> None:
    out, seen = run(config, samples), [value for _, value in samples]
    assert all(min(seen) - 1e-9 <= value <= max(seen) + 1e-9 for value in out)


@settings(deadline=None)
@given(configs, values, st.lists(gaps, min_size=1, max_size=20))
def test_a_constant_passes_unchanged(config: OneEuroConfig, value: float, dts: list[float]) -> None:
    assert run(config, [(dt, value) for dt in dts]) == pytest.approx([value] * len(dts))


@pytest.mark.slow
@settings(deadline=None)
@given(st.floats(0.2, 5.0), st.integers(1, 8))
def test_without_beta_it_is_a_low_pass_that_does_not_mind_the_frame_rate(cutoff: float, split: int) -> None:
    """A unit step settles after the same time, whether it comes in few frames or in many."""
    tau = 1.0 / (2.0 * np.pi * cutoff)
    dt = 0.02 * tau / split
    config = OneEuroConfig(cutoff, 0.0, 1.0)
    out = run(config, [(dt, 0.0)] * (100 * split) + [(dt, 1.0)] * (50 * split))
    assert out[-1] == pytest.approx(1.0 - np.exp(-1.0), abs=0.01)


def test_the_first_samples_are_averaged() -> None:
    assert run(OneEuroConfig(0.01, 0.0, 1.0), [(0.03, v) for v in (4.0, 0.0, 2.0, 2.0)]) == pytest.approx([4, 2, 2, 2])


def test_beta_cuts_the_lag_of_motion() -> None:
    ramp = [(1 / 30, 0.1 * i / 30) for i in range(60)]
    lag = {beta: ramp[-1][1] - run(OneEuroConfig(1.0, beta, 2.0), ramp)[-1] for beta in (0.0, 60.0)}
    assert lag[0.0] == pytest.approx(0.1 / (2 * np.pi), rel=0.05)
    assert lag[60.0] < 0.25 * lag[0.0]


@pytest.mark.parametrize("bad", [([np.nan, 1.0], 1.1), ([np.inf, 1.0], 1.1), ([5.0, 5.0], 1.0), ([5.0, 5.0], np.nan)])
def test_a_bad_sample_leaves_no_trace(bad: tuple[list[float], float]) -> None:
    clean, dirty = (OneEuroFilter(OneEuroConfig(1.0, 1.0, 1.0)) for _ in range(2))
    for one_euro in (clean, dirty):
        one_euro([0.0, 0.0], 0.9)
        one_euro([1.0, 2.0], 1.0)
    assert dirty(*bad).tolist() == dirty(*bad).tolist()
    np.testing.assert_array_equal(dirty([2.0, 3.0], 1.2), clean([2.0, 3.0], 1.2))


def test_parameters_that_make_no_filter_are_refused() -> None:
    with pytest.raises(ConfigError, match="positive"):
        OneEuroConfig(0.0, 1.0, 1.0)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_noise_inside_the_zone_does_not_pass(seed: int) -> None:
    zone, rng = DeadZone(rest_s=0.3), np.random.default_rng(seed)
    out = [float(zone(np.array([0.5 + rng.uniform(-0.0024, 0.0024)]), i / 30, 0.01)[0]) for i in range(200)]
    assert len(set(out[20:])) == 1


def test_motion_passes_without_offset_and_rest_is_held() -> None:
    zone = DeadZone(rest_s=0.3)
    for i in range(30):
        zone(np.array([0.0]), i / 30, 0.01)
    assert zone(np.array([0.009]), 1.0, 0.01)[0] == 0.0
    assert zone(np.array([0.02]), 1.03, 0.01)[0] == 0.02
    assert zone(np.array([0.021]), 1.07, 0.01)[0] == 0.021


def test_a_trend_has_no_lag_at_constant_speed() -> None:
    ramp = [(1 / 30, 0.1 * i / 30) for i in range(120)]
    plain, trend = (run(OneEuroConfig(2.0, 0.0, 1.0, trend=with_it), ramp)[-1] for with_it in (False, True))
    assert ramp[-1][1] - plain > 5e-3
    assert trend == pytest.approx(ramp[-1][1], abs=1e-5)


@settings(deadline=None)
@given(st.floats(0.3, 6.0), st.floats(0.1, 10.0))
def test_a_trend_settles_after_a_step(cutoff: float, speed_cutoff: float) -> None:
    """Whatever the cut-offs: damped, with a fifth of overshoot at most."""
    out = run(OneEuroConfig(cutoff, 0.0, speed_cutoff, trend=True), [(1 / 30, 0.0)] * 30 + [(1 / 30, 1.0)] * 300)
    assert max(out) < 1.25
    assert out[-1] == pytest.approx(1.0, abs=0.02)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-0.5, 0.5), st.lists(st.floats(0.02, 0.07), min_size=200, max_size=200))
def test_noise_is_told_from_motion(seed: int, speed: float, dts: list[float]) -> None:
    """Within a third, at any steady speed and any frame intervals."""
    noise, stamps = NoiseLevel(memory_s=3.0), np.cumsum(dts)
    samples = speed * stamps + np.random.default_rng(seed).normal(0.0, 0.01, len(stamps))
    level = [noise(np.array([v]), float(t)) for v, t in zip(samples, stamps, strict=True)][-1]
    assert float(level[0]) == pytest.approx(0.01, rel=0.4)


def steady(lead_s: float = 0.1) -> SteadyFilter:
    return SteadyFilter(OneEuroConfig(3.0, 0.0, 2.0, trend=True), RestConfig(), 0.005, lead_s)


def test_what_moves_is_led_ahead() -> None:
    ahead, plain = steady(0.1), steady(0.0)
    for i in range(60):
        there, here = (float(f(np.array([0.1 * i / 30]), i / 30)[0]) for f in (ahead, plain))
    assert there - here == pytest.approx(0.01, rel=0.01)


def test_what_is_held_stands_until_it_leaves_the_zone() -> None:
    steadied = steady()
    for i in range(5):
        steadied(np.array([0.1]), i / 30)
    assert steadied.hold().tolist() == [0.1]
    assert [float(steadied(np.array([0.104]), (5 + i) / 30)[0]) for i in range(10)] == [0.1] * 10
    assert [float(steadied(np.array([0.2]), (15 + i) / 30)[0]) for i in range(90)][-1] == pytest.approx(0.2, abs=1e-3)
