"""What a policy sees of a camera: the whole picture, small; rendered for training as a real one is made small."""

from __future__ import annotations

import functools
from dataclasses import replace

import cv2
import numpy as np

from dofbot_ros.core.transforms import apply
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.policy.perception.keypoints import project
from dofbot_ros.sim.config import CameraConfig
from dofbot_ros.sim.randomization import DomainSample
from dofbot_ros.sim.rendering.camera import CUBE_CORNERS, SimCamera, look_at
from dofbot_ros.sim.rendering.tables import table_picture
from dofbot_ros.sim.world import World
from dofbot_ros.vision.intrinsics import Intrinsics, from_field_of_view

WIDTH = 128
"""Of a policy's picture [px]: 4.8 mm of the table a pixel under the overhead camera."""

SHAPE = (3, 4)
"""Rows to columns of the camera."""

FINE = 2
"""Rendered pixels a pixel of the picture along each axis: edges as soft as a camera's."""

TABLE_PIXELS_PER_M = 400


def rows(width: int) -> int:
    """Rows of a picture of this width [px]."""
    return width * SHAPE[0] // SHAPE[1]


def shrunk(picture: ImageArray, width: int) -> ImageArray:
    """A camera's picture as a policy is shown it, RGB (rows, width, 3): averaged, not sampled."""
    small = cv2.resize(picture, (width, rows(width)), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def nominal_view(width: int, camera: CameraConfig | None = None) -> tuple[Intrinsics, FloatArray]:
    """The calibration that a policy goes by: intrinsics of its picture, and the optical frame in base_link (4, 4)."""
    camera = camera or CameraConfig()
    return (
        from_field_of_view(width, rows(width), camera.field_of_view),
        look_at(camera.position, camera.target, camera.up),
    )


class PolicyCamera:
    """Small pictures of a world as one draw's camera takes them.

    Args:
        world: what it looks at.
        draw: where the camera stands, light, table and noise; None for the camera as it is.
        width: of the pictures [px].
        rng: of the noise.
        base: the camera before anything is drawn.
    """

    def __init__(
        self,
        world: World,
        draw: DomainSample | None,
        width: int = WIDTH,
        rng: np.random.Generator | None = None,
        base: CameraConfig | None = None,
    ) -> None:
        base = base or CameraConfig()
        config = base if draw is None else draw.camera(base)
        self._world = world
        self._noise = config.noise
        self._rng = rng or np.random.default_rng(0)
        self._width = width
        fine = replace(config.sized(FINE * width, FINE * rows(width)), supersampling=1, noise=0.0)
        self._camera = SimCamera(world, fine, table=_table(config.table_colour, draw))

    def pose(self) -> FloatArray:
        """Where it truly is: the optical frame in base_link (4, 4)."""
        return self._camera.pose()

    @property
    def intrinsics(self) -> Intrinsics:
        """Of the pictures."""
        return self._camera.intrinsics.scaled(self._width, rows(self._width))

    def project(self, points: FloatArray) -> FloatArray:
        """Where the picture shows points (n, 3) of the world [m]: pixels (n, 2)."""
        return project(points, self.intrinsics, self.pose())

    def shown(self, name: str) -> float:
        """Share of a block's outline that the last picture shows, 0..1: less where the arm or the frame hides it."""
        return share_shown(self._world, self._camera, name)

    def render(self) -> ImageArray:
        """The picture at this moment, RGB (rows, width, 3)."""
        picture = shrunk(self._camera.render(), self._width)
        if self._noise == 0.0:
            return picture
        noisy = picture + self._noise * self._rng.standard_normal(picture.shape, dtype=np.float32)
        return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def share_shown(world: World, camera: SimCamera, name: str) -> float:
    """Share of a block's outline that `camera`'s last picture shows, 0..1: less where the arm or the frame hides it."""
    corners = apply(world.truth()[name], 0.5 * world.block_size(name) * CUBE_CORNERS)
    outline = cv2.convexHull(camera.project(corners).astype(np.float32))
    seen = np.count_nonzero(camera.bodies == world.body_id(name))
    return min(1.0, seen / cv2.contourArea(outline))


def _table(colour: tuple[int, int, int], draw: DomainSample | None) -> ImageArray:
    table = _plain_table(colour)
    texture = None if draw is None else draw.texture()
    if texture is None:
        return table
    spread = cv2.resize((255 * texture).astype(np.float32), table.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.add(table, spread, dtype=cv2.CV_8U), np.uint8)


@functools.lru_cache(maxsize=4)
def _plain_table(colour: tuple[int, int, int]) -> ImageArray:
    return table_picture(colour, TABLE_PIXELS_PER_M)
