"""Which way a joint turned, from a picture before and one after: what is seen of the arm moved as foretold, or not."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from dofbot_ros.arm.model import ArmModel, forward_chain
from dofbot_ros.arm.shapes import Shape, link_shapes
from dofbot_ros.core.transforms import invert
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.vision.intrinsics import Intrinsics

SPACING_M = 0.003
"""Between points on the arm's surface [m]."""
CELL_PX, DEPTH_M = 4, 0.008
"""Of the points in a cell of the image, those this near to the nearest one are seen [px], [m]."""
LEAST_PX = 1.0
"""Points that move less in the image tell nothing [px]."""
LEAST_POINTS = 60
BLUR_PX = 1.2
"""A hand that is drawn, or told, a little beside where it is still falls on itself [px]."""
LEAST_CHANGE = 1.5
"""Mean difference of brightness below which nothing was seen to move, of 255."""
CLEAR = 0.75
"""The better of two explanations has to leave less than this share of what the other one leaves."""


@dataclass(frozen=True)
class SeenMotion:
    """What two pictures say of a joint that turned.

    Attributes:
        right: whether it turned as it was told to; None where the pictures do not tell.
        points: of the arm's surface that were compared.
        unexplained: mean difference of brightness that is left if it turned as told, stood still, and turned the other
            way, of 255.
    """

    right: bool | None
    points: int
    unexplained: tuple[float, float, float]


class MovingArm:
    """The arm's surface as a camera with a known pose sees it.

    Args:
        model: of the arm.
        intrinsics: of the camera.
        T_base_camera: its optical frame in base_link, shape (4, 4) [m].
    """

    def __init__(self, model: ArmModel, intrinsics: Intrinsics, T_base_camera: FloatArray) -> None:
        self._model, self._intrinsics, self._T_base_camera = model, intrinsics, T_base_camera
        self._surfaces = {
            link: [_surface(shape) for shape in link_shapes(model, link) if not shape.collision] for link in model.links
        }

    def judge(self, before: ImageArray, after: ImageArray, q: FloatArray, joint: int, turned: float) -> SeenMotion:
        """Say whether a joint turned as it was told to.

        Each visible point of the arm is looked up in the picture before, and in the picture after where it is if the
        joint turned by `turned`, by -`turned`, or not at all. The right explanation finds the same brightness again.

        Args:
            before: RGB, shape (h, w, 3), with the arm at `q`.
            after: the same with the joint turned.
            q: joint angles before [rad], shape (6,).
            joint: index of the joint.
            turned: what it was told [rad].
        """
        links, points = self._seen(q)
        step = np.zeros_like(q)
        step[joint] = turned
        places = [self._pixels(links, points, q + share * step) for share in (0.0, 1.0, -1.0)]
        width, height = self._intrinsics.size
        inside = [((place >= 1) & (place <= (width - 2, height - 2))).all(axis=1) for place in places]
        told = np.all(inside, axis=0)
        for place in places[1:]:
            told &= np.linalg.norm(place - places[0], axis=1) > LEAST_PX
        count = int(told.sum())
        if count < LEAST_POINTS:
            return SeenMotion(None, count, (0.0, 0.0, 0.0))
        was, now = (_blurred(image) for image in (before, after))
        value = _sampled(was, places[0][told])
        still, as_told, other = (float(np.abs(_sampled(now, place[told]) - value).mean()) for place in places)
        left = (as_told, still, other)
        if max(left) < LEAST_CHANGE or min(as_told, other) > CLEAR * max(as_told, other):
            return SeenMotion(None, count, left)
        right = as_told < other
        moved = min(as_told, other) < CLEAR * still
        return SeenMotion(right if moved else None, count, left)

    def _seen(self, q: FloatArray) -> tuple[list[tuple[str, int]], FloatArray]:
        """Points that no other part of the arm hides: links with their number of points, and (n, 3) [m] in the link."""
        names, locals_, bases = [], [], []
        eye = self._T_base_camera[:3, 3]
        for link, surfaces in self._surfaces.items():
            if not surfaces:
                continue
            pose = forward_chain(self._model, q, link)
            points, normals = (np.vstack(part) for part in zip(*surfaces, strict=True))
            base = points @ pose[:3, :3].T + pose[:3, 3]
            facing = ((eye - base) * (normals @ pose[:3, :3].T)).sum(axis=1) > 0.0
            names += [link] * int(facing.sum())
            locals_.append(points[facing])
            bases.append(base[facing])
        base, local = np.vstack(bases), np.vstack(locals_)
        depth = (base @ invert(self._T_base_camera)[:3, :3].T + invert(self._T_base_camera)[:3, 3])[:, 2]
        cells = np.floor(self._project(base) / CELL_PX).astype(np.int64)
        width, height = (side // CELL_PX + 1 for side in self._intrinsics.size)
        inside = (depth > 0.0) & ((cells >= 0) & (cells < (width, height))).all(axis=1)
        nearest = np.full(width * height, np.inf)
        index = np.where(inside, cells[:, 1] * width + cells[:, 0], 0)
        np.minimum.at(nearest, index[inside], depth[inside])
        seen = inside & (depth <= nearest[index] + DEPTH_M)
        kept = [name for name, is_seen in zip(names, seen, strict=True) if is_seen]
        return [(link, kept.count(link)) for link in dict.fromkeys(kept)], local[seen]

    def _pixels(self, links: list[tuple[str, int]], points: FloatArray, q: FloatArray) -> FloatArray:
        """Where points of the links are in the image with the arm at `q`, shape (n, 2) [px]."""
        placed, begin = [], 0
        for link, count in links:
            pose = forward_chain(self._model, q, link)
            placed.append(points[begin : begin + count] @ pose[:3, :3].T + pose[:3, 3])
            begin += count
        return self._project(np.vstack(placed)) if placed else np.zeros((0, 2))

    def _project(self, base: FloatArray) -> FloatArray:
        T, lens = invert(self._T_base_camera), self._intrinsics
        turn = cv2.Rodrigues(T[:3, :3])[0]
        seen = cv2.projectPoints(np.ascontiguousarray(base), turn, T[:3, 3], lens.K, lens.distortion)[0]
        return np.asarray(seen[:, 0], dtype=np.float64)


def _surface(shape: Shape) -> tuple[FloatArray, FloatArray]:
    """Points on the surface of a shape in its link's frame (k, 3) [m], and outward normals (k, 3)."""
    x, y, z = shape.size
    if shape.kind == "cylinder":
        turns = np.linspace(0.0, 2.0 * np.pi, max(8, round(2.0 * np.pi * x / SPACING_M)), endpoint=False)
        ring = np.stack([np.cos(turns), np.sin(turns)], axis=1)
        heights = _grid(z)
        side = np.array([(x * c, x * s, h) for h in heights for c, s in ring])
        outward = np.array([(c, s, 0.0) for _ in heights for c, s in ring])
        radii = np.arange(0.5 * SPACING_M, x, SPACING_M)
        caps = np.array([(r * c, r * s, h) for h in (-z, z) for r in radii for c, s in ring])
        points, normals = np.vstack([side, caps]), np.vstack([outward, np.sign(caps) * (0.0, 0.0, 1.0)])
    elif shape.kind == "sphere":
        a, b = np.meshgrid(np.linspace(0.0, np.pi, 12), np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False))
        normals = np.stack([np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a)], axis=-1).reshape(-1, 3)
        points = x * normals
    else:
        half, rows, outwards = (x, y, z), [], []
        for axis in range(3):
            u, v = (i for i in range(3) if i != axis)
            for sign in (-1.0, 1.0):
                for a in _grid(half[u]):
                    for b in _grid(half[v]):
                        point = np.zeros(3)
                        point[axis], point[u], point[v] = sign * half[axis], a, b
                        rows.append(point)
                        outwards.append(sign * np.eye(3)[axis])
        points, normals = np.array(rows), np.array(outwards)
    turn = shape.pose[:3, :3].T
    return points @ turn + shape.pose[:3, 3], normals @ turn


def _grid(half: float) -> FloatArray:
    return np.linspace(-half, half, max(2, round(2.0 * half / SPACING_M)))


def _blurred(image: ImageArray) -> FloatArray:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), BLUR_PX), np.float32)


def _sampled(image: FloatArray, pixels: FloatArray) -> FloatArray:
    """Brightness at pixels (n, 2), between its neighbours."""
    x, y = (pixels[:, i].astype(np.float32)[None] for i in (0, 1))
    return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR)[0], np.float64)
