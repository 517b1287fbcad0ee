"""Pictures of blocks at known poses, drawn by homography: ground truth for tests and benches without a simulator."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from dofbot_ros.core.transforms import apply, invert
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.vision.intrinsics import Intrinsics
from dofbot_ros.vision.markers.block_layout import FACE_AXES, Block, BlockSet, square_corners
from dofbot_ros.vision.markers.block_texture import face_texture

SUPERSAMPLING = 3
TABLE_GREY = 150
TEXTURE_PIXELS = 240


def draw_blocks(
    blocks: BlockSet,
    T_camera_block: Mapping[str, FloatArray],
    intrinsics: Intrinsics,
    rng: np.random.Generator,
    *,
    blur_px: float = 0.6,
    noise: float = 3.0,
) -> ImageArray:
    """What a camera without distortion sees of `blocks` on a plain table.

    Args:
        blocks: the set.
        T_camera_block: block name -> its pose in the optical frame, shape (4, 4); others are not drawn.
        intrinsics: the camera; its distortion is left out.
        rng: draws the noise.
        blur_px: standard deviation of the blur [px].
        noise: standard deviation of the noise [grey levels].

    Returns:
        RGB image, shape (height, width, 3).
    """
    fine = intrinsics.scaled(intrinsics.width * SUPERSAMPLING, intrinsics.height * SUPERSAMPLING)
    image = np.full((fine.height, fine.width, 3), TABLE_GREY, np.uint8)
    for name in sorted(T_camera_block, key=lambda n: -float(np.linalg.norm(T_camera_block[n][:3, 3]))):
        _draw_block(image, blocks.block(name), blocks.dictionary, T_camera_block[name], fine.K)
    small = cv2.resize(image, intrinsics.size, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), blur_px) if blur_px > 0 else small
    grainy = blurred + rng.normal(0.0, noise, blurred.shape)
    return np.clip(np.rint(grainy), 0, 255).astype(np.uint8)


def _draw_block(image: ImageArray, block: Block, dictionary: str, T_camera_block: FloatArray, K: FloatArray) -> None:
    eye = invert(T_camera_block)[:3, 3]
    n = TEXTURE_PIXELS
    # Pixel centres are at whole numbers: the face's border lies half a pixel outside the first and last centre.
    texture_corners = np.array([[0, 0], [n, 0], [n, n], [0, n]], np.float32) - np.float32(0.5)
    for face in FACE_AXES:
        T_block_face = block.face_frame(face)
        if (eye - T_block_face[:3, 3]) @ T_block_face[:3, 2] <= 0:
            continue
        corners = apply(T_camera_block @ T_block_face, square_corners(block.size)) @ K.T
        if np.any(corners[:, 2] <= 0):
            continue
        H = cv2.getPerspectiveTransform(texture_corners, (corners[:, :2] / corners[:, 2:]).astype(np.float32))
        texture = face_texture(block, face, dictionary, n)
        size = (image.shape[1], image.shape[0])
        cv2.warpPerspective(texture, H, size, dst=image, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)
