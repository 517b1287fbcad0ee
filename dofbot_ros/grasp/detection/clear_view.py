"""Whether the arm stands between a camera and the part of the table that the grasp network looks at."""

from __future__ import annotations

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import GRIP, FloatArray
from dofbot_ros.grasp.detection.view import TopDownView
from dofbot_ros.grasp.planning.hand_geometry import LINK_RADIUS, hand_balls

MARGIN_M = 0.010
"""Added to the radii of the arm's bodies: housings are no capsules, and no camera is exactly where it should be [m]."""


def arm_hides(kinematics: Kinematics, q: FloatArray, view: TopDownView, T_base_camera: FloatArray) -> bool:
    """Whether any part of the arm, seen from the camera, covers a part of `view`.

    Args:
        kinematics: of the arm.
        q: joint angles (6,) [rad].
        view: the square on the table.
        T_base_camera: the camera's optical frame in base_link (4, 4).
    """
    centres, radii = _balls(kinematics, np.asarray(q, dtype=np.float64))
    eye = T_base_camera[:3, 3]
    below = eye[2] - centres[:, 2]
    nearer = below > 1e-3  # what is higher than the camera cannot be between it and the table
    # Each ball's shadow on the plane of the view, with the camera as the lamp.
    stretch = (eye[2] - view.height) / below[nearer]
    shadow = eye[:2] + (centres[nearer, :2] - eye[:2]) * stretch[:, None]
    outside = np.maximum(np.abs(shadow - view.centre) - 0.5 * view.side, 0.0)
    return bool((np.linalg.norm(outside, axis=1) < (radii[nearer] + MARGIN_M) * stretch).any())


def _balls(kinematics: Kinematics, q: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Balls that cover upper arm, forearm and hand: centres (n, 3) [m], radii (n,) [m]."""
    centres, radii = hand_balls(kinematics, q[None])
    j2, j3 = kinematics.link_points(q[None, :GRIP])[0, :2]
    upper = j2 + np.linspace(0.0, 1.0, 5)[:, None] * (j3 - j2)
    return np.vstack([upper, centres[0]]), np.concatenate([np.full(len(upper), LINK_RADIUS), radii])
