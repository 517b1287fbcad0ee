"""Which marker sits where on which block: the one description that localiser and simulator share.

Block frame: origin at the cube's centre, axes along its face normals, `+z` up when the block stands as drawn.
Face frame: origin at the face's centre, z the outward normal, x to the right and y up for someone who looks at
the face from outside (FACE_AXES). A marker lies in the middle of its face, turned counter-clockwise by
`quarter_turns` as seen from outside. Corners go clockwise from the marker's own top left, as OpenCV returns them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np

from dofbot_ros.config.loader import load_yaml
from dofbot_ros.config.ranges import Checked, Colour, Range
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.transforms import apply, invert, rot_z, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import UsageError, one_of
from dofbot_ros.vision.markers.aruco import dictionary_named

FACE_AXES: dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "+x": ((0, 1, 0), (0, 0, 1)),
    "-x": ((0, -1, 0), (0, 0, 1)),
    "+y": ((-1, 0, 0), (0, 0, 1)),
    "-y": ((1, 0, 0), (0, 0, 1)),
    "+z": ((1, 0, 0), (0, 1, 0)),
    "-z": ((1, 0, 0), (0, -1, 0)),
}
"""Face -> its x axis (right) and y axis (up) in the block frame; z, their cross product, points out."""

MAX_SHIFT, MAX_TURN = 0.005, 0.3
"""A label that was glued further off than this is to be glued anew [m], [rad]."""


@dataclass(frozen=True)
class FaceMarker(Checked):
    """A marker on a face.

    Attributes:
        id: in the set's dictionary.
        quarter_turns: 0..3, counter-clockwise as seen from outside; 0: the marker's top is the face's +y side.
        shift: of its middle from the face's, along the face's x and y axes: a label that was glued beside it [m].
        turn: further angle, counter-clockwise as seen from outside: a label that was glued askew [rad].
    """

    id: int
    quarter_turns: Annotated[int, Range(0, 3)] = 0
    shift: Annotated[tuple[float, float], Range(-MAX_SHIFT, MAX_SHIFT)] = (0.0, 0.0)
    turn: Annotated[float, Range(-MAX_TURN, MAX_TURN)] = 0.0


@dataclass(frozen=True)
class Block(Checked):
    """A cube with markers.

    Attributes:
        name: unique in the set.
        colour: red, green, blue, each 0..255; what shows around the labels.
        faces: face name (a key of FACE_AXES) -> its marker.
        size: edge of the cube [m].
        marker_size: edge of the black square [m].
        label_size: edge of the white square around it [m].
    """

    name: str
    colour: Colour
    faces: dict[str, FaceMarker]
    size: float = 0.030
    marker_size: float = 0.022
    label_size: float = 0.028

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        for face in self.faces:
            if face not in FACE_AXES:
                yield one_of("face", face, FACE_AXES)
        if not 0 < self.marker_size < self.label_size <= self.size:
            yield (
                f"{self.name}: marker {self.marker_size} m, label {self.label_size} m and cube {self.size} m "
                "must grow in this order: a marker is found by the white around it"
            )

    def resized(self, size: float) -> Block:
        """The same block with an edge of `size` [m], markers and labels in proportion."""
        by = size / self.size
        return replace(self, size=size, marker_size=by * self.marker_size, label_size=by * self.label_size)

    def face_frame(self, face: str) -> FloatArray:
        """The face frame in the block frame, shape (4, 4)."""
        x, y = (np.array(axis, dtype=np.float64) for axis in FACE_AXES[face])
        normal = np.cross(x, y)
        return transform(np.column_stack([x, y, normal]), 0.5 * self.size * normal)

    def marker_frame(self, face: str) -> FloatArray:
        """The marker on `face` in the block frame: x to its right, y to its top, z out of it; shape (4, 4)."""
        marker = self.faces[face]
        return self.face_frame(face) @ transform(
            rot_z(0.5 * np.pi * marker.quarter_turns + marker.turn), (*marker.shift, 0.0)
        )

    def marker_corners(self, face: str) -> FloatArray:
        """Top left, top right, bottom right, bottom left of the marker on `face` in the block frame [m], (4, 3)."""
        return apply(self.marker_frame(face), square_corners(self.marker_size))


@dataclass(frozen=True, eq=False)
class PlacedMarker:
    """What an id means.

    Attributes:
        block: the one that carries it.
        face: where.
        corners: of the marker in the block frame, as Block.marker_corners gives them [m], shape (4, 3).
        T_marker_block: the block in the marker's frame, shape (4, 4) [m].
    """

    block: Block
    face: str
    corners: FloatArray
    T_marker_block: FloatArray


@dataclass(frozen=True)
class BlockSet(Checked):
    """The blocks on the table; no two faces share an id, so that one marker tells block and orientation."""

    dictionary: str
    blocks: tuple[Block, ...]

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        count = len(dictionary_named(self.dictionary).bytesList)
        owners: dict[int, str] = {}
        for block in self.blocks:
            for face, marker in block.faces.items():
                here = f"{block.name} {face}"
                if not 0 <= marker.id < count:
                    yield f"{here}: id {marker.id} is not in {self.dictionary} (0 to {count - 1})"
                if marker.id in owners:
                    yield f"{here}: id {marker.id} is already on {owners[marker.id]}"
                owners[marker.id] = here
        names = [block.name for block in self.blocks]
        for name in names:
            if names.count(name) > 1:
                yield f"two blocks are called {name}"

    def markers(self) -> dict[int, PlacedMarker]:
        """Marker id -> where it sits."""
        return {
            marker.id: PlacedMarker(block, face, block.marker_corners(face), invert(block.marker_frame(face)))
            for block in self.blocks
            for face, marker in block.faces.items()
        }

    def block(self, name: str) -> Block:
        """The block called `name`.

        Raises:
            ConfigError: there is none.
        """
        for block in self.blocks:
            if block.name == name:
                return block
        raise UsageError(one_of("block", name, [b.name for b in self.blocks]))


def square_corners(size: float) -> FloatArray:
    """Corners of a marker in its own frame (x right, y up, z out), clockwise from the top left [m], shape (4, 3)."""
    h = 0.5 * size
    return np.array([[-h, h, 0.0], [h, h, 0.0], [h, -h, 0.0], [-h, -h, 0.0]])


def load_blocks(path: str | Path | None = None) -> BlockSet:
    """Read a block set; without a path the one this package ships (config/blocks.yaml).

    Raises:
        ConfigError: the file cannot be used, and where.
    """
    return load_yaml(BlockSet, share_file("config", "blocks.yaml") if path is None else path)
