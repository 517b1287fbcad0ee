"""Least-squares pose of known points seen by a camera, free or bound to some directions of motion."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dofbot_ros.core.transforms import exp_so3
from dofbot_ros.core.types import FloatArray

FREE = np.eye(6)
"""Basis of all motions: translation x y z, then rotation x y z, along the optical axes, about the body's origin."""

ITERATIONS = 10
CONVERGED = 1e-6
"""A step this small [m, rad] ends the iteration: a thousandth of a millimetre."""


@dataclass(frozen=True, eq=False)
class MarkerObservation:
    """Known points of a body, and where a camera saw them.

    Attributes:
        points: in the body frame, shape (n, 3) [m].
        rays: normalised undistorted image coordinates (x / z, y / z), shape (n, 2).
        weights: of each, in inverse proportion to the standard deviation of its place in the image, shape (n,).
    """

    points: FloatArray
    rays: FloatArray
    weights: FloatArray

    def error(self, T_camera_body: FloatArray) -> float:
        """Root of the weighted mean square distance between rays and projections, in normalised coordinates."""
        return float(np.sqrt(np.sum(self.residuals(T_camera_body) ** 2) / np.sum(self.weights**2)))

    def residuals(self, T_camera_body: FloatArray) -> FloatArray:
        """Weighted differences of rays and projections, shape (n, 2)."""
        return self.weights[:, None] * (self.rays - project(T_camera_body, self.points))


def project(T_camera_body: FloatArray, points: FloatArray) -> FloatArray:
    """Normalised image coordinates of body points (n, 3) [m], shape (n, 2)."""
    p = points @ T_camera_body[:3, :3].T + T_camera_body[:3, 3]
    seen: FloatArray = p[:, :2] / p[:, 2:]
    return seen


def fit_pose(T_camera_body: FloatArray, seen: MarkerObservation, basis: FloatArray = FREE) -> FloatArray:
    """Refine a pose by Levenberg and Marquardt's method.

    Args:
        T_camera_body: where to start, shape (4, 4) [m].
        seen: what to explain.
        basis: the motions allowed, columns of translation and rotation along the optical axes, shape (6, k).

    Returns:
        The pose with the least weighted squared distance between rays and projections, shape (4, 4).
    """
    T, error, damping = T_camera_body, seen.residuals(T_camera_body), 1e-3
    weights, unit = np.repeat(seen.weights, 2)[:, None], np.eye(basis.shape[1])
    for _ in range(ITERATIONS):
        J = weights * (_jacobian(T, seen.points) @ basis)
        normal, gradient = J.T @ J, J.T @ error.ravel()
        step = basis @ np.linalg.solve(normal + damping * (unit * normal), gradient)
        moved = T.copy()
        moved[:3, :3] = exp_so3(step[3:]) @ T[:3, :3]
        moved[:3, 3] += step[:3]
        moved_error = seen.residuals(moved)
        # Negated, so that a step to where a point lies in the camera's own plane, which gives no number, is none.
        if not np.sum(moved_error**2) <= np.sum(error**2):
            damping *= 10.0
            continue
        T, error, damping = moved, moved_error, 0.1 * damping
        if np.max(np.abs(step)) < CONVERGED:
            break
    return T


def fit_scaled_pose(
    T_camera_body: FloatArray, seen: MarkerObservation, centres: FloatArray, basis: FloatArray = FREE
) -> tuple[FloatArray, float]:
    """Refine a pose, and a factor on the size of the figures that the points belong to, each about its own centre.

    Args:
        T_camera_body: where to start, shape (4, 4) [m].
        seen: what to explain.
        centres: for each point the centre of its figure, which stays where it is, shape (n, 3) [m].
        basis: the motions allowed, shape (6, k).

    Returns:
        The pose (4, 4) and the factor with the least weighted squared distance between rays and projections.
    """
    T, scale = T_camera_body, 1.0
    from_centre = seen.points - centres
    for _ in range(ITERATIONS):
        sized = replace(seen, points=centres + scale * from_centre)
        slope = _jacobian(T, sized.points)
        by_size = np.einsum("nij,nj->ni", slope[:, :3].reshape(-1, 2, 3), from_centre @ T[:3, :3].T).reshape(-1, 1)
        weights = np.repeat(seen.weights, 2)[:, None]
        J = weights * np.hstack([slope @ basis, by_size])
        step, *_ = np.linalg.lstsq(J, sized.residuals(T).ravel(), rcond=None)
        motion = basis @ step[:-1]
        moved = T.copy()
        moved[:3, :3] = exp_so3(motion[3:]) @ T[:3, :3]
        moved[:3, 3] += motion[:3]
        T, scale = moved, scale + float(step[-1])
        if np.max(np.abs(motion)) < CONVERGED:
            break
    return T, scale


def _jacobian(T_camera_body: FloatArray, points: FloatArray) -> FloatArray:
    """Of the projections by a translation of the body's origin and a rotation about it, shape (2n, 6)."""
    arm = T_camera_body[:3, :3] @ points.T
    (ax, ay, az), (x, y, z) = arm, arm + T_camera_body[:3, 3:]
    near = 1.0 / z
    jacobian = np.zeros((len(points), 2, 6))
    by_u, by_v = jacobian[:, 0].T, jacobian[:, 1].T
    by_u[0] = by_v[1] = near
    by_u[2], by_v[2] = -x * near**2, -y * near**2
    # d(point) = d(origin) + d(rotation) x arm, so a projection's slope by rotation is arm x its slope by translation.
    by_u[3], by_u[4], by_u[5] = ay * by_u[2], az * near - ax * by_u[2], -ay * near
    by_v[3], by_v[4], by_v[5] = ay * by_v[2] - az * near, -ax * by_v[2], ax * near
    return jacobian.reshape(-1, 6)
