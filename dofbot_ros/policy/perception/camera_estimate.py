"""Where the camera truly stands, from its calibration and the points of the arm that were found in its pictures.

A camera that was knocked shows the arm elsewhere than its calibration says. Where the arm is, is known from its joints;
so the points of the arm that a network finds give the displacement.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.core.transforms import apply, exp_so3, invert, skew, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.policy.perception.keypoints import FORGET, LATE, SHARP_PX, arm_points, project
from dofbot_ros.vision.intrinsics import Intrinsics

PRIOR_SHIFT_M, PRIOR_TURN_RAD = 0.008, math.radians(1.5)
"""How far a camera is off its calibration along and about each axis, as a standard deviation, before it is looked."""

GATE = 4.0
"""A keypoint that misses what is expected of it by more standard deviations than this is not believed."""


class CameraEstimate:
    """Where the camera stands, from its calibration and the points of the arm that were found in its pictures.

    A Gaussian estimate of the displacement, updated with each picture by one step of Gauss and Newton (an extended
    Kalman filter of a constant), so that it settles within a few pictures.

    Args:
        intrinsics: of the pictures.
        pose: the optical frame in base_link as calibrated (4, 4).
        sigma_px: standard deviation of each of ARM_KEYPOINTS as the network finds it [px], (6,).

    Attributes:
        kinematics: of the arm in the pictures; of the one in the training's pictures until another is set.
    """

    def __init__(self, intrinsics: Intrinsics, pose: FloatArray, sigma_px: ArrayLike) -> None:
        self.kinematics = DRAWN.kinematics
        self._intrinsics = intrinsics
        self._calibrated = pose
        self._variance = np.square(np.asarray(sigma_px, dtype=np.float64))
        self.reset()

    def locate(self, pose: FloatArray) -> None:
        """Take `pose` (4, 4) for the calibrated one from now on."""
        self._calibrated = pose
        self.reset()

    def reset(self) -> None:
        """Know nothing but the calibration."""
        self._prior = np.diag([PRIOR_SHIFT_M**-2] * 3 + [PRIOR_TURN_RAD**-2] * 3)
        self._information = self._prior
        self.pose = self._calibrated
        self._displacement = np.zeros(6)

    def update(self, pixels: FloatArray, spread: FloatArray, q: ArrayLike, before: ArrayLike) -> None:
        """Take in a picture.

        Args:
            pixels: of ARM_KEYPOINTS, (6, 2).
            spread: of their heat, as a standard deviation [px], (6,).
            q: joint angles now [rad], (5,) or more.
            before: those of the period before; a point that moves is trusted less, since the picture may be late.
        """
        points, K = arm_points(q, self.kinematics), self._intrinsics.K
        expected = project(points, self._intrinsics, self.pose)
        moved = project(arm_points(before, self.kinematics), self._intrinsics, self.pose) - expected
        unsure = np.square(np.maximum(spread - SHARP_PX, 0.0)) + self._variance
        variance = unsure[:, None] + np.square(LATE * moved)
        width, height = self._intrinsics.size
        inside = np.all((expected >= 0) & (expected <= (width - 1, height - 1)), axis=1)
        missing = pixels - expected
        known = self._information
        # The prior does not fade, and its mean is no displacement.
        information = self._prior + FORGET * (known - self._prior)
        told = FORGET * known @ self._displacement
        seen = apply(invert(self.pose), points)
        covariance = np.linalg.inv(information)
        for point, miss, noise in zip(seen[inside], missing[inside], variance[inside], strict=True):
            x, y, z = point
            lens = np.array([[K[0, 0] / z, 0, -K[0, 0] * x / z**2], [0, K[1, 1] / z, -K[1, 1] * y / z**2]])
            jacobian = lens @ np.hstack([np.eye(3), -skew(point)])
            scatter = jacobian @ covariance @ jacobian.T + np.diag(noise)
            if miss @ np.linalg.solve(scatter, miss) > GATE**2:
                continue
            information = information + jacobian.T @ (jacobian / noise[:, None])
            told = told + jacobian.T @ ((miss + jacobian @ self._displacement) / noise)
        self._information = information
        self._displacement = np.linalg.solve(information, told)
        shift, turn = self._displacement[:3], self._displacement[3:]
        # The displacement moves what is seen in the camera's frame; the camera itself moves the other way.
        self.pose = self._calibrated @ invert(transform(exp_so3(turn), shift))
