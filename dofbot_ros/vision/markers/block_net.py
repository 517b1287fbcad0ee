"""The unfolded faces of a block with their axes, and the block itself: the picture in docs/vision.md.

`python -m dofbot_ros.vision.markers.block_net OUT.png` draws it from the shipped block set.
"""

from __future__ import annotations

import sys

import cv2
import numpy as np

from dofbot_ros.core.transforms import invert, transform
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.vision.intrinsics import Intrinsics, from_field_of_view
from dofbot_ros.vision.markers.block_image import draw_blocks
from dofbot_ros.vision.markers.block_layout import BlockSet, load_blocks
from dofbot_ros.vision.markers.block_texture import face_texture
from dofbot_ros.vision.markers.marker_report import AXIS_COLOURS, FONT, TEXT, save_image
from dofbot_ros.vision.markers.pose_fit import project

NET = (("+z", "", "", ""), ("-y", "+x", "+y", "-x"), ("-z", "", "", ""))
"""Neighbours in the net share an edge of the cube, and every face stands upright."""
FACE, GAP = 180, 56


def draw_net(blocks: BlockSet, name: str) -> ImageArray:
    """Net and view of the block called `name`: RGB."""
    pitch = FACE + GAP
    picture = np.full((len(NET) * pitch + GAP, len(NET[0]) * pitch + GAP, 3), 255, np.uint8)
    block = blocks.block(name)
    for row, faces in enumerate(NET):
        for column, face in enumerate(faces):
            if not face:
                continue
            x, y = GAP + column * pitch, GAP + row * pitch
            picture[y : y + FACE, x : x + FACE] = face_texture(block, face, blocks.dictionary, FACE)
            marker = block.faces.get(face)
            caption = f"{face}  id {marker.id}" if marker else face
            cv2.putText(picture, caption, (x, y - 8), FONT, 0.5, TEXT, 1, cv2.LINE_AA)
            corner = (x - 20, y + FACE + 12)
            _axis(picture, corner, (x + FACE // 3, corner[1]), 0)
            _axis(picture, corner, (corner[0], y + 2 * FACE // 3), 1)
    view = _view(blocks, name)
    picture[GAP // 2 : GAP // 2 + pitch, -GAP - 2 * pitch : -GAP] = view
    return picture


def _view(blocks: BlockSet, name: str) -> ImageArray:
    """The block from the front right, its frame's axes drawn out of the faces."""
    pitch = FACE + GAP
    camera = from_field_of_view(2 * pitch, pitch, 0.5)
    eye = np.array([0.11, -0.17, 0.13])
    T_camera_block = invert(_looking_at_origin(eye))
    image = draw_blocks(blocks, {name: T_camera_block}, camera, np.random.default_rng(0), blur_px=0.0, noise=0.0)
    half = 0.5 * blocks.block(name).size
    for i, axis in enumerate(np.eye(3)):
        # The part within the cube is hidden; y points away from the viewer, so all of it is.
        if axis @ eye > 0:
            start, end = (_pixel(T_camera_block, length * axis, camera) for length in (half, 2.0 * half))
            _axis(image, start, end, i)
    return image


def _looking_at_origin(eye: FloatArray) -> FloatArray:
    """Optical frame at `eye`, the block frame's z up in the picture."""
    forward = -eye / np.linalg.norm(eye)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    return transform(np.column_stack([right, np.cross(forward, right), forward]), eye)


def _pixel(T_camera_block: FloatArray, point: FloatArray, camera: Intrinsics) -> tuple[int, int]:
    u, v = project(T_camera_block, point[None])[0] * camera.K[[0, 1], [0, 1]] + camera.K[:2, 2]
    return round(u), round(v)


def _axis(picture: ImageArray, start: tuple[int, int], end: tuple[int, int], axis: int) -> None:
    colour = AXIS_COLOURS[axis]
    cv2.arrowedLine(picture, start, end, colour, 2, cv2.LINE_AA, tipLength=0.2)
    cv2.putText(picture, "xyz"[axis], (end[0] + 6, end[1] + 4), FONT, 0.5, colour, 1, cv2.LINE_AA)


if __name__ == "__main__":
    save_image(draw_net(load_blocks(), "blue"), sys.argv[1])
