"""Rigid transforms as 4x4 homogeneous matrices, and quaternions in x y z w order (as in ROS messages)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dofbot_ros.core.types import FloatArray


def rot_x(angle: float) -> FloatArray:
    """Rotation about x [rad], shape (3, 3)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def rot_y(angle: float) -> FloatArray:
    """Rotation about y [rad], shape (3, 3)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def rot_z(angle: float) -> FloatArray:
    """Rotation about z [rad], shape (3, 3)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def rot_axis(axis: ArrayLike, angle: float) -> FloatArray:
    """Rotation about a unit `axis` (3,) by `angle` [rad] (Rodrigues), shape (3, 3)."""
    k = skew(axis)
    rotation: FloatArray = np.eye(3) + np.sin(angle) * k + (1.0 - np.cos(angle)) * (k @ k)
    return rotation


def rot_rpy(roll: float, pitch: float, yaw: float) -> FloatArray:
    """URDF's fixed-axis roll, pitch, yaw [rad]: Rz(yaw) Ry(pitch) Rx(roll), shape (3, 3)."""
    matrix: FloatArray = rot_z(yaw) @ rot_y(pitch) @ rot_x(roll)
    return matrix


def skew(v: ArrayLike) -> FloatArray:
    """Cross-product matrix of `v` (3,), shape (3, 3)."""
    x, y, z = np.asarray(v, dtype=np.float64)
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def exp_so3(rotation_vector: ArrayLike) -> FloatArray:
    """Rotation matrix of a rotation vector (3,) [rad]."""
    w = np.asarray(rotation_vector, dtype=np.float64)
    angle = float(np.linalg.norm(w))
    return np.eye(3) + skew(w) if angle < 1e-12 else rot_axis(w / angle, angle)


def exp_so3_batch(rotation_vectors: FloatArray) -> FloatArray:
    """Rotation matrices (..., 3, 3) of rotation vectors (..., 3) [rad]; see exp_so3."""
    w = rotation_vectors
    angle = np.sqrt(w[..., None, :] @ w[..., :, None])
    still = angle < 1e-12
    x, y, z = np.moveaxis(w / np.where(still, 1.0, angle)[..., 0], -1, 0)
    zero = np.zeros_like(x)
    k = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*w.shape, 3)
    turned = np.eye(3) + np.sin(angle) * k + (1.0 - np.cos(angle)) * (k @ k)
    return np.where(still, np.eye(3) + k, turned)


def log_so3(rotation: FloatArray) -> FloatArray:
    """Rotation vector (3,) [rad] of a rotation matrix; its length is in [0, pi]."""
    q = quat_from_matrix(rotation)
    q = q if q[3] >= 0 else -q
    s = float(np.linalg.norm(q[:3]))
    return 2.0 * q[:3] if s < 1e-12 else q[:3] / s * (2.0 * np.arctan2(s, q[3]))


def transform(rotation: ArrayLike | None = None, translation: ArrayLike = (0.0, 0.0, 0.0)) -> FloatArray:
    """Homogeneous matrix (4, 4) of a rotation (3, 3) and a translation (3,) [m]."""
    t = np.eye(4)
    if rotation is not None:
        t[:3, :3] = rotation
    t[:3, 3] = translation
    return t


def invert(t: FloatArray) -> FloatArray:
    """Inverse of a rigid transform (4, 4)."""
    r = t[:3, :3].T
    return transform(r, -r @ t[:3, 3])


def apply(t: FloatArray, points: ArrayLike) -> FloatArray:
    """Points (..., 3) [m] carried through `t` (4, 4)."""
    moved: FloatArray = np.asarray(points, dtype=np.float64) @ t[:3, :3].T + t[:3, 3]
    return moved


def quat_from_matrix(rotation: FloatArray) -> FloatArray:
    """Unit quaternion (x, y, z, w) of a rotation matrix (3, 3); the largest component is positive (Shepperd, 1978)."""
    m = rotation
    trace = m[0, 0] + m[1, 1] + m[2, 2]
    four_squares = np.array([1 + 2 * m[0, 0] - trace, 1 + 2 * m[1, 1] - trace, 1 + 2 * m[2, 2] - trace, 1 + trace])
    i = int(np.argmax(four_squares))
    outer = np.array(
        [
            [four_squares[0], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[2, 1] - m[1, 2]],
            [m[0, 1] + m[1, 0], four_squares[1], m[1, 2] + m[2, 1], m[0, 2] - m[2, 0]],
            [m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], four_squares[2], m[1, 0] - m[0, 1]],
            [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], four_squares[3]],
        ]
    )
    q = outer[i]
    return np.asarray(q / np.linalg.norm(q), dtype=np.float64)


def matrix_from_quat(quaternion: ArrayLike) -> FloatArray:
    """Rotation matrix (3, 3) of a quaternion (x, y, z, w), normalised first.

    Raises:
        ValueError: the quaternion has no direction.
    """
    q = np.asarray(quaternion, dtype=np.float64)
    norm = float(np.linalg.norm(q))
    if not np.isfinite(norm) or norm < 1e-9:
        raise ValueError(f"{q.tolist()} is not a rotation: a quaternion needs a length")
    x, y, z, w = q / norm
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def wrap_angle(angle: float) -> float:
    """The same direction in (-pi, pi] [rad]."""
    wrapped = float(np.arctan2(np.sin(angle), np.cos(angle)))
    return np.pi if wrapped == -np.pi else wrapped
