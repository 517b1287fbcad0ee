"""The arm's outline as its URDF draws it: points on the edges of its shapes that a camera sees against the table."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dofbot_ros.arm.model import ArmModel, forward_chain
from dofbot_ros.arm.shapes import link_shapes
from dofbot_ros.core.types import FloatArray, ImageArray

SPACING_PX = 5.0
"""Distance of the points along an edge [px]."""
BESIDE_PX = 2.5
"""An edge belongs to the outline where no shape covers what lies this far outside of it [px]."""

IndexArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class OutlinePoints:
    """Points of the outline.

    Attributes:
        link: index of the link that each is fixed to, shape (n,).
        local: in that link's frame, shape (n, 3) [m].
        pixels: where they are expected, shape (n, 2) [px].
        normals: unit vectors out of the arm, shape (n, 2).
    """

    link: IndexArray
    local: FloatArray
    pixels: FloatArray
    normals: FloatArray


class ArmShapes:
    """The visual shapes of one arm.

    Args:
        model: its URDF.
    """

    def __init__(self, model: ArmModel) -> None:
        self.model = model
        self.links = tuple(link for link in model.links if any(not s.collision for s in link_shapes(model, link)))
        self._corners = [
            [shape.corners() for shape in link_shapes(model, link) if not shape.collision] for link in self.links
        ]

    def link_poses(self, q: FloatArray) -> FloatArray:
        """Poses of the links in base_link, shape (..., links, 4, 4) [m], of joint angles (..., 6) [rad]."""
        return np.stack([forward_chain(self.model, q, link) for link in self.links], axis=-3)

    def mask(self, corners: list[FloatArray], size: tuple[int, int]) -> ImageArray:
        """255 where a shape is seen, shape (height, width), of the shapes' corners in the image [px]."""
        mask = np.zeros(size[::-1], np.uint8)
        for pixels in corners:
            cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(pixels).astype(np.int32)), (255.0,))
        return mask

    def corners(self, poses: FloatArray) -> list[tuple[int, FloatArray, FloatArray]]:
        """Each shape's link, corners in that link (k, 3) [m], and in base_link (k, 3) [m], of link_poses()."""
        return [
            (i, local, local @ poses[i, :3, :3].T + poses[i, :3, 3])
            for i, shapes in enumerate(self._corners)
            for local in shapes
        ]

    def outline(
        self, shapes: list[tuple[int, FloatArray, FloatArray]], pixels: list[FloatArray], size: tuple[int, int]
    ) -> OutlinePoints:
        """Points along the edges of all shapes that border on nothing but the table.

        Args:
            shapes: of corners().
            pixels: where these corners are in the image, (k, 2) each [px].
            size: width and height of the image [px].
        """
        covered = self.mask(pixels, size)
        link = np.repeat([link for link, _, _ in shapes], [len(local) for _, local, _ in shapes])
        local, seen = np.concatenate([local for _, local, _ in shapes]), np.concatenate(pixels)
        middle = np.repeat([shape.mean(axis=0) for shape in pixels], [len(shape) for shape in pixels], axis=0)
        a, b = self._edges(pixels)
        along = seen[b] - seen[a]
        length = np.hypot(along[:, 0], along[:, 1])
        long = length >= 1.0
        a, b, along, length = a[long], b[long], along[long], length[long]
        normal = np.stack([along[:, 1], -along[:, 0]], axis=1) / length[:, None]
        normal[np.einsum("ij,ij->i", normal, seen[a] - middle[a]) <= 0] *= -1.0
        count = np.maximum(1, np.rint(length / SPACING_PX)).astype(np.int64)
        edge = np.repeat(np.arange(len(count)), count)
        number = np.arange(len(edge)) - (np.cumsum(count) - count)[edge]
        share = ((number + 0.5) / count[edge])[:, None]
        points, normals = seen[a[edge]] + share * along[edge], normal[edge]
        beside = np.rint(points + BESIDE_PX * normals).astype(int)
        free = ((beside >= 0) & (beside < size)).all(axis=1)
        free[free] = covered[beside[free, 1], beside[free, 0]] == 0
        a, b, share = a[edge][free], b[edge][free], share[free]
        return OutlinePoints(link[a], local[a] + share * (local[b] - local[a]), points[free], normals[free])

    @staticmethod
    def _edges(pixels: list[FloatArray]) -> tuple[IndexArray, IndexArray]:
        """Both ends of each edge of each shape's hull, as indices into all corners, shape (edges,) each."""
        begins, ends, before = [], [], 0
        for shape in pixels:
            ring = cv2.convexHull(shape.astype(np.float32), clockwise=True, returnPoints=False).ravel() + before
            begins.append(ring)
            ends.append(np.roll(ring, -1))
            before += len(shape)
        return np.concatenate(begins).astype(np.int64), np.concatenate(ends).astype(np.int64)
