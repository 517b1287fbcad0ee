"""Draws stay in their ranges, repeat themselves and reach the simulation; no level is centred on the target."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.errors import ConfigError
from dofbot_ros.hardware.emulation.servo_model import TICKS_PER_RAD, ServoModelConfig
from dofbot_ros.sim.config import CameraConfig, PlainBlock, WorldConfig
from dofbot_ros.sim.randomization import RandomizationRanges, load_domain, load_level
from dofbot_ros.sim.rendering.camera import look_at

LEVELS = ("none", "mild", "wide")


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), level=st.sampled_from(LEVELS))
def test_a_draw_is_within_its_ranges_and_repeats_itself(seed: int, level: str) -> None:
    ranges = load_level(level)
    draw = ranges.draw(np.random.default_rng(seed))
    assert draw == ranges.draw(np.random.default_rng(seed))
    for field in dataclasses.fields(RandomizationRanges):
        low, high = getattr(ranges, field.name)
        assert low - 1e-9 <= getattr(draw, field.name) <= high + 1e-9


def test_without_randomisation_the_world_is_the_one_there_is() -> None:
    draw = load_level("none").draw(np.random.default_rng(0))
    base = WorldConfig(marked=(), plain=(PlainBlock("block", (200, 40, 40)),))
    assert draw.world(base) == base
    servo = draw.servo(ServoModelConfig())
    assert servo.backlash_ticks == pytest.approx(ServoModelConfig().backlash_ticks)
    assert dataclasses.replace(servo, backlash_ticks=8.0) == ServoModelConfig()
    assert load_domain("source") == load_level("none")


def test_wide_holds_the_targets_shifts_and_no_level_is_centred_on_them() -> None:
    target, source = load_domain("target"), load_domain("source")
    shifted = [
        f.name for f in dataclasses.fields(RandomizationRanges) if getattr(target, f.name) != getattr(source, f.name)
    ]
    assert len(shifted) >= 12
    for name in shifted:
        value, width = getattr(target, name)[0], getattr(load_level("wide"), name)
        assert width[0] <= value <= width[1], name
        for level in LEVELS:
            low, high = getattr(load_level(level), name)
            assert abs(value - 0.5 * (low + high)) > 0.05 * (high - low) - 1e-12, (level, name)


def test_the_target_is_what_was_asked_for() -> None:
    draw = load_domain("target").draw(np.random.default_rng(0))
    assert draw.observation_delay_s == 0.08
    assert draw.servo(ServoModelConfig()).backlash_ticks == pytest.approx(np.radians(2.0) * TICKS_PER_RAD)
    base = CameraConfig()
    moved = draw.camera(base)
    assert np.linalg.norm(np.subtract(moved.position, base.position)) == pytest.approx(0.010)
    turn = (
        look_at(base.position, base.target, base.up)[:3, :3].T @ look_at(moved.position, moved.target, moved.up)[:3, :3]
    )
    assert np.degrees(np.arccos((np.trace(turn) - 1) / 2)) == pytest.approx(2.0, abs=1e-6)


def test_ranges_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="min <= max"):
        RandomizationRanges(block_friction=(0.9, 0.5))
    with pytest.raises(ConfigError, match="to 1"):
        RandomizationRanges(dropout=(0.0, 1.5))
    file = tmp_path / "levels.yaml"
    file.write_text("none: {}\nmild: {}\nwide: {block_frictoin: [0.5, 0.9]}\n")
    with pytest.raises(ConfigError, match="block_friction"):
        load_level("wide", file)
