"""Objects from a folder of URDF, OBJ and STL files, scaled to what the gripper can hold."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.simulation.shapes import Box, Capsule, Cylinder, Mesh, Part, Shape, Solid

MAX_WIDTH, MAX_LENGTH, MAX_HEIGHT = 0.034, 0.060, 0.045
"""A file's object is scaled until its shorter side, its longer side and its height are at most these [m]."""

SUFFIXES = (".urdf", ".obj", ".stl")

MAX_FILE = 16 * 2**20
"""Longest file that is read; a mesh of 300,000 triangles has this many bytes."""

MOST_PIECES = 64
"""Convex pieces of one object; V-HACD makes 32 by default."""

FURTHEST = 1e9
"""Coordinates are below this, in whatever unit."""

# What numbers, tags and hulls raise that are none (Qhull's error is a RuntimeError).
_UNREADABLE = (
    OSError, ValueError, LookupError, ArithmeticError, RuntimeError, MemoryError, ElementTree.ParseError, struct.error
)  # fmt: skip


@dataclass(frozen=True)
class Folder:
    """What a folder holds.

    Attributes:
        shapes: by file name.
        skipped: file name -> why it cannot be used.
    """

    shapes: dict[str, Shape]
    skipped: dict[str, str]


def read_folder(folder: Path) -> Folder:
    """Every URDF, OBJ and STL file in `folder`, each as one rigid object that stands as its file has it, z up.

    Meshes collide as their convex hull; an OBJ file with several objects in it (`o`, `g`), as V-HACD writes them for a
    shape that is not convex, as the hulls of all of them together. A URDF without collision geometry collides as it
    looks. The unit of length does not matter, because everything is scaled.

    Raises:
        InputError: there is no usable file.
    """
    shapes: dict[str, Shape] = {}
    skipped: dict[str, str] = {}
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES):
        try:
            shapes[path.name] = fitted(Shape(path.name, _READERS[path.suffix.lower()](path)))
        except InputError as error:
            skipped[path.name] = str(error)
        except _UNREADABLE as error:
            skipped[path.name] = f"cannot be read: {' '.join(str(error).split())[:200] or type(error).__name__}"
    if not shapes:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped.items())
        raise InputError(f"{folder} holds no usable .urdf, .obj or .stl file{': ' + reasons if reasons else ''}")
    return Folder(shapes, skipped)


def fitted(shape: Shape) -> Shape:
    """The same shape at the largest scale that the gripper can hold.

    Raises:
        InputError: it is flat.
    """
    width, length, height = _extents(shape)
    if min(width, height) < 1e-3 * length:
        raise InputError("is flat: nothing to hold")
    factor = min(MAX_WIDTH / width, MAX_LENGTH / length, MAX_HEIGHT / height)
    return Shape(shape.family, tuple(_scaled(part, factor) for part in shape.parts))


def _extents(shape: Shape) -> tuple[float, float, float]:
    x, y, z = np.ptp(shape.hull(), axis=0)
    return float(min(x, y)), float(max(x, y)), float(z)


def _scaled(part: Part, factor: float) -> Part:
    x, y, z = (factor * v for v in part.position)
    return Part(part.solid.scaled(factor), (x, y, z), part.rpy)


def _read_obj(path: Path) -> tuple[Part, ...]:
    vertices: list[list[float]] = []
    pieces: list[list[list[float]]] = []
    for line in _content(path).decode("utf-8", "replace").splitlines():
        fields = line.split()
        if fields[:1] == ["v"]:
            vertices.append([float(v) for v in fields[1:4]])
        elif fields[:1] in (["o"], ["g"]) and vertices:
            pieces.append(vertices)
            vertices = []
    pieces.append(vertices)
    if len(pieces) > MOST_PIECES:
        raise InputError(f"holds {len(pieces)} objects: at most {MOST_PIECES} together are one to grasp")
    if len(pieces) > 1:
        # Slivers, and names without vertices, have no inside to collide with.
        pieces = [piece for piece in pieces if _is_solid(piece)] or [[]]
    return tuple(part for piece in pieces for part in _mesh(np.array(piece)))


def _is_solid(piece: list[list[float]]) -> bool:
    points = np.array([vertex for vertex in piece if len(vertex) == 3])
    if len(points) < 4 or not np.all(np.abs(points) < FURTHEST):
        return False
    _, size, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    return bool(size[2] > 1e-3 * size[0])


def _read_stl(path: Path) -> tuple[Part, ...]:
    content = _content(path)
    count = struct.unpack_from("<I", content, 80)[0] if len(content) >= 84 else -1
    if len(content) == 84 + 50 * count:
        facet = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
        return _mesh(np.frombuffer(content, facet, count, 84)["corners"].reshape(-1, 3).astype(np.float64))
    lines = (line.split() for line in content.decode("ascii", errors="replace").splitlines())
    return _mesh(np.array([[float(v) for v in fields[1:4]] for fields in lines if fields[:1] == ["vertex"]]))


def _mesh(vertices: FloatArray) -> tuple[Part, ...]:
    if vertices.ndim != 2 or len(vertices) < 4 or vertices.shape[1] != 3 or not np.all(np.abs(vertices) < FURTHEST):
        raise InputError(f"holds no mesh: at least four vertices with three coordinates below {FURTHEST:g} each")
    middle = 0.5 * (vertices.min(axis=0) + vertices.max(axis=0))
    return (Part(Mesh(vertices - middle), (float(middle[0]), float(middle[1]), float(middle[2]))),)


def _read_urdf(path: Path) -> tuple[Part, ...]:
    content = _content(path)
    if b"<!DOCTYPE" in content:
        raise InputError("has a document type, whose entities may multiply: a URDF needs none")
    root = ElementTree.fromstring(content)
    links = root.findall("link")
    if len(links) != 1:
        raise InputError(f"has {len(links)} links: an object to grasp is one rigid link")
    elements = links[0].findall("collision") or links[0].findall("visual")
    parts = [part for element in elements for part in _urdf_parts(element, path.parent)]
    if not parts:
        raise InputError("its link has neither collision nor visual geometry")
    return tuple(parts)


def _urdf_parts(element: ElementTree.Element, folder: Path) -> list[Part]:
    origin, geometry = element.find("origin"), element.find("geometry")
    shape = None if geometry is None or len(geometry) == 0 else geometry[0]
    if shape is None:
        raise InputError("a collision element has no geometry")
    x, y, z = _floats(origin, "xyz")
    roll, pitch, yaw = _floats(origin, "rpy")
    if shape.tag == "mesh":
        return [Part(one, (x, y, z), (roll, pitch, yaw)) for one in _urdf_meshes(shape, folder)]
    solid: Solid
    if shape.tag == "box":
        a, b, c = (float(v) for v in shape.get("size", "").split())
        solid = Box((a, b, c))
    elif shape.tag == "cylinder":
        solid = Cylinder(float(shape.get("radius", "nan")), float(shape.get("length", "nan")))
    elif shape.tag == "sphere":
        solid = Capsule(float(shape.get("radius", "nan")), 0.0)
    else:
        raise InputError(f"its geometry {shape.tag} is none of box, cylinder, sphere, mesh")
    if not np.all(np.abs(solid.hull()) < FURTHEST):
        raise InputError(f"its {shape.tag} lacks a dimension, or has one beyond {FURTHEST:g}")
    return [Part(solid, (x, y, z), (roll, pitch, yaw))]


def _urdf_meshes(shape: ElementTree.Element, folder: Path) -> list[Solid]:
    """The pieces of a mesh file where the URDF has them, less the element's origin."""
    name = folder / shape.get("filename", "").removeprefix("package://")
    reader = _READERS.get(name.suffix.lower())
    if reader is None or name.suffix.lower() == ".urdf":
        raise InputError(f"its mesh {name.name} is no .obj or .stl file")
    scale = np.array([float(v) for v in shape.get("scale", "1 1 1").split()])
    if scale.shape != (3,) or not np.all((np.abs(scale) > 0.0) & (np.abs(scale) < FURTHEST)):
        raise InputError(
            f"its mesh {name.name} is scaled by {shape.get('scale')}: three numbers other than 0 are expected"
        )
    found: list[Solid] = []
    for part in reader(name):
        points = scale * (part.solid.hull() + np.array(part.position))
        if not np.all(np.abs(points) < FURTHEST):
            raise InputError(f"its mesh {name.name} has coordinates beyond {FURTHEST:g}")
        found.append(Mesh(points))
    return found


def _floats(element: ElementTree.Element | None, name: str) -> tuple[float, float, float]:
    text = "0 0 0" if element is None else element.get(name, "0 0 0")
    a, b, c = (float(v) for v in text.split())
    if not all(abs(v) < FURTHEST for v in (a, b, c)):
        raise InputError(f"its {name}={text[:80]!r} is not three numbers below {FURTHEST:g}")
    return a, b, c


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        raise InputError(f"is longer than {MAX_FILE // 2**20} MB")
    return content


_READERS: dict[str, Callable[[Path], tuple[Part, ...]]] = {".obj": _read_obj, ".stl": _read_stl, ".urdf": _read_urdf}
