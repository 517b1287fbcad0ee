"""The hopper's camera: beside it, moving along with it, in the light and colours of one world."""

from __future__ import annotations

import weakref
from typing import Any

import cv2
import numpy as np

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.lab.hopper.world.body import HopperBody, import_mujoco
from dofbot_ros.lab.hopper.world.randomization import HopperDraw
from dofbot_ros.sim.randomization import shift_colour

SIZE = 64
"""Edge of the pictures that networks see [px]."""

HEIGHT_M, DISTANCE_M, FOVY_DEG = 0.95, 2.6, 45.0
"""Of the camera over the floor, and from the hopper's plane: 2.15 m of height fill a picture, as high as it jumps."""

SAMPLES = 2
"""Along each edge of a pixel. A leg is two pixels wide: with one sample a keypoint hides a quarter of a pixel."""

SLICES, STACKS = 10, 4
"""Of a capsule's shape; mujoco's 28 and 16 look no other at this size, and take twice as long."""

TILE_M = 5.0
"""Edges of the squares that make the floor; Hopper-v5's 102,400 of 12 cm took nine tenths of a picture's time."""

BODY, FLOOR = (204, 153, 102), (204, 204, 204)
"""Colours, 0..255."""


class HopperCamera:
    """Renders one hopper. It follows x alone, so that the height shows.

    Args:
        body: what it sees.
        size: edge of the pictures [px].
    """

    def __init__(self, body: HopperBody, size: int = SIZE) -> None:
        mujoco = import_mujoco()
        model = body.model
        # An average of finer pictures takes half the time of mujoco's own multisampling, drawn without a GPU.
        model.vis.quality.offsamples = 0
        model.vis.quality.numslices, model.vis.quality.numstacks = SLICES, STACKS
        fine = SAMPLES * size
        model.vis.global_.offwidth = model.vis.global_.offheight = fine
        model.vis.global_.fovy = FOVY_DEG
        model.mat_reflectance[:] = 0.0
        model.geom_size[model.geom("floor").id, 2] = TILE_M
        # Colours are those of the shapes, so that a world can change them without new textures.
        moving = np.arange(model.ngeom) != model.geom("floor").id
        model.geom_matid[moving] = -1
        self._body, self._size = body, size
        try:
            self._renderer = mujoco.Renderer(model, fine, fine)
        except mujoco.FatalError as error:
            raise DofbotError(
                f"mujoco cannot draw here ({error}): install libegl1, and set MUJOCO_GL=egl before mujoco is imported"
            ) from error
        # Before the interpreter takes EGL down: the renderer's own end comes after that and complains.
        self._end = weakref.finalize(self, self._renderer.close)
        self._renderer.scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0
        self._renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        self._camera = mujoco.MjvCamera()
        self._camera.distance, self._camera.azimuth, self._camera.elevation = DISTANCE_M, 90.0, 0.0
        self._moving = moving
        self._noise, self._rng = 0.0, np.random.default_rng(0)

    def reset(self, draw: HopperDraw) -> None:
        """Take over light and colours of a world."""
        model, rng = self._body.model, np.random.default_rng([draw.seed, 2])
        for geom in np.flatnonzero(self._moving):
            model.geom_rgba[geom, :3] = np.array(shift_colour(rng, BODY, draw.colour_shift)) / 255.0
        model.material("MatPlane").rgba[:3] = np.array(shift_colour(rng, FLOOR, draw.colour_shift)) / 204.0
        model.vis.headlight.ambient[:] = 0.3 * draw.light
        model.vis.headlight.diffuse[:] = 0.4 * draw.light
        model.light_diffuse[0] = 0.6 * draw.light
        self._noise, self._rng = draw.picture_noise, np.random.default_rng([draw.seed, 3])

    def picture(self) -> ImageArray:
        """What it sees now, RGB (size, size, 3)."""
        data = self._body.data
        self._camera.lookat[:] = (data.subtree_com[0, 0], 0.0, HEIGHT_M)
        self._renderer.update_scene(data, self._camera)
        fine, size = self._renderer.render(), (self._size, self._size)
        picture: ImageArray = np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_AREA), np.uint8)
        if self._noise:
            noisy = picture + self._rng.normal(0.0, self._noise, picture.shape).astype(np.float32)
            picture = np.clip(noisy, 0.0, 255.0).astype(np.uint8)
        return picture

    def close(self) -> None:
        """Let go of the drawing context. Others of this process cannot draw any more: close them all together."""
        self._end()


def to_pixels(points: FloatArray, size: int = SIZE) -> FloatArray:
    """Where points of the hopper's plane appear.

    Args:
        points: x from the centre of mass and height [m], (..., 2).
        size: edge of the picture [px].

    Returns:
        Column and row [px], (..., 2); pixel centres are at whole numbers.
    """
    scale = metres_per_pixel(size)
    middle = 0.5 * (size - 1)
    pixels: FloatArray = np.stack(
        [middle + points[..., 0] / scale, middle - (points[..., 1] - HEIGHT_M) / scale], axis=-1
    )
    return pixels


def metres_per_pixel(size: int = SIZE) -> float:
    """In the hopper's plane."""
    return 2.0 * DISTANCE_M * float(np.tan(np.radians(0.5 * FOVY_DEG))) / size


def draw_keypoints(picture: ImageArray, points: FloatArray, colour: tuple[int, int, int]) -> ImageArray:
    """A copy of a picture with points of the hopper's plane (5, 2) marked in it."""
    marked: Any = picture.copy()
    for column, row in to_pixels(points, picture.shape[0]):
        cv2.circle(marked, (round(float(column)), round(float(row))), max(2, picture.shape[0] // 80), colour, -1)
    return marked  # type: ignore[no-any-return]
