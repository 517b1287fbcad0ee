"""Where the fingers are on the hand, from its outline in pictures of a fixed camera.

The arm shows its hand at several rolls, slants and gaps. What is wrong with the arm or the camera moves the whole hand;
what is wrong with the fingers moves them against it, and turns with the roll. One fit of the outline holds both apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.model import at_base_height, load_model, with_fingers
from dofbot_ros.core.types import N_ARM, FloatArray, ImageArray, ToolPose
from dofbot_ros.errors import CalibrationError, UnreachableError
from dofbot_ros.grasp.sight.edges import edge_offsets, foreground
from dofbot_ros.grasp.sight.fit import (
    EDGE,
    FINGERS,
    PADS,
    ArmView,
    OutlineCamera,
    OutlineFit,
    Spread,
    expected,
    fit_outline,
)
from dofbot_ros.grasp.sight.registration import usable_beside
from dofbot_ros.grasp.sight.silhouette import ArmShapes

PITCHES = (1.75, 2.1, 2.5)
"""Of the tool from straight up [rad]: from above, a flat hand tells the fingers' length, a steep one their sides."""
SHOWN = ((-0.5, -1.5), (0.5, 0.0), (0.0, 1.5), (-0.3, 3.0), (0.3, 0.8), (0.1, 0.0))
"""Azimuth and roll that each slant is shown at [rad]."""
HEIGHTS, RADII = (0.10, 0.12, 0.15, 0.18, 0.21), (0.20, 0.22, 0.24, 0.26, 0.18, 0.28)
"""Places of the tool that are tried in turn for each [m]."""
GAPS = (0.055, 0.030, 0.012)
"""Of the fingers, in turn [m]."""
REACHES_PX = (12, 12, 10, 8, 6, 6)
HELD_OUT_REACH_PX = 10
FOLDS = 4
LEAST_VIEWS, LEAST_FOUND = 8, 0.3
SPREAD = Spread(
    zero=math.radians(0.5), base_height=0.0015, shift=0.002, turn=math.radians(0.3), focal=0.003,
    fingers=0.003, grip_zero=math.radians(0.2), edge=1.0,
)  # fmt: skip
"""After `calibrate all`, and after the gap was measured by touch."""


@dataclass(frozen=True, eq=False)
class FingerFit:
    """Where the fingers are.

    Attributes:
        across, along: off their drawn place [m], see Calibration.
        sigma: standard deviations of both [m], shape (2,).
        held_out_mm: mean distance of the fingers' edges in each view from where they are expected when it was left out,
            shape (v,) [mm].
        stored_mm: the same with the fingers where they were believed [mm].
        fit: of the whole outline.
    """

    across: float
    along: float
    sigma: FloatArray
    held_out_mm: FloatArray
    stored_mm: FloatArray
    fit: OutlineFit


def hand_poses(kinematics: Kinematics) -> list[FloatArray]:
    """Joint angles (6,) [rad] at which the hand is shown, those that the arm reaches."""
    poses: list[FloatArray] = []
    for pitch in PITCHES:
        for azimuth, roll in SHOWN:
            q = _reached(kinematics, azimuth, pitch, roll)
            if q is not None:
                poses.append(np.append(q, gap_to_joint(GAPS[len(poses) % len(GAPS)])))
    return poses


def _reached(kinematics: Kinematics, azimuth: float, pitch: float, roll: float) -> FloatArray | None:
    for z in HEIGHTS:
        for r in RADII:
            try:
                goal = ToolPose(r * math.cos(azimuth), r * math.sin(azimuth), z, pitch, roll)
                return kinematics.solve(goal, near=np.zeros(N_ARM))
            except UnreachableError:
                continue
    return None


class HandViews:
    """Collects pictures of the hand.

    Args:
        kinematics: of the arm as believed, its fingers too.
        camera: as believed.
    """

    def __init__(self, kinematics: Kinematics, camera: OutlineCamera) -> None:
        self._kinematics, self._camera = kinematics, camera
        drawn = with_fingers(load_model(), kinematics.finger_across, kinematics.finger_along)
        self._shapes = ArmShapes(at_base_height(drawn, kinematics.base_height))
        self._views: list[ArmView] = []

    def take(self, bare: ImageArray, upright: FloatArray, image: ImageArray, q: FloatArray) -> None:
        """Add a view; arguments as Registrar.take."""
        usable = usable_beside(self._shapes, self._camera, upright)
        self._views.append(ArmView(q, foreground(bare, image, most=np.inf), usable))

    def fit(self, done: Callable[[int], None] = lambda _: None) -> FingerFit:
        """Fit all views, and each fold by the others.

        Args:
            done: is told how many of 1 + FOLDS fits are done.

        Raises:
            CalibrationError: too few views, or the hand is hardly seen in them.
        """
        if len(self._views) < LEAST_VIEWS:
            raise CalibrationError(f"{len(self._views)} views of the hand, {LEAST_VIEWS} are needed")
        found = self._fitted(self._views)
        done(1)
        if found.found < LEAST_FOUND:
            raise CalibrationError(
                f"only {100 * found.found:.0f} % of the hand's outline was found: it needs more light, or another table"
            )
        errors: list[tuple[float, float]] = []
        for fold in range(FOLDS):
            rest = [v for i, v in enumerate(self._views) if i % FOLDS != fold]
            x = self._fitted(rest, found.x).x
            believed = x.copy()
            believed[FINGERS] = 0.0
            errors += [(self._error_mm(v, x), self._error_mm(v, believed)) for v in self._views[fold::FOLDS]]
            done(2 + fold)
        new, old = np.array(errors).T
        across, along = found.x[FINGERS]
        k = self._kinematics
        sigma = np.sqrt(np.diag(found.covariance)[FINGERS])
        return FingerFit(k.finger_across + float(across), k.finger_along + float(along), sigma, new, old, found)

    def _fitted(self, views: Sequence[ArmView], start: FloatArray | None = None) -> OutlineFit:
        reaches = REACHES_PX if start is None else REACHES_PX[-2:]
        return fit_outline(self._shapes, self._camera, views, SPREAD, reaches=reaches, sharp=True, start=start)

    def _error_mm(self, view: ArmView, x: FloatArray) -> float:
        """Mean distance of the fingers' edges from where the unknowns put them [mm]; nan where none is found."""
        seen = expected(self._shapes, self._camera, view, x, sharp=True)
        mine = np.isin(seen.link, [self._shapes.links.index(link) for link in PADS])
        seen = replace(seen, **{name: getattr(seen, name)[mine] for name in ("link", "local", "pixels", "normals")})
        offset, found = edge_offsets(view.shown, seen, HELD_OUT_REACH_PX)
        height = float(self._camera.T_base_camera[2, 3]) - self._kinematics.forward(view.q[:N_ARM]).z
        mm_per_px = 1e3 * height / self._camera.intrinsics.focal_px
        return mm_per_px * float(np.abs(offset[found] - x[EDGE]).mean()) if found.any() else math.nan
