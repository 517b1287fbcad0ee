"""Estimates zeros of the joints, base height and camera from the arm's outline in some pictures of it.

Edges of a known shape, found along the normals of where they are expected, give one equation each; all of them and what
is known beforehand make a linear least-squares problem, solved again where its solution puts the shape (Harris and
Stennett, RAPID, a video rate object tracker, 1990; Drummond and Cipolla, Real-time visual tracking of complex
structures, 2002).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from dofbot_ros.core.transforms import exp_so3, invert
from dofbot_ros.core.types import N_ARM, BoolArray, FloatArray
from dofbot_ros.grasp.sight.edges import edge_offsets
from dofbot_ros.grasp.sight.silhouette import ArmShapes, OutlinePoints
from dofbot_ros.vision.intrinsics import Intrinsics

REACHES_PX = (24, 24, 16, 16, 10, 10, 10)
"""How far from the expected outline edges are looked for, in turn [px]."""
EDGE_PX = 4.0
"""Standard deviation of an edge [px]: neighbours share their errors, so each tells less than it is sharp."""
CUT_PX = 6.0
"""Edges further off than this count less and less: Geman and McClure's weight."""
STEP = 1e-4

ZEROS = slice(0, N_ARM)
HEIGHT = N_ARM
SHIFT = slice(N_ARM + 1, N_ARM + 4)
TURN = slice(N_ARM + 4, N_ARM + 7)
FOCAL = N_ARM + 7
UNKNOWNS = N_ARM + 8
"""Zeros of joints 1 to 5 [rad], base height [m], the camera's shift in base_link [m] and turn [rad], focal length
(relative)."""


@dataclass(frozen=True)
class Spread:
    """How well arm and camera are known beforehand: standard deviations, about those of a typical desk.

    Attributes:
        zero: of joints 1 to 5 [rad].
        base_height: of joint 2 above the table [m].
        shift, turn: of the camera along and about each axis [m, rad].
        focal: of its focal length, relative.
    """

    zero: float = math.radians(2.0)
    base_height: float = 0.003
    shift: float = 0.004
    turn: float = math.radians(0.5)
    focal: float = 0.01

    def vector(self) -> FloatArray:
        """In the order of the unknowns, shape (UNKNOWNS,)."""
        return np.array([self.zero] * N_ARM + [self.base_height] + [self.shift] * 3 + [self.turn] * 3 + [self.focal])


@dataclass(frozen=True, eq=False)
class ArmView:
    """The arm in one picture.

    Attributes:
        q: joint angles as measured, shape (6,) [rad].
        shown: where the arm is seen, of edges.foreground().
        usable: where in the picture edges may be looked for, shape (height, width).
    """

    q: FloatArray
    shown: FloatArray
    usable: BoolArray


@dataclass(frozen=True, eq=False)
class OutlineFit:
    """What the outlines tell.

    Attributes:
        x: the unknowns, shape (UNKNOWNS,).
        covariance: of them, shape (UNKNOWNS, UNKNOWNS).
        rms_px: of the edges that were found, about the fitted outline [px].
        found: share of the outline's points at which an edge was found.
        edges: how many were found.
    """

    x: FloatArray
    covariance: FloatArray
    rms_px: float
    found: float
    edges: int


@dataclass(frozen=True, eq=False)
class OutlineCamera:
    """A camera whose pose and focal length are unknown by a little.

    Attributes:
        intrinsics, T_base_camera: as believed.
    """

    intrinsics: Intrinsics
    T_base_camera: FloatArray

    def pose(self, x: FloatArray) -> FloatArray:
        """T_base_camera with the unknowns `x`, shape (4, 4) [m]."""
        T = self.T_base_camera.copy()
        T[:3, 3] += x[SHIFT]
        T[:3, :3] = exp_so3(x[TURN]) @ T[:3, :3]
        return T

    def lens(self, x: FloatArray) -> Intrinsics:
        """Intrinsics with the unknowns `x`."""
        K = self.intrinsics.K.copy()
        K[[0, 1], [0, 1]] *= 1.0 + x[FOCAL]
        return replace(self.intrinsics, K=K)

    def project(self, points: FloatArray, x: FloatArray) -> FloatArray:
        """Pixels (n, 2) of points (n, 3) [m] in base_link."""
        T, lens = invert(self.pose(x)), self.lens(x)
        turn = cv2.Rodrigues(T[:3, :3])[0]
        seen = cv2.projectPoints(np.ascontiguousarray(points), turn, T[:3, 3], lens.K, lens.distortion)[0]
        return np.asarray(seen[:, 0], dtype=np.float64)


def fit_outline(
    shapes: ArmShapes, camera: OutlineCamera, views: Sequence[ArmView], spread: Spread | None = None
) -> OutlineFit:
    """Lay the drawn arm over all views.

    Args:
        shapes: of the arm, with its believed base height.
        camera: as believed.
        views: the pictures.
        spread: what is known beforehand.
    """
    sigma = (spread or Spread()).vector()
    x = np.zeros(UNKNOWNS)
    information = np.diag(sigma**-2)
    squares, points, edges = 0.0, 0, 0
    for reach in REACHES_PX:
        information, gradient = np.diag(sigma**-2), -x / sigma**2
        squares, points, edges = 0.0, 0, 0
        for view in views:
            seen = expected(shapes, camera, view, x)
            offset, found = edge_offsets(view.shown, seen, reach)
            slopes = _slopes(shapes, camera, view.q, seen, x)[found]
            error = offset[found]
            weight = (CUT_PX**2 / (CUT_PX**2 + error**2)) ** 2 / EDGE_PX**2
            information += slopes.T @ (weight[:, None] * slopes)
            gradient += slopes.T @ (weight * error)
            squares += float(np.sum(np.minimum(error**2, CUT_PX**2)))
            points, edges = points + len(found), edges + len(error)
        x = x + np.linalg.solve(information, gradient)
    return OutlineFit(
        x,
        np.linalg.inv(information),
        math.sqrt(squares / max(edges, 1)),
        edges / max(points, 1),
        edges,
    )


def arm_mask(shapes: ArmShapes, camera: OutlineCamera, q: FloatArray) -> BoolArray:
    """Where the arm is expected in a picture, shape (height, width), of joint angles (6,) [rad]."""
    x = np.zeros(UNKNOWNS)
    corners = [camera.project(base, x) for _, _, base in shapes.corners(shapes.link_poses(q))]
    return np.asarray(shapes.mask(corners, camera.intrinsics.size) > 0)


def _poses(shapes: ArmShapes, q: FloatArray, x: FloatArray) -> FloatArray:
    """Link poses (links, 4, 4) with the unknowns."""
    return _raised(shapes, shapes.link_poses(q + np.append(x[ZEROS], 0.0)), x[HEIGHT])


def _raised(shapes: ArmShapes, poses: FloatArray, height: FloatArray | float) -> FloatArray:
    """Poses (..., links, 4, 4) with joint 1 and what it carries higher by `height` [m]; the base stays."""
    poses[..., [link != "base_link" for link in shapes.links], 2, 3] += height
    return poses


def expected(shapes: ArmShapes, camera: OutlineCamera, view: ArmView, x: FloatArray) -> OutlinePoints:
    """The outline where the unknowns `x` put it in a view, as far as it is usable there."""
    corners = shapes.corners(_poses(shapes, view.q, x))
    pixels = [camera.project(base, x) for _, _, base in corners]
    seen = shapes.outline(corners, pixels, camera.intrinsics.size)
    at = np.rint(seen.pixels).astype(int)
    width, height = camera.intrinsics.size
    at = np.clip(at, 0, [width - 1, height - 1])
    keep = view.usable[at[:, 1], at[:, 0]]
    return OutlinePoints(seen.link[keep], seen.local[keep], seen.pixels[keep], seen.normals[keep])


def _slopes(shapes: ArmShapes, camera: OutlineCamera, q: FloatArray, seen: OutlinePoints, x: FloatArray) -> FloatArray:
    """How each point moves along its normal with each unknown, shape (n, UNKNOWNS) [px per unit]."""
    moved = x + STEP * np.concatenate([np.eye(UNKNOWNS), -np.eye(UNKNOWNS)])
    joints = q + np.column_stack([moved[:, ZEROS], np.zeros(len(moved))])
    poses = _raised(shapes, shapes.link_poses(joints), moved[:, HEIGHT, None])[:, seen.link]
    base = np.einsum("mnij,nj->mni", poses[..., :3, :3], seen.local) + poses[..., :3, 3]
    pixels = np.array([camera.project(points, row) for points, row in zip(base, moved, strict=True)])
    along = np.sum(seen.normals * pixels, axis=-1)
    slopes: FloatArray = (along[:UNKNOWNS] - along[UNKNOWNS:]).T / (2.0 * STEP)
    return slopes
