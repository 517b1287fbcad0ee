"""The arm shows itself to a fixed camera, and learns from its outline where hand and camera are apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.arm.model import at_base_height, load_model, with_fingers
from dofbot_ros.core.types import N_ARM, BoolArray, FloatArray, ImageArray
from dofbot_ros.grasp.planning.tilt_band import TiltBand
from dofbot_ros.grasp.sight.edges import foreground
from dofbot_ros.grasp.sight.fit import (
    HEIGHT,
    ZEROS,
    ArmView,
    OutlineCamera,
    OutlineFit,
    arm_mask,
    expected,
    fit_outline,
)
from dofbot_ros.grasp.sight.silhouette import ArmShapes

SHOWN_AT = ((0.19, -0.6, 0.10), (0.19, 0.6, 0.10), (0.19, 0.0, 0.10))
"""Where the hand is looked at: distance from joint 1 [m], azimuth [rad], height [m], above whatever lies there."""
BAND = 0.5
CLEAR_PX = 20
"""Kept from where the arm stands in the bare picture [px]: what it covers there is no table."""
LEAST_FOUND, LEAST_EDGES, MOST_RMS_PX = 0.3, 80, 4.0
"""A fit with a smaller share of its outline, fewer edges, or larger residuals is not believed."""
AGREE_M = 0.005
"""Hand and camera that are apart by less than this are left as they are: a grasp bears it [m]."""
SPARE_M = 0.004
"""The hand's height is known less well than its place: it is kept this much higher than it was found to be [m]. It is
corrected upwards only: a hand that is too low hits the table, one that is too high still holds what it grasps."""
HIGHEST_M = 0.030
"""Corrections are bounded by this [m]: more is no error of a desk, but of the fit."""
GRASP_Z = 0.020
REACH_M = (0.16, 0.25)
SPOTS = tuple((r * math.cos(a), r * math.sin(a)) for r in REACH_M for a in (-0.8, 0.0, 0.8))
"""Where on the table it is asked whether hand and camera agree, x, y [m]."""


def shown_poses(kinematics: Kinematics, at: Sequence[tuple[float, float, float]] = SHOWN_AT) -> list[FloatArray]:
    """Joint angles (5,) [rad] at which the hand is looked at, those that the arm reaches."""
    bands = TiltBand(kinematics, math.radians(1.0))
    columns = [bands.column(r * math.cos(a), r * math.sin(a), (z, z), BAND, 0.0) for r, a, z in at]
    return [column[0] for column in columns if column is not None]


@dataclass(frozen=True, eq=False)
class Registration:
    """Where hand and camera are, told from the arm's outline.

    Attributes:
        fit: of the outline.
        camera: as believed.
        kinematics: of the arm as believed.
    """

    fit: OutlineFit
    camera: OutlineCamera
    kinematics: Kinematics

    @property
    def refusal(self) -> str:
        """Why the fit is not believed; "" where it is."""
        fit = self.fit
        if fit.edges < LEAST_EDGES or fit.found < LEAST_FOUND:
            return f"only {fit.edges} edges of the arm were found, {100 * fit.found:.0f} % of its outline"
        if fit.rms_px > MOST_RMS_PX:
            return f"the arm's outline is {fit.rms_px:.1f} px off any pose of the drawn arm (limit {MOST_RMS_PX:g})"
        if self.apart() > HIGHEST_M:
            return f"hand and camera would be {1e3 * self.apart():.0f} mm apart (limit {1e3 * HIGHEST_M:.0f})"
        return ""

    @property
    def needed(self) -> bool:
        """Whether the correction is believed, and more than what a grasp bears anyway."""
        return not self.refusal and self.apart() > AGREE_M

    def apart(self) -> float:
        """Most that a hand that goes for where the camera sees a spot is beside or below it, on SPOTS [m]."""
        gaps = [self._gap(x, y) for x, y in SPOTS]
        return max(max(math.hypot(gap[0], gap[1]), -float(gap[2])) for gap in gaps)

    def moved_since(self, earlier: Registration) -> float:
        """Largest change of what a hand is told for a spot that is seen, on SPOTS [m]; 0 where one is not believed."""
        if self.refusal or earlier.refusal:
            return 0.0
        return max(float(np.linalg.norm((self._gap(x, y) - earlier._gap(x, y))[:2])) for x, y in SPOTS)

    def seen(self, T_base_block: FloatArray) -> FloatArray:
        """A localised block's pose (4, 4) [m] as the corrected camera sees it: moved and turned at its height."""
        T = T_base_block.copy()
        ahead = T[:3, 3] + (0.01, 0.0, 0.0)
        first, second = self.moved(T[:3, 3]), self.moved(ahead)
        turn = math.atan2(second[1] - first[1], second[0] - first[0])
        c, s = math.cos(turn), math.sin(turn)
        T[:3, :3] = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]) @ T[:3, :3]
        T[:3, 3] = first
        return T

    def told(self, x: float, y: float, yaw: float) -> tuple[float, float, float]:
        """What the hand is to be told so that it truly closes at x, y [m] with the closing line at `yaw` [rad].

        The tool leans outward: one that stands higher than it is told meets the height of a grasp further in.
        """
        off, turn = self.hand_off(x, y)
        outward = float(off[2]) * math.tan(self._tilt(x, y)) / math.hypot(x, y)
        return x - float(off[0]) - outward * x, y - float(off[1]) - outward * y, yaw - turn

    def raised(self, x: float, y: float) -> float:
        """How much higher than planned the hand is to be told to close there, so that it clears the table [m]."""
        return max(0.0, SPARE_M - float(self.hand_off(x, y)[0][2]))

    def hand_off(self, x: float, y: float) -> tuple[FloatArray, float]:
        """Where the hand truly is less where it is told to be, (3,) [m], and its yaw likewise [rad]."""
        q = self._joints(x, y, GRASP_Z)
        told = self.kinematics.tool_transform(q)
        true = self.kinematics.tool_transform(q + self.fit.x[ZEROS])
        off = true[:3, 3] - told[:3, 3]
        off[2] += self.fit.x[HEIGHT]
        yaws = [math.atan2(T[1, 1], T[0, 1]) for T in (told, true)]
        return off, math.remainder(yaws[1] - yaws[0], math.pi)

    def _joints(self, x: float, y: float, z: float) -> FloatArray:
        """Joint angles (5,) [rad] of the tool there, or at the nearest radius that is well within reach."""
        bands, azimuth, radius = TiltBand(self.kinematics, math.radians(1.0)), math.atan2(y, x), math.hypot(x, y)
        for r in (radius, min(max(radius, REACH_M[0]), REACH_M[1])):
            column = bands.column(r * math.cos(azimuth), r * math.sin(azimuth), (z, z), BAND, 0.0)
            if column is not None:
                return np.asarray(column[0])
        return np.zeros(N_ARM)

    def _tilt(self, x: float, y: float) -> float:
        return self.kinematics.forward(self._joints(x, y, GRASP_Z)).tilt

    def _gap(self, x: float, y: float) -> FloatArray:
        """How a command for a spot that is seen there changes, horizontally, and the hand's height (3,) [m]."""
        moved = self.moved(np.array([x, y, GRASP_Z])) - (x, y, GRASP_Z)
        off, _ = self.hand_off(x, y)
        return np.array([moved[0] - off[0], moved[1] - off[1], off[2]])

    def moved(self, point: FloatArray) -> FloatArray:
        """A point (3,) [m] that the believed camera sees there, at its height as the corrected one sees it."""
        none = np.zeros(len(self.fit.x))
        pixel = self.camera.project(point[None], none)
        ray = np.append(self.camera.lens(self.fit.x).rays(pixel)[0], 1.0)
        T = self.camera.pose(self.fit.x)
        along = T[:3, :3] @ ray
        return np.asarray(T[:3, 3] + along * (point[2] - T[2, 3]) / along[2])


def usable_beside(shapes: ArmShapes, camera: OutlineCamera, upright: FloatArray) -> BoolArray:
    """Where a picture of the upright arm (6,) [rad] shows the table, with a margin, shape (height, width)."""
    covered = arm_mask(shapes, camera, upright).astype(np.uint8)
    side = 2 * CLEAR_PX + 1
    return np.asarray(cv2.dilate(covered, np.ones((side, side), np.uint8)) == 0)


class Registrar:
    """Takes the views and fits them.

    Args:
        kinematics: of the arm as believed.
        camera: as believed.
    """

    def __init__(self, kinematics: Kinematics, camera: OutlineCamera) -> None:
        self.kinematics, self.camera = kinematics, camera
        drawn = with_fingers(load_model(), kinematics.finger_across, kinematics.finger_along)
        self._shapes = ArmShapes(at_base_height(drawn, kinematics.base_height))
        self._views: list[ArmView] = []

    def take(self, bare: ImageArray, upright: FloatArray, image: ImageArray, q: FloatArray) -> None:
        """Add a view.

        Args:
            bare: the table with the arm upright, RGB (height, width, 3).
            upright: joint angles then, (6,) [rad].
            image: the same table with the hand over it.
            q: joint angles then, (6,) [rad].
        """
        usable = usable_beside(self._shapes, self.camera, upright)
        self._views.append(ArmView(q, foreground(bare, image), usable))

    def join(self, other: Registrar) -> None:
        """Add the views of another look by the same arm and camera."""
        self._views += other._views

    def outline(self, number: int, x: FloatArray) -> FloatArray:
        """Pixels (n, 2) of the outline in view `number`, where the unknowns `x` put it: for pictures."""
        return expected(self._shapes, self.camera, self._views[number], x).pixels

    def result(self) -> Registration:
        """What all views tell together."""
        return Registration(fit_outline(self._shapes, self.camera, self._views), self.camera, self.kinematics)


def show_hand(
    registrar: Registrar,
    poses: Sequence[FloatArray],
    *,
    picture: Callable[[], ImageArray],
    position: Callable[[], FloatArray],
    move: Callable[[FloatArray, FloatArray], None],
) -> None:
    """Show the hand at `poses` and come back upright.

    Args:
        registrar: takes the views.
        poses: joint angles (5,) [rad].
        picture: an image taken from now on, RGB.
        position: joint angles as measured, (6,) [rad].
        move: goes from the first to the second joint angles (5,) [rad] on a straight joint path, and comes to rest.
    """
    bare, upright = picture(), position()
    here = np.zeros(N_ARM)
    for q in poses:
        move(here, q)
        here = q
        registrar.take(bare, upright, picture(), position())
    move(here, np.zeros(N_ARM))
