"""The shapes that a URDF draws a link with: boxes, cylinders, spheres and capsules, and corners that enclose them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from xml.etree import ElementTree

import numpy as np

from dofbot_ros.arm.model import ArmModel
from dofbot_ros.core.transforms import rot_rpy, transform
from dofbot_ros.core.types import BoolArray, FloatArray
from dofbot_ros.errors import ConfigError, InputError, one_of

SIDES = 12
"""Sides of the prism that encloses a cylinder: it stands out by 3.5 % of the radius at its edges."""

FLAT = 1e-9
"""Points no further from a plane than this lie in it [m]."""


@dataclass(frozen=True, eq=False)
class Shape:
    """One visual or collision element of a link.

    Attributes:
        kind: box, cylinder, sphere or capsule.
        size: half lengths of the box that encloses it, in its own frame [m], shape (3,).
        pose: its frame in the link's frame, shape (4, 4).
        collision: whether it is a collision element; else it is a visual one.
    """

    kind: str
    size: FloatArray
    pose: FloatArray
    collision: bool

    def corners(self) -> FloatArray:
        """Points in the link's frame [m], shape (k, 3), whose convex hull encloses the shape."""
        x, y, z = self.size
        if self.kind == "cylinder":
            turns = (np.arange(SIDES) + 0.5) * 2.0 * math.pi / SIDES
            ring = x / math.cos(math.pi / SIDES) * np.stack([np.cos(turns), np.sin(turns)], axis=-1)
            points = np.vstack([np.column_stack([ring, np.full(SIDES, side)]) for side in (-z, z)])
        else:
            points = np.array([(i * x, j * y, k * z) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
        corners: FloatArray = points @ self.pose[:3, :3].T + self.pose[:3, 3]
        return corners

    def holds(self, points: FloatArray, tolerance: float = 1e-9) -> BoolArray:
        """Which of `points` (..., 3) [m], in the link's frame, lie in the shape or within `tolerance` [m] of it."""
        local = (points - self.pose[:3, 3]) @ self.pose[:3, :3]
        if self.kind == "sphere":
            held: BoolArray = np.linalg.norm(local, axis=-1) <= self.size[0] + tolerance
        elif self.kind == "capsule":
            along = local[..., 2] - np.clip(local[..., 2], self.size[0] - self.size[2], self.size[2] - self.size[0])
            held = np.hypot(np.hypot(local[..., 0], local[..., 1]), along) <= self.size[0] + tolerance
        elif self.kind == "cylinder":
            aside = np.hypot(local[..., 0], local[..., 1]) <= self.size[0] + tolerance
            held = aside & (np.abs(local[..., 2]) <= self.size[2] + tolerance)
        else:
            held = (np.abs(local) <= self.size + tolerance).all(axis=-1)
        return held


def link_shapes(model: ArmModel, link: str, tags: tuple[str, ...] = ("visual", "collision")) -> tuple[Shape, ...]:
    """All visual and collision elements of one link, or those of `tags`, in the order of the file.

    Raises:
        InputError: there is no such link; lists those there are.
        ConfigError: a shape is no box, cylinder, sphere or capsule (a mesh, for instance).
    """
    if link not in model.links:
        raise InputError(one_of("link", link, model.links))
    element = _tree(model.urdf).find(f"link[@name='{link}']")
    parts = [] if element is None else [part for part in element if part.tag in tags]
    return tuple(_shape(part, link) for part in parts)


@lru_cache(maxsize=2)
def _tree(urdf: str) -> ElementTree.Element:
    """The URDF's elements, which every link of an arm is looked up in; nothing may change them."""
    return ElementTree.fromstring(urdf)


def outer_points(shapes: tuple[Shape, ...]) -> FloatArray:
    """Points [m], shape (k, 3), whose convex hull encloses all `shapes` of one rigid body.

    Corners that lie inside another of the shapes are left out: they can never be the lowest point.
    """
    kept: list[FloatArray] = []
    for i, shape in enumerate(shapes):
        corners = shape.corners()
        inside = np.zeros(len(corners), dtype=bool)
        for j, other in enumerate(shapes):
            # Of two equal corners the first shape's stays, so nothing is dropped on both sides.
            inside |= other.holds(corners, 1e-9 if j < i else -1e-9) if j != i else False
        kept.append(corners[~inside])
    return np.vstack(kept)


def _shape(part: ElementTree.Element, link: str) -> Shape:
    where = f"URDF: {part.tag} of {link}"
    origin = part.find("origin")
    xyz, rpy = (_numbers(origin, key, 3, where, "0 0 0") for key in ("xyz", "rpy"))
    geometry = part.find("geometry")
    solid = None if geometry is None or len(geometry) == 0 else geometry[0]
    kind = "nothing" if solid is None else solid.tag
    if kind == "box":
        size = 0.5 * _numbers(solid, "size", 3, where)
    elif kind == "cylinder":
        radius, length = (_numbers(solid, key, 1, where)[0] for key in ("radius", "length"))
        size = np.array([radius, radius, 0.5 * length])
    elif kind == "capsule":
        # No part of URDF's standard, but of several readers of it; its length is that without the round ends.
        radius, length = (_numbers(solid, key, 1, where)[0] for key in ("radius", "length"))
        size = np.array([radius, radius, radius + 0.5 * length])
    elif kind == "sphere":
        size = np.repeat(_numbers(solid, "radius", 1, where), 3)
    else:
        raise ConfigError(one_of("shape", kind, ("box", "cylinder", "sphere", "capsule")), where)
    return Shape(kind, size, transform(rot_rpy(*rpy.tolist()), xyz), part.tag == "collision")


def _numbers(
    element: ElementTree.Element | None, key: str, count: int, where: str, default: str | None = None
) -> FloatArray:
    text = default if element is None else element.get(key, default)
    try:
        values = np.array([float(word) for word in (text or "").split()])
    except ValueError as error:
        raise ConfigError(f"{key}={text!r} is not made of numbers", where) from error
    if values.size != count or not np.isfinite(values).all():
        raise ConfigError(f"{key}={text!r} needs {count} finite numbers", where)
    return values


def convex_outline(points: FloatArray) -> FloatArray:
    """The corners of the convex hull of points (k, 2), counter-clockwise (Andrew's monotone chain)."""
    rows = sorted({(float(x), float(y)) for x, y in points.round(9)})

    def half(ordered: list[tuple[float, float]]) -> list[tuple[float, float]]:
        chain: list[tuple[float, float]] = []
        for x, y in ordered:
            while len(chain) > 1:
                (ax, ay), (bx, by) = chain[-2:]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 1e-15:
                    break
                chain.pop()
            chain.append((x, y))
        return chain[:-1]

    return np.array(half(rows) + half(rows[::-1]) if len(rows) > 1 else rows)


def convex_faces(points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The planes of the faces of the convex hull of points (k, 3): outward normals (m, 3) and their offsets (m,) [m].

    A point p is in the hull where normals @ p <= offsets. Tries all planes through three of the points, which is quick
    enough for the few dozen corners of a link.
    """
    i, j, k = np.array(list(combinations(range(len(points)), 3))).T
    normals = np.cross(points[j] - points[i], points[k] - points[i])
    length = np.linalg.norm(normals, axis=-1)
    flat = length > 1e-10
    normals = normals[flat] / length[flat, None]
    offsets = (normals * points[i[flat]]).sum(axis=-1)
    beyond = normals @ points.T - offsets[:, None]
    outward, inward = beyond.max(axis=-1) < FLAT, beyond.min(axis=-1) > -FLAT
    planes = np.vstack(
        [np.column_stack([normals[outward], offsets[outward]]), -np.column_stack([normals[inward], offsets[inward]])]
    )
    planes = planes[np.unique(planes.round(9), axis=0, return_index=True)[1]]
    return planes[:, :3], planes[:, 3]


def convex_corners(points: FloatArray) -> FloatArray:
    """Those of points (k, 3) that are corners of their convex hull: where three faces that are not parallel meet."""
    points = points[np.unique(points.round(9), axis=0, return_index=True)[1]]
    normals, offsets = convex_faces(points)
    touching = np.abs(points @ normals.T - offsets) < FLAT
    corner = [np.linalg.matrix_rank(normals[faces], tol=1e-3) == 3 for faces in touching]
    return points[corner]
