"""From pictures to a calibration file of a camera: collect, fit, hold out, compare with what is stored, write."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.calibration.camera import BoardView, CameraCalibration, calibrate_camera, coverage, view_errors
from dofbot_ros.calibration.fixed_camera import WORST_MM, check_fixed_camera, find_fixed_camera, table_errors
from dofbot_ros.calibration.store import Comparison, compare, replace
from dofbot_ros.calibration.targets.board_pictures import BoardFinder, pictures, sheet_markers
from dofbot_ros.core.clock import Clock
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CalibrationError
from dofbot_ros.vision.extrinsics import extrinsics_of, load_extrinsics, save_extrinsics
from dofbot_ros.vision.intrinsics import Intrinsics, load_intrinsics, save_intrinsics
from dofbot_ros.vision.markers.aruco import Marker

FOLDS = 4
WORST_PX = 0.6
"""Held-out error above which a lens is not taken [px]."""
MOST_PICTURES = 5000
MOST_OF_SHEET = 20
"""Pictures of the sheet that are averaged."""


def calibrate_from(
    source: str, clock: Clock, out: Path, *, views: int, force: bool, seen: Callable[[int, float, list[str]], None]
) -> dict[str, Any]:
    """Calibrate a lens from `source` and write `out`.

    Args:
        source: as for board_pictures.pictures.
        clock: paces and stamps the pictures.
        out: camera_info YAML.
        views: different pictures that are enough.
        force: also where the stored one is better.
        seen: is told how many pictures count so far, their coverage, and the sides that lack.

    Raises:
        CalibrationError: the pictures do not suffice, or the stored calibration is better.
    """
    finder, found, size = BoardFinder(), list[BoardView](), (0, 0)
    for name, image in islice(pictures(source, clock), MOST_PICTURES):
        here = (image.shape[1], image.shape[0])
        if size not in ((0, 0), here):
            raise CalibrationError(f"{name} has {here[0]}x{here[1]} pixels, those before {size[0]}x{size[1]}")
        size = here
        view = finder.find(name, image)
        if finder.is_new(view):
            found.append(view)
            seen(len(found), *coverage(found, size))
        if len(found) >= views:
            break
    whole = calibrate_camera(found, size)
    new, tested = _held_out(found, size)
    old = None
    if out.exists():
        stored = load_intrinsics(out, size)
        old = view_errors(stored, tested)
    compared = compare(new, old, np.random.default_rng(0))
    backup = replace(out, lambda path: save_intrinsics(whole.intrinsics, path), compared, WORST_PX, "px", force=force)
    return {**_lens(whole), **_compared(compared, "px"), "replaced": str(backup or "")}


def locate_from(source: str, clock: Clock, camera_info: Path, out: Path, force: bool) -> dict[str, Any]:
    """Find a fixed camera from pictures of the sheet and write `out`; raises like calibrate_from."""
    markers, intrinsics = _sheet(source, clock, camera_info)
    found = find_fixed_camera(markers, intrinsics)
    old = None
    if out.exists():
        order = [m for fold in range(4) for m in markers[fold::4]]
        old = table_errors(order, load_extrinsics(out).matrix, intrinsics)
    compared = compare(found.held_out_mm, old, np.random.default_rng(0))
    pose = extrinsics_of(found.T_base_camera, "base_link", intrinsics.frame)
    backup = replace(out, lambda path: save_extrinsics(pose, path), compared, WORST_MM, "mm", force=force)
    return {
        "markers": found.markers,
        "reprojection_px": found.reprojection_px,
        "position_m": list(pose.translation),
        "rotation_xyzw": list(pose.rotation),
        **_compared(compared, "mm"),
        "replaced": str(backup or ""),
    }


def check_from(source: str, clock: Clock, camera_info: Path, camera_pose: Path) -> dict[str, Any]:
    """Compare a stored camera pose with pictures of the sheet; raises CalibrationError where they do not show it.

    A pose that holds has its file's time renewed: a localiser that noticed a move looks at that (ros/camera/watch.py).
    """
    markers, intrinsics = _sheet(source, clock, camera_info)
    found = check_fixed_camera(markers, load_extrinsics(camera_pose).matrix, intrinsics)
    if found.holds:
        camera_pose.touch()
    return dataclasses.asdict(found)


def _sheet(source: str, clock: Clock, camera_info: Path) -> tuple[list[Marker], Intrinsics]:
    images = [image for _, image in islice(pictures(source, clock), MOST_OF_SHEET)]
    if not images:
        raise CalibrationError(f"{source} gives no picture")
    return sheet_markers(images), load_intrinsics(camera_info, (images[0].shape[1], images[0].shape[0]))


def _held_out(views: list[BoardView], size: tuple[int, int]) -> tuple[FloatArray, list[BoardView]]:
    """Errors of each picture when it was left out [px], and the pictures in that order."""
    errors, tested = [], []
    for fold in range(FOLDS):
        test = views[fold::FOLDS]
        kept = [v for i, v in enumerate(views) if i % FOLDS != fold]
        errors.append(view_errors(calibrate_camera(kept, size, few=True).intrinsics, test))
        tested += test
    return np.concatenate(errors), tested


def _lens(found: CameraCalibration) -> dict[str, Any]:
    K = found.intrinsics.K
    return {
        "pictures": found.views,
        "coverage": found.coverage,
        "tilt_deg": found.tilt_deg,
        "rms_px": found.rms_px,
        "focal_px": [float(K[0, 0]), float(K[1, 1])],
        "focal_sigma_px": found.sigma[:2].tolist(),
        "centre_px": [float(K[0, 2]), float(K[1, 2])],
        "distortion": found.intrinsics.distortion.tolist(),
    }


def _compared(found: Comparison, unit: str) -> dict[str, Any]:
    return {f"held_out_{unit}": found.new, f"interval_{unit}": list(found.interval), f"stored_{unit}": found.old}
