"""One arm on one desk: what is true of it, drawn by a seed from a desk's errors, and what the software is told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration
from dofbot_ros.core.transforms import exp_so3, invert, rot_x, rot_y, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.desks.belief import Belief
from dofbot_ros.desks.config import CALIBRATED, OWN, DeskConfig, load_desk
from dofbot_ros.desks.error_model import ArmErrors, BlockErrors, CameraErrors
from dofbot_ros.errors import ConfigError
from dofbot_ros.hardware.emulation.servo_model import TICKS_PER_RAD, ServoModelConfig
from dofbot_ros.hardware.emulation.servos import SERVO_IDS
from dofbot_ros.sim.config import CameraConfig, WorldConfig
from dofbot_ros.sim.randomization import direction, displaced
from dofbot_ros.sim.rendering.camera import look_at
from dofbot_ros.sim.rendering.flaws import ArmFlaws, PictureFlaws
from dofbot_ros.vision.intrinsics import from_field_of_view
from dofbot_ros.vision.markers.block_layout import Block, BlockSet, load_blocks

MM = 1e-3
TURNING = (0, 1, 2, 3, 4)
"""Servos 1 to 5, whose zeros and scales are drawn; servo 6 is told by the gap it leaves."""
UNBENT = (1, 5)
"""Servos whose play gravity does not take up."""


@dataclass(frozen=True, eq=False)
class Installation:
    """One arm on one desk.

    Attributes:
        desk: name of the kind of desk.
        seed: which of that kind.
        world: what is true: arm, blocks, table, camera.
        calibration: what is true of the servos.
        servos: what each servo can do, by id.
        belief: what the software is told.
    """

    desk: str
    seed: int
    world: WorldConfig
    calibration: Calibration
    servos: Mapping[int, ServoModelConfig]
    belief: Belief

    @property
    def label(self) -> str:
        """As reports name it."""
        return OWN if self.desk == OWN else f"{self.desk} {self.seed}"


def calibrated(installation: Installation) -> Installation:
    """The same, its software told the truth about what a calibration can find, as if that had no error.

    That is the camera's pose and lens, the servos' zeros and scales, and the height of the base; not the lengths of
    links, the tilt of the table, droop, play and flex, the fingers, and how markers were printed and glued.
    """
    world, belief = installation.world, installation.belief
    camera, flaws = world.camera, world.arm
    R = rot_x(flaws.tilt[0]) @ rot_y(flaws.tilt[1])
    true = from_field_of_view(camera.width, camera.height, camera.field_of_view)
    told = Belief(
        replace(installation.calibration, base_height_m=belief.calibration.base_height_m + flaws.base_height_m),
        replace(true, distortion=np.array([camera.flaws.k1, 0.0, 0.0, 0.0, 0.0])),
        invert(transform(R)) @ look_at(camera.position, camera.target, camera.up),
        belief.blocks,
    )
    return replace(installation, desk=installation.desk + CALIBRATED, belief=told)


def install(desk: DeskConfig | str | Path, seed: int, base: WorldConfig | None = None) -> Installation:
    """Draw the installation `seed` of a desk. The same arguments give the same one.

    Args:
        desk: the errors, or their name or file as load_desk takes it; one that ends in ":calibrated" is told what a
            calibration without error finds, see calibrated().
        seed: seeds the signs, directions and the table.
        base: the world as the software believes it; the simulation's defaults when None.

    Raises:
        InputError: no such desk.
        ConfigError: a camera that is not overhead.
    """
    if isinstance(desk, str) and desk.endswith(CALIBRATED):
        return calibrated(install(desk.removesuffix(CALIBRATED), seed, base))
    chosen = desk if isinstance(desk, DeskConfig) else load_desk(desk)
    world = base or WorldConfig()
    camera, blocks = world.camera, world.blocks or _shipped_blocks()
    if camera.mount != "overhead":
        raise ConfigError(f"a desk has an overhead camera, not a {camera.mount} camera")
    intrinsics = from_field_of_view(camera.width, camera.height, camera.field_of_view)
    T_base_camera = look_at(camera.position, camera.target, camera.up)
    if chosen.name == OWN:
        belief = Belief(DEFAULT_CALIBRATION, intrinsics, T_base_camera, blocks)
        return Installation(OWN, seed, world, DEFAULT_CALIBRATION, {}, belief)
    # A generator of its own for each part: a change in one leaves the others as they were.
    arm_rng, camera_rng, block_rng = (np.random.default_rng([seed, part]) for part in (1, 2, 3))
    arm = _arm(arm_rng, chosen.arm)
    calibration = _servo_truth(arm_rng, chosen.arm)
    true_camera, believed_k1 = _camera(camera_rng, chosen, camera, rot_x(arm.tilt[0]) @ rot_y(arm.tilt[1]))
    told = replace(intrinsics, distortion=np.array([believed_k1, 0.0, 0.0, 0.0, 0.0]))
    true_blocks = _blocks(block_rng, chosen.blocks, blocks)
    friction = world.physics.block_friction
    true_world = replace(
        world,
        physics=replace(
            world.physics,
            block_density=chosen.blocks.mass_factor * world.physics.block_density,
            arm_friction=chosen.blocks.pad_friction / friction,
        ),
        camera=true_camera,
        arm=arm,
        blocks=true_blocks,
        plain=tuple(
            replace(block, size=block.size + _sign(block_rng) * MM * chosen.blocks.size_mm) for block in world.plain
        ),
    )
    belief = Belief(DEFAULT_CALIBRATION, told, T_base_camera, blocks)
    return Installation(chosen.name, seed, true_world, calibration, _servos(chosen.arm), belief)


@lru_cache(maxsize=1)
def _shipped_blocks() -> BlockSet:
    """Read once: an evaluation draws hundreds of installations."""
    return load_blocks()


def _arm(rng: np.random.Generator, errors: ArmErrors) -> ArmFlaws:
    links = MM * errors.link_mm * _signs(rng, 3)
    fingers = MM * errors.finger_mm * _signs(rng, 2)
    azimuth = rng.uniform(-math.pi, math.pi)
    tilt = math.radians(errors.tilt_deg)
    return ArmFlaws(
        upper_arm_m=float(links[0]),
        forearm_m=float(links[1]),
        tool_m=float(links[2]),
        base_height_m=float(MM * errors.base_height_mm * _sign(rng)),
        tilt=(tilt * math.cos(azimuth), tilt * math.sin(azimuth)),
        finger_along_m=float(fingers[0]),
        finger_across_m=float(fingers[1]),
        droop_rad=math.radians(errors.droop_deg),
        flex_rad=math.radians(errors.flex_deg),
        play_rad=math.radians(errors.play_deg or 0.0),
    )


def _servo_truth(rng: np.random.Generator, errors: ArmErrors) -> Calibration:
    """The nominal calibration with other zeros and scales."""
    names = ("joint1", "joint2", "joint3", "joint4", "joint5")
    changed = {}
    for name, zero, scale in zip(names, _signs(rng, 5), _signs(rng, 5), strict=True):
        servo = getattr(DEFAULT_CALIBRATION, name)
        changed[name] = replace(
            servo,
            zero_ticks=servo.zero_ticks + round(float(zero) * errors.zero_deg * servo.ticks_per_degree),
            ticks_per_degree=servo.ticks_per_degree * (1.0 + 0.01 * float(scale) * errors.scale_percent),
        )
    return replace(DEFAULT_CALIBRATION, **changed)


def _servos(errors: ArmErrors) -> dict[int, ServoModelConfig]:
    nominal = ServoModelConfig()
    quick = replace(nominal, max_speed=errors.speed_factor * nominal.max_speed)
    if errors.play_deg is None:
        return dict.fromkeys(SERVO_IDS, quick)
    loose = replace(quick, backlash_ticks=math.radians(errors.play_deg) * TICKS_PER_RAD)
    bent = replace(quick, backlash_ticks=0.0)  # the world takes their play up by gravity
    return {i: quick if i == SERVO_IDS[-1] else loose if i in UNBENT else bent for i in SERVO_IDS}


def _camera(
    rng: np.random.Generator, desk: DeskConfig, camera: CameraConfig, R_world_base: FloatArray
) -> tuple[CameraConfig, float]:
    """The true camera, which stands as it does to the arm's base, and the distortion that is believed."""
    errors = desk.camera
    shift = MM * errors.position_mm * direction(rng)
    turn = exp_so3(math.radians(errors.turn_deg) * direction(rng))
    focal = 1.0 + 0.01 * errors.focal_percent * _sign(rng)
    believed_k1 = errors.lens_k1 * (1.0 + 0.01 * errors.lens_k1_percent * _sign(rng))
    about_base = displaced(camera, shift, turn)
    sight = np.subtract(about_base.target, about_base.position)
    position = R_world_base @ about_base.position
    # The arm stands tilted on its table, and the camera was located from the arm.
    tilted = displaced(about_base, position - about_base.position, R_world_base)
    table = desk.tables[int(rng.integers(len(desk.tables)))]
    true = replace(
        tilted,
        target=_triple(position + R_world_base @ sight),
        field_of_view=2.0 * math.atan(math.tan(0.5 * camera.field_of_view) / focal),
        noise=errors.noise,
        table=table,
        table_seed=int(rng.integers(2**31)),
        flaws=_picture(rng, errors),
    )
    return true, believed_k1


def _picture(rng: np.random.Generator, errors: CameraErrors) -> PictureFlaws:
    gamma, exposure, *balance = np.exp(
        rng.uniform(-1.0, 1.0, 5) * [errors.log_gamma, errors.log_exposure, *[errors.log_white_balance] * 3]
    )
    return PictureFlaws(
        k1=errors.lens_k1,
        defocus_px=errors.defocus_px,
        exposure=float(exposure),
        white_balance=_triple(np.array(balance)),
        gamma=float(gamma),
        jpeg_quality=errors.jpeg_quality,
        shadow=errors.shadow,
        latency_s=errors.latency_s,
        loss=errors.loss,
    )


def _blocks(rng: np.random.Generator, errors: BlockErrors, believed: BlockSet) -> BlockSet:
    small = 1.0 - 0.01 * errors.marker_small_percent
    return replace(believed, blocks=tuple(_block(rng, errors, block, small) for block in believed.blocks))


def _block(rng: np.random.Generator, errors: BlockErrors, block: Block, small: float) -> Block:
    faces = {}
    for face, marker in block.faces.items():
        angle = rng.uniform(-math.pi, math.pi)
        shift = MM * errors.glue_mm * np.array([math.cos(angle), math.sin(angle)])
        faces[face] = replace(
            marker, shift=(float(shift[0]), float(shift[1])), turn=math.radians(errors.glue_deg) * float(_sign(rng))
        )
    return replace(
        block,
        faces=faces,
        size=block.size + MM * errors.size_mm * float(_sign(rng)),
        marker_size=small * block.marker_size,
        label_size=small * block.label_size,
    )


def _sign(rng: np.random.Generator) -> float:
    return float(rng.choice([-1.0, 1.0]))


def _signs(rng: np.random.Generator, count: int) -> FloatArray:
    return rng.choice([-1.0, 1.0], count)


def _triple(vector: FloatArray) -> tuple[float, float, float]:
    return float(vector[0]), float(vector[1]), float(vector[2])
