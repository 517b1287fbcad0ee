"""Solid objects as unions of simple bodies, and the URDF that puts one into the physics engine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from dofbot_ros.core.transforms import rot_rpy
from dofbot_ros.core.types import FloatArray


@dataclass(frozen=True)
class Box:
    """A cuboid with sides x, y, z [m]."""

    size: tuple[float, float, float]

    @property
    def volume(self) -> float:
        """[m^3]."""
        return math.prod(self.size)

    def scaled(self, factor: float) -> Box:
        """The same at another size."""
        x, y, z = (factor * v for v in self.size)
        return Box((x, y, z))

    def hull(self) -> FloatArray:
        """Corners (8, 3) [m] about its centre."""
        signs = np.array(np.meshgrid([-0.5, 0.5], [-0.5, 0.5], [-0.5, 0.5])).reshape(3, 8).T
        return np.asarray(signs * self.size)

    def geometry(self, folder: Path, name: str) -> str:  # noqa: ARG002
        """URDF geometry."""
        return f'<box size="{_numbers(self.size)}"/>'


@dataclass(frozen=True)
class Cylinder:
    """A cylinder about z [m]."""

    radius: float
    length: float

    @property
    def volume(self) -> float:
        """[m^3]."""
        return math.pi * self.radius**2 * self.length

    def scaled(self, factor: float) -> Cylinder:
        """The same at another size."""
        return Cylinder(factor * self.radius, factor * self.length)

    def hull(self) -> FloatArray:
        """Points (48, 3) [m] on both rims."""
        return extrude(polygon(24, self.radius), self.length)

    def geometry(self, folder: Path, name: str) -> str:  # noqa: ARG002
        """URDF geometry."""
        return f'<cylinder radius="{self.radius:.6f}" length="{self.length:.6f}"/>'


@dataclass(frozen=True)
class Capsule:
    """A cylinder about z with half balls on its ends; `length` is without them [m]."""

    radius: float
    length: float

    @property
    def volume(self) -> float:
        """[m^3]."""
        return math.pi * self.radius**2 * (self.length + 4.0 / 3.0 * self.radius)

    def scaled(self, factor: float) -> Capsule:
        """The same at another size."""
        return Capsule(factor * self.radius, factor * self.length)

    def hull(self) -> FloatArray:
        """Points (n, 3) [m] on its surface: the rims of the cylinder and both poles."""
        rims = extrude(polygon(24, self.radius), self.length)
        pole = 0.5 * self.length + self.radius
        return np.vstack([rims, [[0.0, 0.0, pole], [0.0, 0.0, -pole]]])

    def geometry(self, folder: Path, name: str) -> str:  # noqa: ARG002
        """URDF geometry."""
        return f'<capsule radius="{self.radius:.6f}" length="{self.length:.6f}"/>'


@dataclass(frozen=True)
class Prism:
    """A convex polygon, corners x, y counter-clockwise [m], extruded along z about its middle by `height` [m]."""

    outline: tuple[tuple[float, float], ...]
    height: float

    @property
    def volume(self) -> float:
        """[m^3]."""
        x, y = np.array(self.outline).T
        return 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) * self.height

    def scaled(self, factor: float) -> Prism:
        """The same at another size."""
        return Prism(tuple((factor * x, factor * y) for x, y in self.outline), factor * self.height)

    def hull(self) -> FloatArray:
        """Corners (2n, 3) [m]."""
        return extrude(np.array(self.outline), self.height)

    def geometry(self, folder: Path, name: str) -> str:
        """URDF geometry; its mesh is written to `folder`/`name`.obj."""
        path = folder / f"{name}.obj"
        path.write_text(obj_text(self.hull(), _prism_faces(len(self.outline))), encoding="utf-8")
        return f'<mesh filename="{path}"/>'


class Mesh:
    """The convex hull of points (n, 3) [m]; of many, the outermost in each of some hundred directions.

    Args:
        points: at least four, not in one plane.
    """

    DIRECTIONS = 200

    def __init__(self, points: FloatArray) -> None:
        # Directions that cover the sphere evenly (the Fibonacci lattice).
        k = np.arange(self.DIRECTIONS) + 0.5
        height, angle = 1.0 - 2.0 * k / self.DIRECTIONS, np.pi * (1.0 + 5.0**0.5) * k
        side = np.sqrt(1.0 - height**2)
        directions = np.stack([side * np.cos(angle), side * np.sin(angle), height], axis=-1)
        self.points: FloatArray = np.unique(points[np.argmax(points @ directions.T, axis=0)], axis=0)

    @property
    def volume(self) -> float:
        """About half of the box around it: good enough for a mass that is drawn at random [m^3]."""
        return 0.5 * float(np.prod(np.ptp(self.points, axis=0)))

    def scaled(self, factor: float) -> Mesh:
        """The same at another size."""
        return Mesh(factor * self.points)

    def hull(self) -> FloatArray:
        """The points (n, 3) [m]."""
        return self.points

    def geometry(self, folder: Path, name: str) -> str:
        """URDF geometry; its mesh is written to `folder`/`name`.obj."""
        from scipy.spatial import ConvexHull

        hull = ConvexHull(self.points)
        triangles = []
        for corners, plane in zip(hull.simplices, hull.equations, strict=True):
            a, b, c = self.points[corners]
            outward = float(np.dot(np.cross(b - a, c - a), plane[:3])) > 0
            triangles.append(corners if outward else corners[::-1])
        path = folder / f"{name}.obj"
        path.write_text(obj_text(self.points, triangles), encoding="utf-8")
        return f'<mesh filename="{path}"/>'


Solid = Box | Cylinder | Capsule | Prism | Mesh


@dataclass(frozen=True)
class Part:
    """A body at a place in its object.

    Attributes:
        solid: the body.
        position: of its centre [m].
        rpy: its turn, as in a URDF [rad].
    """

    solid: Solid
    position: tuple[float, float, float]
    rpy: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Shape:
    """An object in the pose in which it rests on z = 0.

    Attributes:
        family: what kind of shape it is.
        parts: its bodies; they may overlap.
    """

    family: str
    parts: tuple[Part, ...]

    @property
    def volume(self) -> float:
        """Sum over the parts, overlaps counted twice [m^3]."""
        return sum(part.solid.volume for part in self.parts)

    @property
    def centroid(self) -> FloatArray:
        """Centre of mass (3,) [m], overlaps counted twice."""
        return np.asarray(sum(p.solid.volume * np.array(p.position) for p in self.parts) / self.volume)

    def hull(self) -> FloatArray:
        """Points (n, 3) [m] whose convex hull holds the object."""
        return np.vstack([p.solid.hull() @ rot_rpy(*p.rpy).T + p.position for p in self.parts])

    @property
    def radius(self) -> float:
        """Of the circle about the centroid that holds the footprint [m]."""
        return float(np.linalg.norm((self.hull() - self.centroid)[:, :2], axis=1).max())


def standing(family: str, *parts: tuple[Solid, float, float, float, float]) -> Shape:
    """Parts (solid, height, x, y, yaw) that stand on the table."""
    return Shape(family, tuple(Part(s, (x, y, 0.5 * h), (0.0, 0.0, yaw)) for s, h, x, y, yaw in parts))


def height_of(rng: np.random.Generator) -> float:
    """How high a standing object is [m]."""
    return float(rng.uniform(0.020, 0.042))


def write_urdf(shape: Shape, mass: float, rgb: tuple[float, float, float], folder: Path, name: str) -> Path:
    """Write `folder`/`name`.urdf: one link whose origin is the centre of mass. Returns its path.

    Args:
        shape: the object.
        mass: [kg].
        rgb: colour, each 0..1.
        folder: where the file and its meshes go.
        name: unique in the folder.
    """
    centre = shape.centroid
    bodies = []
    for number, part in enumerate(shape.parts):
        geometry = part.solid.geometry(folder, f"{name}-{number}")
        origin = f'<origin xyz="{_numbers(np.array(part.position) - centre)}" rpy="{_numbers(part.rpy)}"/>'
        colour = f'<material name="c"><color rgba="{_numbers(rgb)} 1"/></material>'
        bodies.append(f"<visual>{origin}<geometry>{geometry}</geometry>{colour}</visual>")
        bodies.append(f"<collision>{origin}<geometry>{geometry}</geometry></collision>")
    # The engine takes the inertia from the collision shapes.
    inertial = (
        f'<inertial><mass value="{mass:.6f}"/><inertia ixx="1" ixy="0" ixz="0" iyy="1" iyz="0" izz="1"/></inertial>'
    )
    path = folder / f"{name}.urdf"
    path.write_text(
        f'<robot name="{name}"><link name="object">{inertial}{"".join(bodies)}</link></robot>', encoding="utf-8"
    )
    return path


def polygon(corners: int, radius: float) -> FloatArray:
    """Corners (n, 2) [m] of a regular polygon in a circle of `radius`, counter-clockwise."""
    angle = 2.0 * np.pi * np.arange(corners) / corners
    return np.asarray(radius * np.stack([np.cos(angle), np.sin(angle)], axis=-1))


def extrude(outline: FloatArray, height: float) -> FloatArray:
    """Lower, then upper corners (2n, 3) [m] of an outline (n, 2) extruded about z = 0."""
    z = np.full((len(outline), 1), 0.5 * height)
    return np.vstack([np.hstack([outline, -z]), np.hstack([outline, z])])


def obj_text(corners: FloatArray, faces: Sequence[Sequence[int]]) -> str:
    """Wavefront OBJ of convex faces, corners (n, 3) and their indices counter-clockwise from outside.

    Each face has a normal of its own, so that edges are drawn sharp.
    """
    lines = [f"v {_numbers(corner)}" for corner in corners]
    triangles: list[str] = []
    for number, face in enumerate(faces, start=1):
        a, b, c = (corners[i] for i in face[:3])
        normal = np.cross(b - a, c - a)
        lines.append(f"vn {_numbers(normal / max(float(np.linalg.norm(normal)), 1e-12))}")
        for second, third in pairwise(face[1:]):
            triangles.append("f " + " ".join(f"{i + 1}//{number}" for i in (face[0], second, third)))
    return "\n".join([*lines, *triangles]) + "\n"


def _prism_faces(n: int) -> list[list[int]]:
    low, high = list(range(n)), list(range(n, 2 * n))
    return [low[::-1], high, *([low[i], low[(i + 1) % n], high[(i + 1) % n], high[i]] for i in range(n))]


def _numbers(values: object) -> str:
    return " ".join(f"{v:.6f}" for v in np.asarray(values, dtype=np.float64))
