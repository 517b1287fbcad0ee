"""What a trial is and when it counts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dofbot_ros.core.transforms import rot_x, rot_y, rot_z, transform
from dofbot_ros.errors import ConfigError
from dofbot_ros.grasp.planning.hand_geometry import StandingBlock
from dofbot_ros.trials.protocol import NoGraspError, ProtocolConfig, choose, judge, scene_seed, standing

CONFIG = ProtocolConfig()
TARGET = (0.2, 0.05)


@pytest.mark.parametrize(
    "flip", [np.eye(3), rot_x(math.pi / 2), rot_y(math.pi / 2), rot_x(math.pi), rot_y(-math.pi / 2)]
)
def test_the_footprint_is_the_same_whichever_face_is_up(flip: np.ndarray) -> None:
    block = standing(transform(rot_z(0.3) @ flip, (0.2, -0.1, 0.015)), 0.03)
    assert (block.x, block.y) == pytest.approx((0.2, -0.1))
    assert math.remainder(block.yaw - 0.3, math.pi / 2) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    "pose",
    [transform(rot_x(0.6), (0.2, 0.0, 0.018)), transform(np.eye(3), (0.2, 0.0, 0.045))],
    ids=["leaning", "on top"],
)
def test_a_block_that_does_not_stand_on_the_table_is_told(pose: np.ndarray) -> None:
    with pytest.raises(NoGraspError, match="does not stand"):
        standing(pose, 0.03)


def test_the_choice_is_the_seeds_and_the_target_is_free() -> None:
    blocks = {"red": StandingBlock(0.2, 0.0, 0.0), "blue": StandingBlock(0.18, 0.1, 0.0)}
    for seed in range(50):
        name, target = choose(np.random.default_rng(seed), blocks, CONFIG)
        assert (name, target) == choose(np.random.default_rng(seed), dict(reversed(blocks.items())), CONFIG)
        assert name in blocks
        assert 0.16 <= math.hypot(*target) <= 0.26
        assert abs(math.atan2(target[1], target[0])) <= math.radians(60.0)
        assert min(math.hypot(target[0] - b.x, target[1] - b.y) for b in blocks.values()) >= 0.070


def test_a_table_without_blocks_or_without_room_is_told() -> None:
    with pytest.raises(NoGraspError, match="no block"):
        choose(np.random.default_rng(0), {}, CONFIG)
    crowd = {
        f"{r:.2f} {a:.1f}": StandingBlock(r * math.cos(a), r * math.sin(a), 0.0)
        for r in (0.16, 0.21, 0.26)
        for a in np.arange(-1.0, 1.1, 0.25)
    }
    with pytest.raises(NoGraspError, match="no place"):
        choose(np.random.default_rng(0), crowd, CONFIG)


def test_every_trial_of_every_series_has_a_scene_of_its_own() -> None:
    seeds = {scene_seed(series, number) for series in range(20) for number in range(100)}
    assert len(seeds) == 2000
    assert max(seeds) < 2**31


@pytest.mark.parametrize(
    ("pose", "reason"),
    [
        (transform(rot_z(1.0) @ rot_x(math.pi / 2), (0.205, 0.045, 0.015)), ""),
        (transform(np.eye(3), (0.22, 0.05, 0.015)), "20 mm from its target"),
        (transform(rot_x(0.2), (0.2, 0.05, 0.016)), "leans by 11 deg"),
        (transform(np.eye(3), (0.2, 0.05, 0.045)), "its centre is 45 mm above the table"),
    ],
)
def test_the_verdict(pose: np.ndarray, reason: str) -> None:
    verdict = judge(pose, TARGET, 0.03, CONFIG)
    assert verdict.placed == (not reason)
    assert verdict.reason == reason
    assert verdict.error_m == pytest.approx(math.dist(pose[:2, 3], TARGET))


def test_conditions_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigError):
        ProtocolConfig(radius=(0.3, 0.2))
    with pytest.raises(ConfigError):
        ProtocolConfig(attempts=0)
