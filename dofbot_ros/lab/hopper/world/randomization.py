"""Worlds of the hopper, drawn from ranges: masses, friction, damping, motors, pushes, looks."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.config.draws import named, uniform
from dofbot_ros.config.loader import load_yaml
from dofbot_ros.config.ranges import Amount, Checked, Factor, Part
from dofbot_ros.core.resources import share_file

DOMAINS = {"source": -1.0, "target": 0.0}
"""Domain -> what its torso has more than gymnasium's Hopper-v5 [kg]."""


@dataclass(frozen=True)
class HopperRanges(Checked):
    """Lowest and highest value of each quantity, drawn uniformly for an episode; the defaults change nothing.

    Attributes:
        thigh_mass, leg_mass, foot_mass: factors on mass and inertia.
        friction: factor on the sliding friction of all bodies.
        damping: factor on the damping of the three driven joints.
        gear: factor on the torque of the motors.
        push_n: largest force along each axis that pushes the torso now and then [N].
        colour_shift: how far the colours of body, floor and sky may lie from theirs, 0..1.
        light: factor on the brightness of the light.
        picture_noise: standard deviation of the camera's noise [grey levels of 255].
    """

    thigh_mass: Factor = (1.0, 1.0)
    leg_mass: Factor = (1.0, 1.0)
    foot_mass: Factor = (1.0, 1.0)
    friction: Factor = (1.0, 1.0)
    damping: Factor = (1.0, 1.0)
    gear: Factor = (1.0, 1.0)
    push_n: Amount = (0.0, 0.0)
    colour_shift: Part = (0.0, 0.0)
    light: Factor = (1.0, 1.0)
    picture_noise: Amount = (0.0, 0.0)

    def draw(self, rng: np.random.Generator) -> HopperDraw:
        """One world; the same generator state gives the same one."""
        names = [field.name for field in dataclasses.fields(self)]
        return HopperDraw(**uniform(self, names, rng), seed=int(rng.integers(2**31)))


@dataclass(frozen=True)
class HopperDraw:
    """One value of every quantity of HopperRanges, and the seed of pushes, colours and noise."""

    thigh_mass: float = 1.0
    leg_mass: float = 1.0
    foot_mass: float = 1.0
    friction: float = 1.0
    damping: float = 1.0
    gear: float = 1.0
    push_n: float = 0.0
    colour_shift: float = 0.0
    light: float = 1.0
    picture_noise: float = 0.0
    seed: int = 0

    def to_log(self) -> dict[str, Any]:
        """Plain numbers, for logs."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class HopperLevels:
    """How much the worlds of training vary."""

    none: HopperRanges
    legs: HopperRanges
    wide: HopperRanges


def load_hopper_level(name: str, file: str | Path | None = None) -> HopperRanges:
    """A level of randomisation from config/hopper.yaml or a file like it.

    Raises:
        ConfigError: the file cannot be used, or has no such level; lists those it has.
    """
    levels = load_yaml(HopperLevels, file or share_file("config", "hopper.yaml"))
    chosen: HopperRanges = named(levels, "level", name)
    return chosen
