"""How a block's faces look: the texture of the simulated cube and the label to print are one drawing."""

from __future__ import annotations

import math

import cv2
import numpy as np

from dofbot_ros.core.types import ImageArray
from dofbot_ros.vision.markers.aruco import dictionary_named
from dofbot_ros.vision.markers.block_layout import Block
from dofbot_ros.vision.opencv_aruco import marker_image


def face_texture(block: Block, face: str, dictionary: str, pixels: int = 300) -> ImageArray:
    """A face as someone outside sees it, the face frame's y axis up: colour, white label, marker.

    Args:
        block: the block.
        face: a key of FACE_AXES; a face without a marker is plain colour.
        dictionary: name of the marker dictionary.
        pixels: edge of the square picture; it spans the whole face of `block.size`.

    Returns:
        RGB image, shape (pixels, pixels, 3).
    """
    image = np.empty((pixels, pixels, 3), np.uint8)
    image[:] = block.colour
    marker = block.faces.get(face)
    if marker is None:
        return image
    _centre(image, block.label_size / block.size)[:] = 255
    area = _centre(image, block.marker_size / block.size)
    code = marker_image(dictionary_named(dictionary), marker.id, area.shape[0])
    area[:] = np.rot90(code, marker.quarter_turns)[..., None]
    if marker.turn == 0.0 and not any(marker.shift):
        return image
    middle = 0.5 * (pixels - 1)
    glued = cv2.getRotationMatrix2D((middle, middle), math.degrees(marker.turn), 1.0)
    to_side = pixels / block.size * np.array([[0.0, 0.0, marker.shift[0]], [0.0, 0.0, -marker.shift[1]]])
    colour = [int(c) for c in block.colour]
    return np.asarray(cv2.warpAffine(image, glued + to_side, (pixels, pixels), borderValue=colour), np.uint8)


def _centre(image: ImageArray, fraction: float) -> ImageArray:
    """View of the middle square that spans `fraction` of the edge."""
    n = image.shape[0]
    edge = round(0.5 * n * (1.0 - fraction))
    return image[edge : n - edge, edge : n - edge]
