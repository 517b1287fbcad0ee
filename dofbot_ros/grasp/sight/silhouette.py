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
        found: list[tuple[IndexArray, FloatArray, FloatArray, FloatArray]] = []
        for (link, local, _), seen in zip(shapes, pixels, strict=True):
            ring = cv2.convexHull(seen.astype(np.float32), clockwise=True, returnPoints=False).ravel()
            for a, b in zip(ring, np.roll(ring, -1), strict=True):
                along = seen[b] - seen[a]
                length = float(np.linalg.norm(along))
                if length < 1.0:
                    continue
                share = (np.arange(max(1, round(length / SPACING_PX))) + 0.5) / max(1, round(length / SPACING_PX))
                normal = np.array([along[1], -along[0]]) / length
                middle = seen.mean(axis=0)
                normal = normal if normal @ (seen[a] - middle) > 0 else -normal
                points = seen[a] + share[:, None] * along
                found.append(
                    (
                        np.full(len(share), link),
                        local[a] + share[:, None] * (local[b] - local[a]),
                        points,
                        np.tile(normal, (len(share), 1)),
                    )
                )
        links, locals_, points, normals = (np.concatenate(part) for part in zip(*found, strict=True))
        beside = np.rint(points + BESIDE_PX * normals).astype(int)
        inside = ((beside >= 0) & (beside < size)).all(axis=1)
        free = inside.copy()
        free[inside] = covered[beside[inside, 1], beside[inside, 0]] == 0
        return OutlinePoints(links[free], locals_[free], points[free], normals[free])
