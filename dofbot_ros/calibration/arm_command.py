"""From a session file to calibration files of arm and camera, and to what it tells of the table."""

from __future__ import annotations

import dataclasses
from math import degrees
from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.arm.calibration import calibration_of
from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.arm.robot import load_robot
from dofbot_ros.calibration.arm_fit import NEEDED, NOISE, SIGMA, ArmFit, fit_arm, lens_prior
from dofbot_ros.calibration.fitting.chain import ArmGeometry
from dofbot_ros.calibration.fitting.observability import weakest
from dofbot_ros.calibration.plan_poses import Rig, plan
from dofbot_ros.calibration.session import load_session
from dofbot_ros.calibration.store import compare, replace
from dofbot_ros.calibration.targets.block_in_hand import FACES, block_scene
from dofbot_ros.config.loader import save_yaml
from dofbot_ros.core.types import ARM_JOINTS
from dofbot_ros.vision.extrinsics import extrinsics_of, load_extrinsics, save_extrinsics
from dofbot_ros.vision.intrinsics import load_intrinsics
from dofbot_ros.vision.markers.block_layout import load_blocks

WORST_MM = 5.0
"""Held-out error above which an arm's calibration is not taken [mm]."""


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Files of one fit.

    Attributes:
        session: what was recorded.
        camera_info: the calibrated lens.
        camera_pose: the camera's pose so far.
        calibration: the arm's calibration so far; "": the vendor's.
        blocks: block set; None: the shipped one.
    """

    session: Path
    camera_info: Path
    camera_pose: Path
    calibration: str = ""
    blocks: Path | None = None


def fit_files(inputs: Inputs) -> ArmFit:
    """Fit what the files hold; raises ConfigError and CalibrationError with the file's name."""
    session = load_session(inputs.session)
    lens = load_intrinsics(inputs.camera_info, session.image_size)
    camera = load_extrinsics(inputs.camera_pose).matrix
    return fit_arm(session, load_blocks(inputs.blocks), calibration_of(inputs.calibration), camera, lens)


def calibrate_servos(inputs: Inputs, out: Path, out_pose: Path, *, force: bool = False) -> dict[str, Any]:
    """Fit, and write the arm's calibration and the camera's pose where they are better than what was stored."""
    found = fit_files(inputs)
    compared = compare(found.held_out_mm, found.stored_mm, np.random.default_rng(0))
    pose = extrinsics_of(found.T_base_camera, "base_link", load_extrinsics(inputs.camera_pose).frame)
    backups = (
        replace(out, lambda path: save_yaml(found.calibration, path), compared, WORST_MM, "mm", force=force),
        replace(out_pose, lambda path: save_extrinsics(pose, path), compared, WORST_MM, "mm", force=force),
    )
    r = found.result
    return {
        "zeros_deg": {j: degrees(r.value(f"{j}.zero")) for j in ARM_JOINTS},
        "zeros_sigma_deg": {j: degrees(r.sigma_of(f"{j}.zero")) for j in ARM_JOINTS},
        "scales": {j: r.value(f"{j}.scale") for j in ARM_JOINTS},
        "play_deg": {j: 2 * degrees(r.value(f"{j}.play")) for j in ARM_JOINTS},
        "base_height_mm": 1e3 * r.value("base_height"),
        "base_height_sigma_mm": 1e3 * r.sigma_of("base_height"),
        "camera_moved_mm": [1e3 * r.value(f"camera.{axis}") for axis in "xyz"],
        "camera_turned_deg": [degrees(r.value(f"camera.r{axis}")) for axis in "xyz"],
        "least_eigenvalue": found.least_eigenvalue,
        "held_out_mm": compared.new,
        "interval_mm": list(compared.interval),
        "stored_mm": compared.old,
        "replaced": [str(b) for b in backups if b is not None],
    }


def measure_table(inputs: Inputs) -> dict[str, Any]:
    """Where the table is against the arm: shoulder height, and the sheet's height and tilt in base_link."""
    r = fit_files(inputs).result
    return {
        "base_height_mm": 1e3 * r.value("base_height"),
        "base_height_sigma_mm": 1e3 * r.sigma_of("base_height"),
        "sheet_height_mm": 1e3 * r.value("sheet.z"),
        "sheet_height_sigma_mm": 1e3 * r.sigma_of("sheet.z"),
        "tilt_deg": [degrees(r.value(f"sheet.r{axis}")) for axis in "xy"],
        "tilt_sigma_deg": [degrees(r.sigma_of(f"sheet.r{axis}")) for axis in "xy"],
        "print_scale": 1.0 + r.value("sheet.size"),
    }


def plan_for(
    camera_info: Path, camera_pose: Path, calibration: str, held: str, *, poses: int, seed: int
) -> dict[str, Any]:
    """Poses for a session, in the order of visits: joint angles [rad] and what each should show."""
    kinematics, block = load_robot(calibration).kinematics, load_blocks().block(held)
    lens = load_intrinsics(camera_info)
    scene = block_scene(
        ArmGeometry.nominal(kinematics), SIGMA, lens_prior(lens), load_extrinsics(camera_pose).matrix, block
    )
    rig = Rig(load_robot(calibration), scene, lens.size, block.marker_size, gap_to_joint(block.size), NOISE)
    planned = plan(rig, poses, np.random.default_rng(seed))
    name, least = weakest(scene.parameters, planned.information, NEEDED)
    return {
        "poses_rad": [[*map(float, q), rig.grip] for q in planned.q],
        "shows": [[FACES[i] for i in np.flatnonzero(row)] for row in planned.visible],
        "least_eigenvalue": least,
        "weakest": name,
    }
