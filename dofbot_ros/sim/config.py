"""What the simulated world consists of and how its camera looks at it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from dofbot_ros.config.loader import load_yaml
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.types import N_JOINTS
from dofbot_ros.errors import ConfigError
from dofbot_ros.sim.rendering.flaws import ArmFlaws, PictureFlaws, TableKind
from dofbot_ros.vision.markers.block_layout import BlockSet

MAX_BLOCK = 1.0
"""Longest edge of a block [m]."""


@dataclass(frozen=True)
class PlainBlock:
    """A cube in one colour, without markers.

    Attributes:
        name: unique in the world.
        colour: red, green, blue, each 0..255.
        size: edge [m].
    """

    name: str
    colour: tuple[int, int, int]
    size: float = 0.030

    def __post_init__(self) -> None:
        if not all(0 <= value <= 255 for value in self.colour):
            raise ConfigError(f"colour is red, green, blue, each 0 to 255, got {list(self.colour)}")
        if not 0.0 < self.size <= MAX_BLOCK:
            raise ConfigError(f"size is above 0 and at most {MAX_BLOCK:g} m, got {self.size:g}")


@dataclass(frozen=True)
class SceneConfig:
    """Where a reset puts the blocks: a sector around joint 1, uniform by area, any yaw, any face up.

    Attributes:
        radius: smallest and largest distance of a block's centre from joint 1's axis [m].
        azimuth: largest angle to the left or right of straight ahead [rad].
        spacing: smallest distance between two blocks' centres; leaves room for the open fingers [m].
    """

    radius: tuple[float, float] = (0.16, 0.26)
    azimuth: float = 1.05
    spacing: float = 0.075

    def __post_init__(self) -> None:
        if not 0 < self.radius[0] < self.radius[1]:
            raise ConfigError(f"radius is a smaller and a larger one, got {list(self.radius)}")
        if self.spacing < 0:
            raise ConfigError(f"spacing must not be negative, got {self.spacing}")
        if not 0 < self.azimuth <= np.pi:
            raise ConfigError(f"azimuth is above 0 and at most pi, got {self.azimuth}")


@dataclass(frozen=True)
class PhysicsConfig:
    """The physics engine and the materials.

    Attributes:
        step_hz: physics steps a second [1/s].
        servo_hz: how often the servos move their references and feel their links; divides step_hz [1/s].
        substeps: physics steps that one call of the engine makes: calls cost time too. The world's time then moves by
            that many steps at once.
        solver_iterations: of the sequential-impulse solver, a step.
        table_friction: Coulomb coefficient of the table; contacts multiply those of both sides.
        block_friction: of the blocks.
        arm_friction: of the arm, finger pads included.
        block_density: [kg/m^3]; 700 is beech.
        arm_torque: what servos 1 to 5 can give [N m].
        grip_torque: what servo 6 can give [N m].
        servo_gain: share of the way to its reference that a motor makes up in one servo tick, 0..1.
        limp_friction: torque that it takes to turn a servo without power [N m].
    """

    step_hz: int = 500
    servo_hz: int = 100
    substeps: int = 1
    solver_iterations: int = 50
    table_friction: float = 0.7
    block_friction: float = 0.8
    arm_friction: float = 1.0
    block_density: float = 700.0
    arm_torque: float = 1.47
    grip_torque: float = 0.59
    servo_gain: float = 1.0
    limp_friction: float = 0.06

    def __post_init__(self) -> None:
        if self.step_hz <= 0 or self.servo_hz <= 0 or self.step_hz % self.servo_hz:
            raise ConfigError(f"step_hz must be a multiple of servo_hz, got {self.step_hz} and {self.servo_hz}")
        if self.substeps < 1 or (self.step_hz // self.servo_hz) % self.substeps:
            raise ConfigError(
                f"substeps divides step_hz / servo_hz, got {self.substeps} of {self.step_hz} / {self.servo_hz}"
            )
        call_s = 1.0 / self.calls_hz
        if call_s / (call_s / self.substeps) != self.substeps or self.substeps * (call_s / self.substeps) != call_s:
            raise ConfigError(f"the engine would miscount {self.substeps} substeps of {call_s:g} s by its rounding")
        for name, value in vars(self).items():
            if not 0 <= value < np.inf:
                raise ConfigError(f"{name} must be finite and not negative, got {value}")

    @property
    def calls_hz(self) -> int:
        """Calls of the engine a second [1/s]."""
        return self.step_hz // self.substeps


@dataclass(frozen=True)
class Light:
    """One distant light; casts no shadow.

    Attributes:
        direction: towards the light, in the world frame.
        ambient: share of a surface's colour that is there without it.
        diffuse: share that comes with the cosine to the light.
    """

    direction: tuple[float, float, float] = (0.3, 0.4, 1.0)
    ambient: float = 0.62
    diffuse: float = 0.35

    def __post_init__(self) -> None:
        if not any(self.direction):
            raise ConfigError("the light's direction is not 0, 0, 0")
        if self.ambient < 0.0 or self.diffuse < 0.0:
            raise ConfigError(f"ambient and diffuse are 0 or more, got {self.ambient:g} and {self.diffuse:g}")


@dataclass(frozen=True)
class CameraConfig:
    """A camera; ideal unless `flaws` say otherwise.

    Attributes:
        mount: `overhead` stands still in the world, `wrist` sits at the arm's camera_optical_frame.
        width: [px].
        height: [px].
        field_of_view: horizontal [rad].
        position: of an overhead camera in the world [m].
        target: the point in the middle of its picture [m].
        up: the world direction that is up in its picture.
        supersampling: rendered pixels an image pixel along each axis, on the blocks; makes marker edges smooth.
        noise: standard deviation of the sensor's noise [grey levels of 255].
        light: what shines.
        table_colour: red, green, blue, each 0..255.
        table: what the table looks like.
        table_seed: seeds the drawing of a table that is not plain.
        flaws: distortion, blur, tone, compression, shadows, latency, loss.
    """

    mount: Literal["overhead", "wrist"] = "overhead"
    width: int = 640
    height: int = 480
    field_of_view: float = 0.98
    position: tuple[float, float, float] = (0.19, 0.0, 0.58)
    target: tuple[float, float, float] = (0.19, 0.0, 0.0)
    up: tuple[float, float, float] = (1.0, 0.0, 0.0)
    supersampling: int = 2
    noise: float = 0.0
    light: Light = field(default_factory=Light)
    table_colour: tuple[int, int, int] = (176, 178, 174)
    table: TableKind = "plain"
    table_seed: int = 0
    flaws: PictureFlaws = field(default_factory=PictureFlaws)

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0 or self.supersampling < 1:
            raise ConfigError("width, height and supersampling are positive")
        if not 0 < self.field_of_view < np.pi:
            raise ConfigError(f"field_of_view is between 0 and pi, got {self.field_of_view}")
        axis = np.subtract(self.target, self.position)
        if np.linalg.norm(np.cross(axis, self.up)) < 1e-9:
            raise ConfigError("up must not lie along the line from position to target")
        if self.noise < 0:
            raise ConfigError(f"noise must not be negative, got {self.noise}")

    def sized(self, width: int, height: int) -> CameraConfig:
        """The same view in a picture of another size [px]."""
        return replace(self, width=width, height=height)


@dataclass(frozen=True)
class WorldConfig:
    """The simulated world.

    Attributes:
        marked: names of the blocks of config/blocks.yaml that are on the table.
        plain: further blocks without markers.
        marked_size: edge of the marked blocks [m], their markers grown with them; as in config/blocks.yaml by default.
        start: joint angles after a reset [rad], in the order of JOINT_NAMES.
        scene: where the blocks go.
        physics: engine and materials.
        camera: the camera that the simulation offers by default.
        lean: leave out the arm's links that carry nothing: for learning, which needs many steps. No wrist camera then.
        arm: how the true arm differs from the drawn one.
        blocks: what the marked blocks truly look like; as in config/blocks.yaml by default.
    """

    marked: tuple[str, ...] = ("red", "green", "blue", "yellow")
    plain: tuple[PlainBlock, ...] = ()
    marked_size: float | None = None
    start: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    scene: SceneConfig = field(default_factory=SceneConfig)
    physics: PhysicsConfig = field(default_factory=PhysicsConfig)
    camera: CameraConfig = field(default_factory=CameraConfig)
    lean: bool = False
    arm: ArmFlaws = field(default_factory=ArmFlaws)
    blocks: BlockSet | None = None

    def __post_init__(self) -> None:
        if self.lean and self.camera.mount == "wrist":
            raise ConfigError("a lean arm has no camera_optical_frame: a wrist camera needs lean: false")
        names = [*self.marked, *(block.name for block in self.plain)]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError(f"two blocks are called {name}")
        if len(self.start) != N_JOINTS:
            raise ConfigError(f"start has {N_JOINTS} joint angles, got {len(self.start)}")


def load_world_config(path: str | Path | None = None) -> WorldConfig:
    """Read a world; without a path the one this package ships (config/sim.yaml).

    Raises:
        ConfigError: the file cannot be used, and where.
    """
    return load_yaml(WorldConfig, share_file("config", "sim.yaml") if path is None else path)
