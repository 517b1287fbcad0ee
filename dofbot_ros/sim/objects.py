"""Cubes for the physics client: with markers on their faces, or in plain colour."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dofbot_ros.core.transforms import apply
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.sim.config import PlainBlock
from dofbot_ros.vision.markers.block_layout import FACE_AXES, Block, square_corners
from dofbot_ros.vision.markers.block_texture import face_texture

FACE_PIXELS = 192
"""Edge of a face in the texture [px]: about six times what the overhead camera resolves."""

_COLUMNS, _ROWS = 3, 2


def texture_atlas(block: Block, dictionary: str, pixels: int = FACE_PIXELS) -> ImageArray:
    """All six faces in one picture, three beside each other in two rows, in the order of FACE_AXES, RGB."""
    faces = [face_texture(block, face, dictionary, pixels) for face in FACE_AXES]
    return np.vstack([np.hstack(faces[:_COLUMNS]), np.hstack(faces[_COLUMNS:])])


def cube_mesh(block: Block) -> dict[str, list[Any]]:
    """Vertices [m], normals, texture coordinates and triangles of the cube that texture_atlas covers.

    Each face has four vertices of its own, because they differ in normal and texture.
    """
    vertices: list[FloatArray] = []
    normals: list[FloatArray] = []
    uvs: list[list[float]] = []
    indices: list[int] = []
    for number, face in enumerate(FACE_AXES):
        frame = block.face_frame(face)
        row, column = divmod(number, _COLUMNS)
        first = len(vertices)
        vertices += list(apply(frame, square_corners(block.size)))
        normals += [frame[:3, 2]] * 4
        left, right = column / _COLUMNS, (column + 1) / _COLUMNS
        # v counts from the picture's lower edge.
        top, bottom = 1 - row / _ROWS, 1 - (row + 1) / _ROWS
        uvs += [[left, top], [right, top], [right, bottom], [left, bottom]]
        indices += [first, first + 2, first + 1, first, first + 3, first + 2]
    return {
        "vertices": [v.tolist() for v in vertices],
        "normals": [n.tolist() for n in normals],
        "uvs": uvs,
        "indices": indices,
    }


def add_marked_cube(client: Any, block: Block, dictionary: str, mass: float, folder: Path) -> int:
    """Create a cube with its markers at the origin. Returns its body id.

    Args:
        client: the PyBullet client.
        block: what it looks like.
        dictionary: name of the marker dictionary.
        mass: [kg].
        folder: where the texture is kept; the client reads textures from files only.
    """
    path = folder / f"{block.name}-{zlib.crc32(repr(block).encode()):08x}.png"
    if not path.exists():
        cv2.imwrite(str(path), cv2.cvtColor(texture_atlas(block, dictionary), cv2.COLOR_RGB2BGR))
    visual = client.createVisualShape(client.GEOM_MESH, **cube_mesh(block))
    body = _cube(client, block.size, mass, visual)
    client.changeVisualShape(body, -1, textureUniqueId=client.loadTexture(str(path)))
    return body


def add_plain_cube(client: Any, block: PlainBlock, mass: float) -> int:
    """Create a cube in one colour at the origin. Returns its body id."""
    colour = [*(c / 255.0 for c in block.colour), 1.0]
    visual = client.createVisualShape(client.GEOM_BOX, halfExtents=[0.5 * block.size] * 3, rgbaColor=colour)
    return _cube(client, block.size, mass, visual)


def _cube(client: Any, size: float, mass: float, visual: int) -> int:
    shape = client.createCollisionShape(client.GEOM_BOX, halfExtents=[0.5 * size] * 3)
    return int(client.createMultiBody(baseMass=mass, baseCollisionShapeIndex=shape, baseVisualShapeIndex=visual))
