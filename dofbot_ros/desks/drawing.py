"""Draws what is true of one arm on one desk, part by part, from the desk's errors."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration
from dofbot_ros.core.transforms import exp_so3
from dofbot_ros.core.types import FloatArray
from dofbot_ros.desks.config import DeskConfig
from dofbot_ros.desks.error_model import ArmErrors, BlockErrors, CameraErrors
from dofbot_ros.hardware.emulation.servo_model import TICKS_PER_RAD, ServoModelConfig
from dofbot_ros.hardware.emulation.servos import SERVO_IDS
from dofbot_ros.sim.config import CameraConfig
from dofbot_ros.sim.randomization import direction, displaced
from dofbot_ros.sim.rendering.flaws import ArmFlaws, PictureFlaws
from dofbot_ros.vision.markers.block_layout import Block, BlockSet

MM = 1e-3
UNBENT = (1, 5)
"""Servos whose play gravity does not take up."""


def draw_arm(rng: np.random.Generator, errors: ArmErrors) -> ArmFlaws:
    """What is wrong with the arm itself, its servos apart."""
    links = MM * errors.link_mm * _signs(rng, 3)
    fingers = MM * errors.finger_mm * _signs(rng, 2)
    azimuth = rng.uniform(-math.pi, math.pi)
    tilt = math.radians(errors.tilt_deg)
    return ArmFlaws(
        upper_arm_m=float(links[0]),
        forearm_m=float(links[1]),
        tool_m=float(links[2]),
        base_height_m=float(MM * errors.base_height_mm * sign(rng)),
        tilt=(tilt * math.cos(azimuth), tilt * math.sin(azimuth)),
        finger_along_m=float(fingers[0]),
        finger_across_m=float(fingers[1]),
        droop_rad=math.radians(errors.droop_deg),
        flex_rad=math.radians(errors.flex_deg),
        play_rad=math.radians(errors.play_deg or 0.0),
    )


def draw_calibration(rng: np.random.Generator, errors: ArmErrors) -> Calibration:
    """What is true of the servos: the nominal calibration with other zeros and scales."""
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


def servos_of(errors: ArmErrors) -> dict[int, ServoModelConfig]:
    """What each servo can do, by id."""
    nominal = ServoModelConfig()
    quick = replace(nominal, max_speed=errors.speed_factor * nominal.max_speed)
    if errors.play_deg is None:
        return dict.fromkeys(SERVO_IDS, quick)
    loose = replace(quick, backlash_ticks=math.radians(errors.play_deg) * TICKS_PER_RAD)
    bent = replace(quick, backlash_ticks=0.0)  # the world takes their play up by gravity
    return {i: quick if i == SERVO_IDS[-1] else loose if i in UNBENT else bent for i in SERVO_IDS}


def draw_camera(
    rng: np.random.Generator, desk: DeskConfig, camera: CameraConfig, R_world_base: FloatArray
) -> tuple[CameraConfig, float]:
    """The true camera, which stands as it does to the arm's base, and the distortion that is believed."""
    errors = desk.camera
    shift = MM * errors.position_mm * direction(rng)
    turn = exp_so3(math.radians(errors.turn_deg) * direction(rng))
    focal = 1.0 + 0.01 * errors.focal_percent * sign(rng)
    believed_k1 = errors.lens_k1 * (1.0 + 0.01 * errors.lens_k1_percent * sign(rng))
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


def draw_blocks(rng: np.random.Generator, errors: BlockErrors, believed: BlockSet) -> BlockSet:
    """The true blocks: their sizes, and how their markers are printed and glued."""
    small = 1.0 - 0.01 * errors.marker_small_percent
    return replace(believed, blocks=tuple(_block(rng, errors, block, small) for block in believed.blocks))


def _block(rng: np.random.Generator, errors: BlockErrors, block: Block, small: float) -> Block:
    faces = {}
    for face, marker in block.faces.items():
        angle = rng.uniform(-math.pi, math.pi)
        shift = MM * errors.glue_mm * np.array([math.cos(angle), math.sin(angle)])
        faces[face] = replace(
            marker, shift=(float(shift[0]), float(shift[1])), turn=math.radians(errors.glue_deg) * float(sign(rng))
        )
    return replace(
        block,
        faces=faces,
        size=block.size + MM * errors.size_mm * float(sign(rng)),
        marker_size=small * block.marker_size,
        label_size=small * block.label_size,
    )


def sign(rng: np.random.Generator) -> float:
    """One or the other way."""
    return float(rng.choice([-1.0, 1.0]))


def _signs(rng: np.random.Generator, count: int) -> FloatArray:
    return rng.choice([-1.0, 1.0], count)


def _triple(vector: FloatArray) -> tuple[float, float, float]:
    return float(vector[0]), float(vector[1]), float(vector[2])
