"""The simulated camera: PyBullet's software renderer behind exact intrinsics, on a table that is painted in."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.transforms import apply, invert, transform
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.sim.config import CameraConfig
from dofbot_ros.sim.rendering.picture import LensMap, develop
from dofbot_ros.sim.rendering.shadows import shade
from dofbot_ros.sim.rendering.tables import TABLE_HALF_M, table_picture, with_sheet
from dofbot_ros.sim.world import World
from dofbot_ros.vision.intrinsics import OPTICAL_FRAME, SIMULATED_FRAME, Intrinsics, from_field_of_view

NEAR_M, FAR_M = 0.01, 3.0

BACKDROP = (96, 100, 108)
"""Colour of what is not table."""

WINDOW_MARGIN_PX = 2
CUBE_CORNERS = np.array(list(product((-1.0, 1.0), repeat=3)))


class SimCamera:
    """Renders what a camera in a world sees.

    Two things keep it quick. The table is not rendered but warped in from a flat picture: shading it costs PyBullet
    40 ms at 640x480. And only the blocks, whose markers somebody will measure, are rendered finely and averaged down.

    Args:
        world: what it looks at.
        config: where it is and what it is like; the world's camera by default.
        rng: draws the sensor's noise; a generator of its own, seeded with 0, by default.
        table: the table from above, as table_picture gives it, of any size; in the config's colour by default.
    """

    def __init__(
        self,
        world: World,
        config: CameraConfig | None = None,
        rng: np.random.Generator | None = None,
        table: ImageArray | None = None,
    ) -> None:
        self.config = config or world.config.camera
        frame = OPTICAL_FRAME if self.config.mount == "wrist" else SIMULATED_FRAME
        ideal = from_field_of_view(self.config.width, self.config.height, self.config.field_of_view, frame=frame)
        k1 = self.config.flaws.k1
        self.intrinsics: Intrinsics = replace(ideal, distortion=np.array([k1, 0.0, 0.0, 0.0, 0.0])) if k1 else ideal
        self._lens = LensMap.of(self.intrinsics, self.config.supersampling) if k1 else None
        self._drawn: NDArray[np.int32] = np.empty((0, 0), np.int32)
        self._world = world
        self._rng = rng or np.random.default_rng(0)
        if table is None:
            table = table_picture(self.config.table_colour, kind=self.config.table, seed=self.config.table_seed)
            table = with_sheet(table) if self.config.sheet else table
        self.table = table
        """The table from above, as table_picture gives it, RGB."""
        self._bare: tuple[FloatArray, ImageArray] | None = None

    @property
    def bodies(self) -> NDArray[np.int32]:
        """Which body each pixel of the last picture shows, -1 for none, (height, width); without supersampling."""
        return self._drawn if self._lens is None else self._lens.labels(self._drawn, self.config.supersampling)

    def pose(self) -> FloatArray:
        """The optical frame (z forward, x right, y down) in the world, shape (4, 4)."""
        if self.config.mount == "wrist":
            with self._world.lock:
                return self._world.arm.link_pose(OPTICAL_FRAME)
        return look_at(self.config.position, self.config.target, self.config.up)

    def project(self, points: FloatArray) -> FloatArray:
        """Where its picture shows points (n, 3) of the world [m] in front of it: pixels (n, 2)."""
        T, lens = invert(self.pose()), self.intrinsics
        seen = cv2.projectPoints(
            np.ascontiguousarray(points), cv2.Rodrigues(T[:3, :3])[0], T[:3, 3], lens.K, lens.distortion
        )[0]
        return np.asarray(seen[:, 0], np.float64)

    def render(self) -> ImageArray:
        """The picture at this moment: RGB, shape (height, width, 3)."""
        if self._lens is not None:
            return self._developed(self._through(self._lens))
        fine = self.config.supersampling
        with self._world.lock:
            pose = self.pose()
            picture = self._draw(pose, self.intrinsics)
            windows = block_windows(self._world, self.intrinsics, pose) if fine > 1 else []
            for left, top, right, bottom in windows:
                part = cropped(self.intrinsics, left, top, right, bottom)
                drawn = self._draw(pose, part.scaled(fine * part.width, fine * part.height))
                picture[top:bottom, left:right] = cv2.resize(drawn, part.size, interpolation=cv2.INTER_AREA)
        return self._developed(picture)

    def _through(self, lens: LensMap) -> ImageArray:
        """The picture behind a lens: drawn larger and without distortion, then bent."""
        fine, pinhole = self.config.supersampling, lens.pinhole
        with self._world.lock:
            pose = self.pose()
            coarse = self._draw(pose, pinhole)
            seen = self._drawn
            large = cv2.resize(coarse, (fine * pinhole.width, fine * pinhole.height), interpolation=cv2.INTER_LINEAR)
            for left, top, right, bottom in block_windows(self._world, pinhole, pose) if fine > 1 else []:
                part = cropped(pinhole, left, top, right, bottom)
                window = slice(fine * top, fine * bottom), slice(fine * left, fine * right)
                large[window] = self._draw(pose, part.scaled(fine * part.width, fine * part.height))
        self._drawn = seen
        return lens.image(np.asarray(large, np.uint8), self.intrinsics.size)

    def _draw(self, pose: FloatArray, intrinsics: Intrinsics) -> ImageArray:
        light = self.config.light
        width, height = intrinsics.size
        client = self._world.client
        _, _, colour, _, body = client.getCameraImage(
            width,
            height,
            view_matrix(pose),
            projection_matrix(intrinsics),
            lightDirection=light.direction,
            lightAmbientCoeff=light.ambient,
            lightDiffuseCoeff=light.diffuse,
            lightSpecularCoeff=0.0,
            shadow=0,
            renderer=client.ER_TINY_RENDERER,
        )
        self._drawn = np.asarray(body).reshape(height, width)
        seen = (self._drawn >= 0).view(np.uint8)
        bodies = np.ascontiguousarray(np.asarray(colour, np.uint8).reshape(height, width, 4)[..., :3])
        picture = self._bare_table(intrinsics, pose)
        if self.config.flaws.shadow > 0.0:
            shade(picture, self._world, intrinsics, pose, light=light.direction, share=self.config.flaws.shadow)
        cv2.copyTo(bodies, seen, picture)
        return picture

    def _bare_table(self, intrinsics: Intrinsics, pose: FloatArray) -> ImageArray:
        """The table alone; that of a whole picture is kept, because most cameras stand still."""
        if intrinsics is not (self._lens.pinhole if self._lens else self.intrinsics):
            return warp_table(self.table, intrinsics, pose)
        if self._bare is None or not np.array_equal(self._bare[0], pose):
            self._bare = pose, warp_table(self.table, intrinsics, pose)
        return self._bare[1].copy()

    def _developed(self, picture: ImageArray) -> ImageArray:
        return develop(picture, self.config.flaws, self.config.noise, self._rng)


def block_windows(world: World, intrinsics: Intrinsics, pose: FloatArray) -> list[tuple[int, int, int, int]]:
    """Left, top, right, bottom (both exclusive) [px] of each block that a camera at `pose` may see."""
    size = np.array(intrinsics.size)
    windows = []
    for name, T_world_block in world.truth().items():
        corners = apply(invert(pose) @ T_world_block, 0.5 * world.block_size(name) * CUBE_CORNERS)
        if corners[:, 2].min() <= NEAR_M:
            continue
        pixels = corners @ intrinsics.K.T
        pixels = pixels[:, :2] / pixels[:, 2:]
        first = np.clip(np.floor(pixels.min(axis=0)) - WINDOW_MARGIN_PX, 0, size).astype(int)
        last = np.clip(np.ceil(pixels.max(axis=0)) + WINDOW_MARGIN_PX + 1, 0, size).astype(int)
        if np.all(last > first):
            windows.append((int(first[0]), int(first[1]), int(last[0]), int(last[1])))
    return windows


def cropped(intrinsics: Intrinsics, left: int, top: int, right: int, bottom: int) -> Intrinsics:
    """The part of a picture from column `left` and row `top` up to, but without, `right` and `bottom` [px]."""
    K = intrinsics.K.copy()
    K[:2, 2] -= left, top
    return replace(intrinsics, width=right - left, height=bottom - top, K=K)


def look_at(position: tuple[float, ...], target: tuple[float, ...], up: tuple[float, ...]) -> FloatArray:
    """Optical frame of a camera at `position` with `target` in the middle and `up` upwards, shape (4, 4)."""
    forward = np.subtract(target, position).astype(np.float64)
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    return transform(np.column_stack([right, np.cross(forward, right), forward]), position)


def view_matrix(pose: FloatArray) -> list[float]:
    """OpenGL's view matrix (x right, y up, z backward), column by column, of an optical frame (4, 4)."""
    view = np.diag([1.0, -1.0, -1.0, 1.0]) @ invert(pose)
    return [float(v) for v in view.T.ravel()]


def projection_matrix(intrinsics: Intrinsics) -> list[float]:
    """OpenGL's projection matrix, column by column, that puts points on the pixels OpenCV's model names.

    TinyRenderer samples at whole pixel numbers and turns the finished picture upside down, so column u lies at u and
    row v at height - 1 - v of the viewport: cx stays, cy moves by one.
    """
    width, height = intrinsics.size
    K = intrinsics.K
    matrix = np.array(
        [
            [2 * K[0, 0] / width, -2 * K[0, 1] / width, 1 - 2 * K[0, 2] / width, 0],
            [0, 2 * K[1, 1] / height, 2 * (K[1, 2] + 1) / height - 1, 0],
            [0, 0, -(FAR_M + NEAR_M) / (FAR_M - NEAR_M), -2 * FAR_M * NEAR_M / (FAR_M - NEAR_M)],
            [0, 0, -1, 0],
        ]
    )
    return [float(v) for v in matrix.T.ravel()]


def warp_table(table: ImageArray, intrinsics: Intrinsics, pose: FloatArray) -> ImageArray:
    """The picture of the table plane (z = 0) that a camera at `pose` takes, RGB (height, width, 3)."""
    camera_from_world = invert(pose)
    plane_to_pixel = intrinsics.K @ camera_from_world[:3, [0, 1, 3]]
    metres = 2 * TABLE_HALF_M / len(table)
    table_to_plane = np.array([[0, metres, -TABLE_HALF_M], [metres, 0, -TABLE_HALF_M], [0, 0, 1]])
    H = plane_to_pixel @ table_to_plane
    warped = cv2.warpPerspective(table, H, intrinsics.size, flags=cv2.INTER_LINEAR, borderValue=BACKDROP)
    picture = np.asarray(warped, np.uint8)
    # Beyond the horizon the same formula would show the table once more, upside down.
    du, dv, d = (pose[:3, :3] @ np.linalg.inv(intrinsics.K))[2]
    climbs = du * np.arange(intrinsics.width) + dv * np.arange(intrinsics.height)[:, None] + d >= 0
    picture[climbs] = BACKDROP
    return picture
