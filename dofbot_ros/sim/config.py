"""What the simulated world consists of and how its camera looks at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np

from dofbot_ros.config.loader import load_yaml
from dofbot_ros.config.ranges import POSITIVE, Checked, Colour, Count, Index, NotNegative, Range, Rising
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.types import N_JOINTS
from dofbot_ros.errors import one_of
from dofbot_ros.sim.rendering.flaws import ArmFlaws, PictureFlaws, TableKind
from dofbot_ros.vision.markers.block_layout import BlockSet

MAX_BLOCK = 1.0
"""Longest edge of a block [m]."""


@dataclass(frozen=True)
class PlainBlock(Checked):
    """A cube in one colour, without markers.

    Attributes:
        name: unique in the world.
        colour: red, green, blue, each 0..255.
        size: edge [m].
    """

    name: str
    colour: Colour
    size: Annotated[float, Range(above=0.0, at_most=MAX_BLOCK)] = 0.030


@dataclass(frozen=True)
class SceneConfig(Checked):
    """Where a reset puts the blocks: a sector around joint 1, uniform by area, any yaw, any face up.

    Attributes:
        radius: smallest and largest distance of a block's centre from joint 1's axis [m].
        azimuth: largest angle to the left or right of straight ahead [rad].
        spacing: smallest distance between two blocks' centres; leaves room for the open fingers [m].
    """

    radius: Annotated[tuple[float, float], POSITIVE, Rising()] = (0.16, 0.26)
    azimuth: Annotated[float, Range(above=0.0, at_most=np.pi)] = 1.05
    spacing: NotNegative = 0.075


@dataclass(frozen=True)
class PhysicsConfig(Checked):
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

    step_hz: Count = 500
    servo_hz: Count = 100
    substeps: Count = 1
    solver_iterations: Index = 50
    table_friction: NotNegative = 0.7
    block_friction: NotNegative = 0.8
    arm_friction: NotNegative = 1.0
    block_density: NotNegative = 700.0
    arm_torque: NotNegative = 1.47
    grip_torque: NotNegative = 0.59
    servo_gain: NotNegative = 1.0
    limp_friction: NotNegative = 0.06

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if self.step_hz % self.servo_hz:
            yield f"step_hz must be a multiple of servo_hz, got {self.step_hz} and {self.servo_hz}"
        elif (self.step_hz // self.servo_hz) % self.substeps:
            yield f"substeps must divide step_hz / servo_hz, got {self.substeps} of {self.step_hz} / {self.servo_hz}"
        call_s = 1.0 / self.calls_hz
        if call_s / (call_s / self.substeps) != self.substeps or self.substeps * (call_s / self.substeps) != call_s:
            yield f"the engine would miscount {self.substeps} substeps of {call_s:g} s by its rounding"

    @property
    def calls_hz(self) -> int:
        """Calls of the engine a second [1/s]."""
        return self.step_hz // self.substeps


@dataclass(frozen=True)
class Light(Checked):
    """One distant light; casts no shadow.

    Attributes:
        direction: towards the light, in the world frame.
        ambient: share of a surface's colour that is there without it.
        diffuse: share that comes with the cosine to the light.
    """

    direction: tuple[float, float, float] = (0.3, 0.4, 1.0)
    ambient: NotNegative = 0.62
    diffuse: NotNegative = 0.35

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if not any(self.direction):
            yield "direction must not be 0, 0, 0"


@dataclass(frozen=True)
class CameraConfig(Checked):
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
        sheet: the calibration sheet lies on it, pushed to the base plate.
        flaws: distortion, blur, tone, compression, shadows, latency, loss.
    """

    mount: Literal["overhead", "wrist"] = "overhead"
    width: Count = 640
    height: Count = 480
    field_of_view: Annotated[float, Range(above=0.0, below=np.pi)] = 0.98
    position: tuple[float, float, float] = (0.19, 0.0, 0.58)
    target: tuple[float, float, float] = (0.19, 0.0, 0.0)
    up: tuple[float, float, float] = (1.0, 0.0, 0.0)
    supersampling: Count = 2
    noise: NotNegative = 0.0
    light: Light = field(default_factory=Light)
    table_colour: tuple[int, int, int] = (176, 178, 174)
    table: TableKind = "plain"
    table_seed: int = 0
    sheet: bool = False
    flaws: PictureFlaws = field(default_factory=PictureFlaws)

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        axis = np.subtract(self.target, self.position)
        if np.linalg.norm(np.cross(axis, self.up)) < 1e-9:
            yield "up must not lie along the line from position to target"

    def sized(self, width: int, height: int) -> CameraConfig:
        """The same view in a picture of another size [px]."""
        return replace(self, width=width, height=height)


@dataclass(frozen=True)
class HeldBlock(Checked):
    """A block that somebody fixed between the fingers, as for a calibration: it goes where the hand goes.

    Attributes:
        name: of a marked block.
        position: of its centre in tool_link [m].
        turn: rotation vector from tool_link to the block [rad].
    """

    name: str
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class WorldConfig(Checked):
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
        held: a block that is fixed between the fingers.
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
    held: HeldBlock | None = None

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if self.lean and self.camera.mount == "wrist":
            yield "a lean arm has no camera_optical_frame: a wrist camera needs lean: false"
        names = [*self.marked, *(block.name for block in self.plain)]
        for name in names:
            if names.count(name) > 1:
                yield f"two blocks are called {name}"
        if self.held is not None and self.held.name not in self.marked:
            yield one_of("held block", self.held.name, self.marked)
        if len(self.start) != N_JOINTS:
            yield f"start has {N_JOINTS} joint angles, got {len(self.start)}"


def load_world_config(path: str | Path | None = None) -> WorldConfig:
    """Read a world; without a path the one this package ships (config/sim.yaml).

    Raises:
        ConfigError: the file cannot be used, and where.
    """
    return load_yaml(WorldConfig, share_file("config", "sim.yaml") if path is None else path)
