"""Worlds drawn from ranges: what one episode's physics, servos, observations and camera are like."""

from __future__ import annotations

import colorsys
import dataclasses
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import cv2
import numpy as np

from dofbot_ros.config.draws import named, uniform
from dofbot_ros.config.loader import load_yaml
from dofbot_ros.config.ranges import Amount, Checked, Factor, Part, Range, Rising
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.transforms import exp_so3
from dofbot_ros.core.types import N_ARM, FloatArray
from dofbot_ros.hardware.emulation.servo_model import TICKS_PER_RAD, ServoModelConfig
from dofbot_ros.sim.config import CameraConfig, Light, PhysicsConfig, PlainBlock, WorldConfig
from dofbot_ros.sim.world import World

Gain: TypeAlias = Annotated[tuple[float, float], Range(above=0.0, at_most=1.0), Rising(or_equal=True)]
"""The lowest and the highest value of a share above 0."""

PHYSICS, SERVO = PhysicsConfig(), ServoModelConfig()

LOOKS = ("other_block", "table_texture", "picture_noise")
"""Quantities that nothing but pictures show."""

TEXTURE_PIXELS = 64
MARKED_BLOCKS = ("red", "green", "blue", "yellow")


@dataclass(frozen=True)
class RandomizationRanges(Checked):
    """Lowest and highest value of each quantity, drawn uniformly; the defaults are the simulation as it is.

    Attributes:
        block_density: [kg/m^3].
        block_friction: Coulomb coefficient; contacts multiply those of both sides.
        table_friction: of the table.
        block_size: edge [m], in whole millimetres; markers grow with it.
        link_mass: factor on the masses and inertias of the arm's links.
        servo_delay_s: from the end of a goal frame to the first motion [s].
        servo_gain: share of the way to its reference that a motor makes up in a servo tick.
        servo_speed: factor on the servos' no-load speed.
        backlash_deg: whole width of the play between motor and link [deg].
        torque: factor on all servos' torque.
        joint_noise: standard deviation of the measured joint angles [rad].
        block_noise_m: standard deviation of the block's observed position along each axis [m].
        block_noise_rad: of its observed yaw [rad].
        observation_delay_s: age of what is seen of the block, or of the picture [s].
        dropout: share of the observations in which the block is not found, or the picture is the last one again.
        camera_shift_m: how far the camera is displaced, in a direction drawn at random [m].
        camera_turn_deg: by how much it is turned, about an axis drawn at random [deg].
        light_ambient: share of light without direction.
        light_lean: horizontal part of the light's direction; its vertical part is 1.
        colour_shift: how far the colours of table and plain blocks may lie from theirs, 0..1.
        other_block: chance that a block with markers is another one of the set, or a plain one of any colour.
        table_texture: how much of the table's colour random blotches or checks take, 0..1.
        picture_noise: standard deviation of the camera's noise [grey levels of 255].
    """

    block_density: Factor = (PHYSICS.block_density,) * 2
    block_friction: Amount = (PHYSICS.block_friction,) * 2
    table_friction: Amount = (PHYSICS.table_friction,) * 2
    block_size: Factor = (0.030, 0.030)
    link_mass: Factor = (1.0, 1.0)
    servo_delay_s: Amount = (SERVO.start_delay_s,) * 2
    servo_gain: Gain = (PHYSICS.servo_gain,) * 2
    servo_speed: Factor = (1.0, 1.0)
    backlash_deg: Amount = (math.degrees(SERVO.backlash_ticks / TICKS_PER_RAD),) * 2
    torque: Amount = (1.0, 1.0)
    joint_noise: Amount = (0.0, 0.0)
    block_noise_m: Amount = (0.0, 0.0)
    block_noise_rad: Amount = (0.0, 0.0)
    observation_delay_s: Amount = (0.0, 0.0)
    dropout: Part = (0.0, 0.0)
    camera_shift_m: Amount = (0.0, 0.0)
    camera_turn_deg: Amount = (0.0, 0.0)
    light_ambient: Part = (Light().ambient,) * 2
    light_lean: Amount = (0.5, 0.5)
    colour_shift: Part = (0.0, 0.0)
    other_block: Part = (0.0, 0.0)
    table_texture: Part = (0.0, 0.0)
    picture_noise: Amount = (0.0, 0.0)

    def draw(self, rng: np.random.Generator) -> DomainSample:
        """One world. The same generator state gives the same one; every quantity takes one number from it."""
        names = [field.name for field in dataclasses.fields(self)]
        values = uniform(self, [name for name in names if name not in LOOKS], rng)
        values["block_size"] = round(values["block_size"], 3)
        seed = int(rng.integers(2**31))
        # What only pictures show has its own generator: more of it leaves the physics of an episode as they were.
        looks = np.random.default_rng([seed, 3])
        values |= uniform(self, LOOKS, looks)
        return DomainSample(**values, seed=seed)


@dataclass(frozen=True)
class Levels:
    """How much the worlds of training vary."""

    none: RandomizationRanges
    mild: RandomizationRanges
    wide: RandomizationRanges


@dataclass(frozen=True)
class Domains:
    """Worlds to measure policies in."""

    source: RandomizationRanges
    target: RandomizationRanges


@dataclass(frozen=True)
class DomainSample:
    """One value of every quantity of Ranges, and the seed of the directions and colours that go with them."""

    block_density: float
    block_friction: float
    table_friction: float
    block_size: float
    link_mass: float
    servo_delay_s: float
    servo_gain: float
    servo_speed: float
    backlash_deg: float
    torque: float
    joint_noise: float
    block_noise_m: float
    block_noise_rad: float
    observation_delay_s: float
    dropout: float
    camera_shift_m: float
    camera_turn_deg: float
    light_ambient: float
    light_lean: float
    colour_shift: float
    other_block: float
    table_texture: float
    picture_noise: float
    seed: int

    def to_log(self) -> dict[str, Any]:
        """Plain numbers, for logs."""
        return dict(vars(self))

    def world(self, base: WorldConfig) -> WorldConfig:
        """`base` with this draw's physics, blocks and colours."""
        physics = replace(
            base.physics,
            block_density=self.block_density,
            block_friction=self.block_friction,
            table_friction=self.table_friction,
            servo_gain=self.servo_gain,
            arm_torque=self.torque * base.physics.arm_torque,
            grip_torque=self.torque * base.physics.grip_torque,
        )
        rng = np.random.default_rng([self.seed, 1])
        plain = tuple(
            PlainBlock(block.name, shift_colour(rng, block.colour, self.colour_shift), self.block_size)
            for block in base.plain
        )
        marked = base.marked
        looks = np.random.default_rng([self.seed, 4])
        if len(marked) == 1 and looks.random() < self.other_block:
            if looks.random() < 0.5:
                marked = (str(looks.choice(MARKED_BLOCKS)),)
            else:
                marked = ()
                plain = (*plain, PlainBlock("block", shift_colour(looks, (200, 40, 40), 1.0), self.block_size))
        size = self.block_size if marked else None
        return replace(base, physics=physics, marked=marked, plain=plain, marked_size=size)

    def servo(self, base: ServoModelConfig) -> ServoModelConfig:
        """`base` with this draw's delay, speed and backlash."""
        return replace(
            base,
            start_delay_s=self.servo_delay_s,
            max_speed=self.servo_speed * base.max_speed,
            backlash_ticks=math.radians(self.backlash_deg) * TICKS_PER_RAD,
        )

    def camera(self, base: CameraConfig) -> CameraConfig:
        """`base`, an overhead camera, displaced, turned and in other light."""
        rng = np.random.default_rng([self.seed, 2])
        shift = self.camera_shift_m * direction(rng)
        turn = exp_so3(math.radians(self.camera_turn_deg) * direction(rng))
        azimuth = rng.uniform(-math.pi, math.pi)
        light = Light(
            (self.light_lean * math.cos(azimuth), self.light_lean * math.sin(azimuth), 1.0),
            self.light_ambient,
            max(0.0, 0.97 - self.light_ambient),
        )
        return replace(
            displaced(base, shift, turn),
            light=light,
            table_colour=shift_colour(rng, base.table_colour, self.colour_shift),
            noise=self.picture_noise,
        )

    def texture(self) -> FloatArray | None:
        """What lies over the table's colour, -1..1, shape (TEXTURE_PIXELS, TEXTURE_PIXELS, 3); None without any."""
        if self.table_texture == 0.0:
            return None
        rng = np.random.default_rng([self.seed, 5])
        tint = self.table_texture * rng.uniform(-1.0, 1.0, size=3)
        if rng.random() < 0.5:
            cells = int(rng.integers(6, 30))
            share = (np.indices((TEXTURE_PIXELS,) * 2) * cells // TEXTURE_PIXELS).sum(axis=0) % 2
        else:
            coarse = rng.random((int(rng.integers(6, 40)),) * 2)
            share = cv2.resize(coarse, (TEXTURE_PIXELS,) * 2, interpolation=cv2.INTER_CUBIC)
        blotches: FloatArray = (np.clip(share, 0.0, 1.0) - 0.5)[..., None] * tint
        return blotches

    def load_links(self, world: World) -> None:
        """Multiply the masses of the arm's links in a world that has just been reset."""
        if self.link_mass == 1.0:
            return
        client, body = world.client, world.arm.body
        for link in range(N_ARM):
            mass, _, inertia = client.getDynamicsInfo(body, link)[:3]
            scaled = [self.link_mass * value for value in inertia]
            client.changeDynamics(body, link, mass=self.link_mass * mass, localInertiaDiagonal=scaled)


def displaced(camera: CameraConfig, shift: FloatArray, turn: FloatArray) -> CameraConfig:
    """An overhead camera moved by `shift` (3,) [m] and turned about itself by the rotation `turn` (3, 3)."""
    sight = turn @ np.subtract(camera.target, camera.position)
    position = np.add(camera.position, shift)
    return replace(
        camera,
        position=_triple(position),
        target=_triple(position + sight),
        up=_triple(turn @ np.array(camera.up)),
    )


def direction(rng: np.random.Generator) -> FloatArray:
    """A unit vector (3,), every one as likely as any other."""
    drawn = rng.standard_normal(3)
    unit: FloatArray = drawn / np.linalg.norm(drawn)
    return unit


def shift_colour(rng: np.random.Generator, colour: tuple[int, int, int], by: float) -> tuple[int, int, int]:
    """A colour whose hue, saturation and value each lie up to `by` (0..1) from those of `colour` (0..255 each)."""
    offset = by * rng.uniform(-1.0, 1.0, size=3)
    if by == 0.0:
        return colour
    hue, saturation, value = colorsys.rgb_to_hsv(*(c / 255.0 for c in colour))
    red, green, blue = colorsys.hsv_to_rgb(
        (hue + offset[0]) % 1.0, min(max(saturation + offset[1], 0.0), 1.0), min(max(value + offset[2], 0.1), 1.0)
    )
    return round(255 * red), round(255 * green), round(255 * blue)


def load_level(name: str, file: str | Path | None = None) -> RandomizationRanges:
    """A level of randomisation for training, from config/randomization.yaml or a file like it.

    Raises:
        ConfigError: the file cannot be used, or has no such level; lists those it has.
    """
    levels = load_yaml(Levels, file or share_file("config", "randomization.yaml"))
    ranges: RandomizationRanges = named(levels, "level", name)
    return ranges


def load_domain(name: str, file: str | Path | None = None) -> RandomizationRanges:
    """A world to measure policies in, from config/domains.yaml or a file like it; raises as load_level."""
    ranges: RandomizationRanges = named(
        load_yaml(Domains, file or share_file("config", "domains.yaml")), "domain", name
    )
    return ranges


def _triple(vector: FloatArray) -> tuple[float, float, float]:
    return float(vector[0]), float(vector[1]), float(vector[2])
