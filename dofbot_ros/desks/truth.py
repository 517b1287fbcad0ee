"""How far a calibration is from what is true of a simulated installation."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration, calibration_of
from dofbot_ros.core.transforms import invert, log_so3
from dofbot_ros.core.types import ARM_JOINTS, FloatArray
from dofbot_ros.desks.installation import Installation, calibrated
from dofbot_ros.vision.extrinsics import load_extrinsics


def compared_with_truth(installation: Installation, arm: Path, camera_pose: Path) -> dict[str, Any]:
    """What calibration files are off, and what the installation's software was off that was not calibrated.

    Args:
        installation: what is true, and what was believed.
        arm: calibration of the arm (YAML).
        camera_pose: pose of the camera (YAML).

    Returns:
        `zeros_deg` by joint, `base_height_mm`, `hand_eye_mm`, `hand_eye_deg`, and `before`: the same of the belief.
    """
    true = calibrated(installation).belief
    found = _off(calibration_of(str(arm)), load_extrinsics(camera_pose).matrix, true.calibration, true.T_base_camera)
    believed = installation.belief
    return {**found, "before": _off(DEFAULT_CALIBRATION, believed.T_base_camera, true.calibration, true.T_base_camera)}


def _off(arm: Calibration, T_base_camera: FloatArray, true: Calibration, T_true: FloatArray) -> dict[str, Any]:
    apart = invert(T_true) @ T_base_camera
    # Where the arm believes to stand while it truly stands upright.
    believed = arm.ticks_to_rad(true.rad_to_ticks(np.zeros(len(ARM_JOINTS) + 1)))
    return {
        "zeros_deg": {name: abs(math.degrees(float(q))) for name, q in zip(ARM_JOINTS, believed, strict=False)},
        "base_height_mm": 1e3 * abs(arm.base_height_m - true.base_height_m),
        "hand_eye_mm": 1e3 * float(np.linalg.norm(apart[:3, 3])),
        "hand_eye_deg": math.degrees(float(np.linalg.norm(log_so3(apart[:3, :3])))),
    }
