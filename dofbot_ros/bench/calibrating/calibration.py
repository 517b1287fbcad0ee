"""Calibrates arms whose hidden errors are those of a typical desk, and compares what was found with what is true."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dofbot_ros.bench.calibrating.hidden_arms import board_views, draw, observe, typical_rig, typical_scene
from dofbot_ros.calibration import arm_fit
from dofbot_ros.calibration.camera import BoardView, calibrate_camera
from dofbot_ros.calibration.fitting.bundle import BundleResult, solve
from dofbot_ros.calibration.fitting.chain import tool_poses
from dofbot_ros.calibration.fitting.observability import check, weakest
from dofbot_ros.calibration.observations import Observations, joined
from dofbot_ros.calibration.plan_poses import Rig, plan
from dofbot_ros.calibration.scene import CAMERA, Scene
from dofbot_ros.core.transforms import log_so3
from dofbot_ros.core.types import ARM_JOINTS, FloatArray
from dofbot_ros.errors import CalibrationError

MOST_ROUNDS = 3
"""Of poses after the first, each of half as many as are asked for."""

NEEDED = {
    **{f"{joint}.zero": math.radians(0.6) for joint in ARM_JOINTS[1:4]},
    **{f"focal_{axis}": 4.0 for axis in "xy"},
    "base_height": 0.004,
    **{f"camera.{axis}": 0.004 for axis in "xyz"},
    **{f"camera.r{axis}": math.radians(0.6) for axis in "xyz"},
}
"""What further poses are planned for -> the standard deviation that will do [rad, px, m]."""


@dataclass(frozen=True)
class Errors:
    """How far one calibration is off.

    Attributes:
        focal: relative.
        position_mm: of the camera in base_link.
        rotation_deg: likewise.
        zeros_deg: of each joint.
        base_height_mm: of joint 2 above the table.
        poses: how many were needed.
        before_mm: of the camera, before the calibration.
        tool_mm: distance between where the camera and the arm put the tool, over the poses, root mean square.
        tool_before_mm: the same with what was believed before.
    """

    focal: float
    position_mm: float
    rotation_deg: float
    zeros_deg: tuple[float, ...]
    base_height_mm: float
    poses: int
    before_mm: float
    tool_mm: float
    tool_before_mm: float


def measure(seeds: int, poses: int, first: int = 0) -> Iterator[dict[str, Any]]:
    """Calibrate one arm after the other, from seed `first` on; yields the summary of all so far after each.

    `refused` are the arms, by seed, that no more poses could tell enough of: nothing would be written for them.
    """
    rig = typical_rig()
    found: list[Errors] = []
    refused: dict[str, str] = {}
    for seed in range(first, first + seeds):
        try:
            found.append(calibrate(rig, poses, seed))
        except CalibrationError as error:
            refused[str(seed)] = str(error)
        if found:
            yield {**summary(found), "refused": refused}


def calibrate(rig: Rig, poses: int, seed: int) -> Errors:
    """Draw an arm; calibrate lens, then arm and camera from half the poses, then from poses planned with that.

    While some unknown is open still, further poses are planned.

    Raises:
        CalibrationError: MOST_ROUNDS of poses leave an unknown open by which `dofbot calibrate` refuses an arm.
    """
    rng = np.random.default_rng(seed)
    truth = draw(rig.scene, rng)
    rig = replace(rig, scene=with_lens(rig, board_views(rig, truth, rng)))
    first = plan(rig, poses // 2, rng)
    seen = observe(rig, first, truth, rng, sheets=rig.sheet_pictures)
    result = solve(rig.scene, seen, rig.noise)
    for _ in range(MOST_ROUNDS):
        more = plan(rig, poses - poses // 2, rng, result)
        seen = joined(seen, observe(rig, more, truth, rng, sheets=0))
        result = solve(rig.scene, seen, rig.noise, result.x)
        if weakest(result.parameters, result.information, NEEDED)[1] >= 1.0:
            break
    check(result.parameters, result.information, arm_fit.NEEDED)
    return compare(rig.scene, truth, result, seen)


def with_lens(rig: Rig, views: list[BoardView]) -> Scene:
    """The scene of `rig` with the lens that pictures of a board tell, as precisely as they tell it."""
    found = calibrate_camera(views, rig.size)
    K, lens = found.intrinsics.K, found.intrinsics.distortion
    values = (K[0, 0], K[1, 1], K[0, 2], K[1, 2], lens[0], lens[1])
    prior = {n: (float(v), float(s)) for n, v, s in zip(CAMERA, values, found.sigma, strict=True)}
    return typical_scene(prior)


def compare(scene: Scene, truth: FloatArray, found: BundleResult, seen: Observations) -> Errors:
    """The differences between a calibration and the truth."""
    names = scene.parameters
    off = found.x - truth
    nominal = names.nominal
    true, mine, believed = (scene.pose(x, scene.mount) for x in (truth, found.x, nominal))
    focal = [math.sqrt(names.value(x, "focal_x") * names.value(x, "focal_y")) for x in (found.x, truth)]
    return Errors(
        abs(focal[0] / focal[1] - 1.0),
        1e3 * float(np.linalg.norm(mine[:3, 3] - true[:3, 3])),
        math.degrees(float(np.linalg.norm(log_so3(mine[:3, :3].T @ true[:3, :3])))),
        tuple(abs(math.degrees(off[names.index(f"{joint}.zero")])) for joint in ARM_JOINTS),
        1e3 * abs(float(off[names.index("base_height")])),
        int(np.count_nonzero(seen.read.any(axis=1))),
        1e3 * float(np.linalg.norm(believed[:3, 3] - true[:3, 3])),
        _tool_mm(scene, truth, found.x, seen),
        _tool_mm(scene, truth, nominal, seen),
    )


def _tool_mm(scene: Scene, truth: FloatArray, x: FloatArray, seen: Observations) -> float:
    """How far apart the true and the believed tool are in the camera's frame, over all views, root mean square [mm]."""
    places = []
    for values in (truth, x):
        camera = scene.pose(values, scene.mount)
        tool = tool_poses(scene.arm(values), scene.joints(values, seen))[:, :3, 3]
        places.append((tool - camera[:3, 3]) @ camera[:3, :3])
    return 1e3 * float(np.sqrt(np.mean(np.sum((places[0] - places[1]) ** 2, axis=1))))


def summary(found: list[Errors]) -> dict[str, Any]:
    """Median and maximum of each error over all arms so far."""

    def both(values: list[float]) -> dict[str, float]:
        return {"median": float(np.median(values)), "max": float(np.max(values))}

    zeros = np.array([e.zeros_deg for e in found])
    return {
        "seeds": len(found),
        "focal_percent": both([100 * e.focal for e in found]),
        "hand_eye_mm": both([e.position_mm for e in found]),
        "hand_eye_deg": both([e.rotation_deg for e in found]),
        "zeros_deg": {joint: both(zeros[:, i].tolist()) for i, joint in enumerate(ARM_JOINTS)},
        "base_height_mm": both([e.base_height_mm for e in found]),
        "poses": both([float(e.poses) for e in found]),
        "tool_mm": both([e.tool_mm for e in found]),
        "tool_before_mm": both([e.tool_before_mm for e in found]),
    }
