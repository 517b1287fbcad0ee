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
KNOWN = 1e-5
"""An unknown with a smaller standard deviation stays as it is believed, whatever its unit."""

ZEROS = slice(0, N_ARM)
HEIGHT = N_ARM
SHIFT = slice(N_ARM + 1, N_ARM + 4)
TURN = slice(N_ARM + 4, N_ARM + 7)
FOCAL = N_ARM + 7
FINGERS = slice(N_ARM + 8, N_ARM + 10)
GRIP_ZERO = N_ARM + 10
EDGE = N_ARM + 11
UNKNOWNS = N_ARM + 12
"""Zeros of joints 1 to 5 [rad], base height [m], the camera's shift in base_link [m] and turn [rad], focal length
(relative), the fingers' shift across (y of link5) and along the tool [m], the zero of the cranks [rad], and how far
outside of a shape its edge is seen [px]: blur and thresholds make all of them larger."""

FINGER_LINKS = ("right_crank", "right_bar", "right_finger", "left_crank", "left_bar", "left_finger")
"""The links that a shift of the fingers carries along."""
DULL_LINKS, PADS = ("right_crank", "right_bar", "left_crank", "left_bar"), ("right_finger", "left_finger")
RUBBER_M = 0.0103
"""Rubber is what lies this far inwards on a finger's y axis [m]."""


@dataclass(frozen=True)
class Spread:
    """How well arm and camera are known beforehand: standard deviations, about those of a typical desk.

    Attributes:
        zero: of joints 1 to 5 [rad].
        base_height: of joint 2 above the table [m].
        shift, turn: of the camera along and about each axis [m, rad].
        focal: of its focal length, relative.
        fingers: of their shift across and along the tool [m]; believed as they are by default.
        grip_zero: of the cranks [rad]; likewise.
        edge: of how far outside of a shape its edge is seen [px]; likewise.
    """

    zero: float = math.radians(2.0)
    base_height: float = 0.003
    shift: float = 0.004
    turn: float = math.radians(0.5)
    focal: float = 0.01
    fingers: float = 1e-6
    grip_zero: float = 1e-6
    edge: float = 1e-6

    def vector(self) -> FloatArray:
        """In the order of the unknowns, shape (UNKNOWNS,)."""
        arm, camera = [self.zero] * N_ARM + [self.base_height], [self.shift] * 3 + [self.turn] * 3 + [self.focal]
        return np.array(arm + camera + [self.fingers] * 2 + [self.grip_zero, self.edge])


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
    shapes: ArmShapes,
    camera: OutlineCamera,
    views: Sequence[ArmView],
    spread: Spread | None = None,
    *,
    reaches: Sequence[int] = REACHES_PX,
    sharp: bool = False,
    start: FloatArray | None = None,
) -> OutlineFit:
    """Lay the drawn arm over all views.

    Args:
        shapes: of the arm, with its believed base height.
        camera: as believed.
        views: the pictures.
        spread: what is known beforehand.
        reaches: how far from the expected outline edges are looked for, in turn [px].
        sharp: only what shows sharp edges of its own, see expected().
        start: of the unknowns; what is believed by default.
    """
    sigma = (spread or Spread()).vector()
    free = sigma > KNOWN
    x = np.zeros(UNKNOWNS) if start is None else start
    information = np.diag(sigma**-2)
    squares, points, edges = 0.0, 0, 0
    for reach in reaches:
        information, gradient = np.diag(sigma**-2), -x / sigma**2
        squares, points, edges = 0.0, 0, 0
        for view in views:
            seen = expected(shapes, camera, view, x, sharp)
            offset, found = edge_offsets(view.shown, seen, reach)
            slopes = _slopes(shapes, camera, view.q, seen, x, free=free)[found]
            error = offset[found] - x[EDGE]
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
    """Link poses (..., links, 4, 4) of joint angles (6,) with the unknowns (..., UNKNOWNS)."""
    poses = shapes.link_poses(q + np.concatenate([x[..., ZEROS], x[..., GRIP_ZERO : GRIP_ZERO + 1]], axis=-1))
    poses[..., [link != "base_link" for link in shapes.links], 2:3, 3:4] += x[..., HEIGHT, None, None, None]
    wrist = poses[..., shapes.links.index("link5"), :3, 1:3]
    fingers = [link in FINGER_LINKS for link in shapes.links]
    poses[..., fingers, :3, 3:4] += (wrist @ x[..., FINGERS, None])[..., None, :, :]
    return poses


def expected(
    shapes: ArmShapes, camera: OutlineCamera, view: ArmView, x: FloatArray, sharp: bool = False
) -> OutlinePoints:
    """The outline where the unknowns `x` put it in a view, as far as it is usable there.

    If `sharp`, without the cranks and bars, which are grey and close together, and without the pads' dark rubber, which
    looks like a shadow.
    """
    corners = shapes.corners(_poses(shapes, view.q, x))
    pixels = [camera.project(base, x) for _, _, base in corners]
    seen = shapes.outline(corners, pixels, camera.intrinsics.size)
    at = np.rint(seen.pixels).astype(int)
    width, height = camera.intrinsics.size
    at = np.clip(at, 0, [width - 1, height - 1])
    keep = view.usable[at[:, 1], at[:, 0]]
    if sharp:
        dull, fingers = ([shapes.links.index(link) for link in links] for links in (DULL_LINKS, PADS))
        keep &= ~np.isin(seen.link, dull) & ~(np.isin(seen.link, fingers) & (np.abs(seen.local[:, 1]) > RUBBER_M))
    return OutlinePoints(seen.link[keep], seen.local[keep], seen.pixels[keep], seen.normals[keep])


def _slopes(
    shapes: ArmShapes, camera: OutlineCamera, q: FloatArray, seen: OutlinePoints, x: FloatArray, *, free: BoolArray
) -> FloatArray:
    """How each point moves along its normal with each free unknown, shape (n, UNKNOWNS) [px per unit]; 0 for others."""
    steps = np.eye(UNKNOWNS)[free]
    moved = x + STEP * np.concatenate([steps, -steps])
    poses = _poses(shapes, q, moved)[:, seen.link]
    base = np.einsum("mnij,nj->mni", poses[..., :3, :3], seen.local) + poses[..., :3, 3]
    pixels = np.array([camera.project(points, row) for points, row in zip(base, moved, strict=True)])
    along = np.sum(seen.normals * pixels, axis=-1)
    slopes = np.zeros((len(seen.link), UNKNOWNS))
    slopes[:, free] = (along[: len(steps)] - along[len(steps) :]).T / (2.0 * STEP)
    slopes[:, EDGE] = float(free[EDGE])
    return slopes
