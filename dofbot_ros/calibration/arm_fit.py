"""From a recorded session to the arm's calibration and the camera's pose, with the held-out error of both."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dofbot_ros.arm.calibration import Calibration, ServoCalibration
from dofbot_ros.arm.robot import Robot
from dofbot_ros.calibration.fitting.bundle import BundleResult, Noise, solve
from dofbot_ros.calibration.fitting.chain import ArmGeometry
from dofbot_ros.calibration.fitting.observability import check
from dofbot_ros.calibration.observations import Observations
from dofbot_ros.calibration.priors import ArmSigma
from dofbot_ros.calibration.scene import Scene
from dofbot_ros.calibration.session import Session
from dofbot_ros.calibration.targets.block_in_hand import block_scene
from dofbot_ros.core.types import ARM_JOINTS, FloatArray
from dofbot_ros.errors import CalibrationError
from dofbot_ros.vision.intrinsics import Intrinsics
from dofbot_ros.vision.markers.block_layout import BlockSet

SIGMA = ArmSigma(play=math.radians(0.75), flex=math.radians(0.5), base_height=0.006)
"""How well an arm is known that was never calibrated."""
KNOWN = ArmSigma(zero=1e-7, scale=1e-7, turn=1e-7, base_height=1e-7, link=1e-7, tool=1e-7, play=1e-7, flex=1e-7)
"""Nothing is left open: what is stored is taken at its word."""
NOISE = Noise(0.4, math.radians(0.15))
LENS_SIGMA = {"focal": 0.003, "centre": 1.0, "k1": 0.005, "k2": 0.005}
"""Of a lens that was calibrated from a board: relative, [px], 1, 1."""

NEEDED: Mapping[str, float] = {
    **{f"{joint}.zero": math.radians(1.0) for joint in ARM_JOINTS[1:4]},
    "base_height": 0.004,
    **{f"camera.{axis}": 0.004 for axis in "xyz"},
    **{f"camera.r{axis}": math.radians(0.6) for axis in "xyz"},
}
"""What a calibration has to find -> the standard deviation that will do [rad, m].

Of the zeros it is large because a zero and half the play are one thing where gravity always pulls to one side; where
the tool is does not depend on which of the two it is.
"""
MIN_VIEWS = 12
FOLDS = 4


@dataclass(frozen=True, eq=False)
class ArmFit:
    """A calibrated arm and camera.

    Attributes:
        calibration: zeros, scales and base height.
        T_base_camera: the camera's optical frame in base_link, shape (4, 4) [m].
        result: all unknowns with their deviations.
        least_eigenvalue: of the information about what is needed (observability.weakest).
        held_out_mm: of each left-out view, between where the block should be and where it was seen, shape (v,) [mm].
        stored_mm: the same with what was stored before, shape (v,) [mm].
    """

    calibration: Calibration
    T_base_camera: FloatArray
    result: BundleResult
    least_eigenvalue: float
    held_out_mm: FloatArray
    stored_mm: FloatArray


def fit_arm(
    session: Session, blocks: BlockSet, stored: Calibration, T_base_camera: FloatArray, intrinsics: Intrinsics
) -> ArmFit:
    """Fit arm and camera to a session.

    Args:
        session: the recorded views.
        blocks: the held one is among them.
        stored: the calibration so far, that of the vendor for instance.
        T_base_camera: the camera's pose so far, shape (4, 4) [m].
        intrinsics: of the camera, calibrated.

    Raises:
        CalibrationError: too few views, or a motion that leaves an unknown open.
    """
    scene, seen = arm_problem(session, blocks, stored, T_base_camera, intrinsics)
    count = len(np.unique(seen.view))
    if count < MIN_VIEWS:
        raise CalibrationError(f"{count} views show the block or the sheet, {MIN_VIEWS} are needed")
    result = solve(scene, seen, NOISE)
    least = check(result.parameters, result.information, NEEDED)
    exact = {name: (value, 1e-7) for name, (value, _) in lens_prior(intrinsics).items()}
    arm = ArmGeometry.nominal(Robot.calibrated(stored).kinematics)
    block = blocks.block(session.held)
    fixed = block_scene(arm, KNOWN, exact, T_base_camera, block, camera_sigma=np.full(6, 1e-7))
    return ArmFit(
        corrected(stored, result),
        scene.pose(result.x, scene.mount),
        result,
        least,
        _held_out(scene, seen, result.x),
        _held_out(fixed, seen, fixed.parameters.nominal),
    )


def arm_problem(
    session: Session, blocks: BlockSet, stored: Calibration, T_base_camera: FloatArray, intrinsics: Intrinsics
) -> tuple[Scene, Observations]:
    """The unknowns of fit_arm, and the session's views as measurements; arguments as there."""
    kinematics, block = Robot.calibrated(stored).kinematics, blocks.block(session.held)
    scene = block_scene(ArmGeometry.nominal(kinematics), SIGMA, lens_prior(intrinsics), T_base_camera, block)
    return scene, session.observations(stored, kinematics, block)


def corrected(stored: Calibration, found: BundleResult) -> Calibration:
    """`stored` with the zeros, scales and base height that were found.

    A joint that reads q stands at (1 + scale) q + zero, so ticks_per_degree is divided by 1 + scale, and the tick of
    joint angle 0 moves by the zero.

    Raises:
        CalibrationError: no DofBot has such numbers.
    """
    changed: dict[str, Any] = {}
    for joint in ARM_JOINTS:
        servo: ServoCalibration = getattr(stored, joint)
        scale = servo.ticks_per_degree / (1.0 + found.value(f"{joint}.scale"))
        zero = servo.zero_ticks - servo.sign * scale * math.degrees(found.value(f"{joint}.zero"))
        changed[joint] = replace(servo, zero_ticks=round(zero), ticks_per_degree=scale)
    return replace(stored, base_height_m=found.value("base_height"), **changed)


def _held_out(scene: Scene, seen: Observations, start: FloatArray) -> FloatArray:
    """Median error of each view with the arm in it when its fold was left out, shape (v,) [mm]."""
    errors: list[float] = []
    held = [v for v in range(len(seen.read)) if np.any(seen.target[seen.view == v] < len(scene.targets) - 1)]
    for fold in range(FOLDS):
        left = held[fold::FOLDS]
        kept = [v for v in range(len(seen.read)) if v not in left]
        x = solve(scene, seen.of_views(kept), NOISE, start).x
        test = seen.of_views(left)
        fx, fy = scene.lens(x)[:2]
        metres_per_px = scene.optical(x, test)[:, 2] / math.sqrt(fx * fy)
        off = 1e3 * metres_per_px * np.linalg.norm(scene.predict(x, test) - test.pixels, axis=1)
        mine = test.target < len(scene.targets) - 1
        errors += [float(np.median(off[mine & (test.view == v)])) for v in range(len(left))]
    return np.array(errors)


def lens_prior(intrinsics: Intrinsics) -> dict[str, tuple[float, float]]:
    """Value and deviation of each of scene.CAMERA, of a lens that was calibrated from a board."""
    K, lens = intrinsics.K, intrinsics.distortion
    return {
        "focal_x": (float(K[0, 0]), LENS_SIGMA["focal"] * float(K[0, 0])),
        "focal_y": (float(K[1, 1]), LENS_SIGMA["focal"] * float(K[1, 1])),
        "centre_x": (float(K[0, 2]), LENS_SIGMA["centre"]),
        "centre_y": (float(K[1, 2]), LENS_SIGMA["centre"]),
        "k1": (float(lens[0]), LENS_SIGMA["k1"]),
        "k2": (float(lens[1]), LENS_SIGMA["k2"]),
    }
