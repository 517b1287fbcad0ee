"""What a trial is: which block goes where, and when it counts as placed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from dofbot_ros.config.ranges import POSITIVE, Checked, Count, Rising
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.grasp.planning.hand_geometry import StandingBlock

STANDING_TILT = math.radians(15.0)
"""A block whose nearest face leans further than this was not found standing [rad]."""


class NoGraspError(DofbotError):
    """The camera shows nothing that can be grasped, nothing within reach, or no scene for this trial."""


@dataclass(frozen=True)
class ProtocolConfig(Checked):
    """The conditions of a series of trials.

    Attributes:
        radius: smallest and largest distance of a target from joint 1 [m].
        azimuth: largest angle of a target to the left or right of straight ahead [rad].
        spacing: of a target from every block on the table [m].
        tolerance: a block this near to its target is placed [m].
        upright: its upward face may lean by so much [rad].
        height_tolerance: of its centre against half its size: it stands on the table, not on something [m].
        attempts: how often a block is gone for, each time with a fresh look.
    """

    radius: Annotated[tuple[float, float], POSITIVE, Rising()] = (0.16, 0.26)
    azimuth: float = math.radians(60.0)
    spacing: float = 0.070
    tolerance: float = 0.015
    upright: float = math.radians(5.0)
    height_tolerance: float = 0.002
    attempts: Count = 3


@dataclass(frozen=True)
class Verdict:
    """What a pose at the end of a trial means.

    Attributes:
        placed: near the target, upright, on the table.
        error_m: horizontal distance from the target [m].
        reason: why not placed, "" when it is.
    """

    placed: bool
    error_m: float
    reason: str


def scene_seed(seed: int, number: int) -> int:
    """Seed of the scene of trial `number` in the series `seed`; other series have other scenes."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0] >> 1)


def standing(T_base_block: FloatArray, size: float) -> StandingBlock:
    """A cube's footprint from its pose, shape (4, 4) [m], whichever face is up.

    Raises:
        NoGraspError: it does not stand on the table.
    """
    lean = math.acos(min(1.0, float(np.abs(T_base_block[2, :3]).max())))
    x, y, z = (float(v) for v in T_base_block[:3, 3])
    if lean > STANDING_TILT or abs(z - 0.5 * size) > 0.5 * size:
        raise NoGraspError(
            f"at x {x:.3f} y {y:.3f} z {z:.3f} m, leaning {math.degrees(lean):.0f} deg: it does not stand"
        )
    level = T_base_block[:3, int(np.argmin(np.abs(T_base_block[2, :3])))]
    return StandingBlock(x, y, math.atan2(level[1], level[0]), size)


def choose(
    rng: np.random.Generator, blocks: dict[str, StandingBlock], config: ProtocolConfig
) -> tuple[str, tuple[float, float]]:
    """Draw which block is to be moved, and a free place for it: name, and x, y in base_link [m].

    Args:
        rng: of this trial.
        blocks: as localised.
        config: the conditions.

    Raises:
        NoGraspError: no block, or no free place.
    """
    if not blocks:
        raise NoGraspError("no block in the image")
    name = sorted(blocks)[int(rng.integers(len(blocks)))]
    for _ in range(1000):
        radius = math.sqrt(rng.uniform(config.radius[0] ** 2, config.radius[1] ** 2))
        azimuth = rng.uniform(-config.azimuth, config.azimuth)
        x, y = radius * math.cos(azimuth), radius * math.sin(azimuth)
        if all(math.hypot(x - b.x, y - b.y) >= config.spacing for b in blocks.values()):
            return name, (x, y)
    raise NoGraspError(f"no place is {1e3 * config.spacing:.0f} mm away from all {len(blocks)} blocks")


def judge(T_base_block: FloatArray, target: tuple[float, float], size: float, config: ProtocolConfig) -> Verdict:
    """Whether a block with this pose (4, 4) [m] is placed at `target` x, y [m]."""
    x, y, z = (float(v) for v in T_base_block[:3, 3])
    error = math.hypot(x - target[0], y - target[1])
    lean = math.acos(min(1.0, float(np.abs(T_base_block[2, :3]).max())))
    reason = ""
    if error > config.tolerance:
        reason = f"{1e3 * error:.0f} mm from its target"
    elif lean > config.upright:
        reason = f"leans by {math.degrees(lean):.0f} deg"
    elif abs(z - 0.5 * size) > config.height_tolerance:
        reason = f"its centre is {1e3 * z:.0f} mm above the table"
    return Verdict(not reason, error, reason)
