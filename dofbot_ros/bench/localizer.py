"""Measures the block localiser against known poses: how far off, how many found, how long a frame takes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

import cv2
import numpy as np

from dofbot_ros.config.loader import load_yaml
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.transforms import exp_so3, invert, log_so3, rot_x, rot_z, transform
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.desks.config import OWN, load_desk
from dofbot_ros.errors import UsageError, one_of
from dofbot_ros.vision.camera_watch import CameraWatch
from dofbot_ros.vision.intrinsics import Intrinsics, from_field_of_view
from dofbot_ros.vision.markers.block_image import draw_blocks
from dofbot_ros.vision.markers.block_layout import FACE_AXES, Block, BlockSet, load_blocks
from dofbot_ros.vision.markers.blocks import BlockLocaliser

SCENES = ("sim", "drawn", "drawn-lifted")
NORMAL = "normal"
"""The light that shines on a desk."""


class Scenes(Protocol):
    """Pictures of blocks at known poses, from one fixed camera."""

    intrinsics: Intrinsics
    T_base_camera: FloatArray

    def show(self, seed: int) -> tuple[ImageArray, dict[str, FloatArray]]:
        """The picture of one scene, and each block's true pose in the base frame, shape (4, 4) [m]."""
        ...


class DrawnScenes:
    """Exact drawings from an overhead camera, with blur and noise; needs no simulator.

    Args:
        blocks: all of them are in each scene.
        lifted: hold them 4 to 12 cm high at any orientation, instead of laying them on the table.
    """

    def __init__(self, blocks: BlockSet, lifted: bool) -> None:
        self.blocks, self.lifted = blocks, lifted
        self.intrinsics = from_field_of_view(640, 480, 0.98)
        self.T_base_camera = transform(rot_x(np.pi) @ rot_z(0.5 * np.pi), (0.19, 0.0, 0.58))

    def show(self, seed: int) -> tuple[ImageArray, dict[str, FloatArray]]:
        """Blocks at random places within the arm's reach."""
        rng = np.random.default_rng(seed)
        truth = {}
        for block, (x, y) in zip(self.blocks.blocks, _places(rng, len(self.blocks.blocks)), strict=True):
            axis = rng.normal(size=3)
            any_turn = exp_so3(axis / np.linalg.norm(axis) * rng.uniform(0.0, np.pi))
            R = any_turn if self.lifted else rot_z(rng.uniform(-np.pi, np.pi)) @ _face_up(block, rng)
            truth[block.name] = transform(R, (x, y, rng.uniform(0.04, 0.12) if self.lifted else 0.5 * block.size))
        T_camera_base = invert(self.T_base_camera)
        seen = {name: T_camera_base @ T for name, T in truth.items()}
        return draw_blocks(self.blocks, seen, self.intrinsics, rng), truth


class SimulatedScenes:
    """What the simulation's camera renders."""

    def __init__(self, noise: float) -> None:
        from dofbot_ros.sim.rendering.camera import SimCamera
        from dofbot_ros.sim.world import World

        self.world = World()
        self._camera = SimCamera(self.world, replace(self.world.config.camera, noise=noise))
        self.intrinsics = self._camera.intrinsics
        self.T_base_camera = self._camera.pose()

    def show(self, seed: int) -> tuple[ImageArray, dict[str, FloatArray]]:
        """Blocks scattered by the world."""
        self.world.scatter(seed)
        return self._camera.render(), self.world.truth()


class DeskScenes:
    """What the camera of a desk shows, each picture of an installation of its own; and what is believed of it.

    Args:
        desk: name or file.
        light: what shines, by its name in the protocol of trials.
    """

    def __init__(self, desk: str, light: str) -> None:
        from dofbot_ros.trials.placement import PickProtocol

        self._desk = load_desk(desk)
        lights = load_yaml(PickProtocol, share_file("config", "trials.yaml")).lights
        if light not in lights:
            raise UsageError(one_of("light", light, lights))
        self._light = lights[light]
        self._stand(0)

    def _stand(self, seed: int) -> None:
        from dofbot_ros.desks.installation import install

        self._installation = install(self._desk, seed)
        self.intrinsics = self._installation.belief.intrinsics
        self.T_base_camera = self._installation.belief.T_base_camera

    def show(self, seed: int) -> tuple[ImageArray, dict[str, FloatArray]]:
        """Blocks scattered on the desk `seed`."""
        from dofbot_ros.sim.rendering.camera import SimCamera
        from dofbot_ros.sim.world import World

        self._stand(seed)
        world = World(self._installation.world, seed)
        try:
            lit = replace(self._installation.world.camera, light=self._light)
            return SimCamera(world, lit).render(), world.truth()
        finally:
            world.close()


def measure(
    scenes: str = "sim", trials: int = 100, seed: int = 0, noise: float = 0.0, desk: str = OWN, *, light: str = NORMAL
) -> dict[str, Any]:
    """Localise the blocks in pictures of random scenes.

    Args:
        scenes: `sim`: the simulation's overhead camera; `drawn`: drawings of blocks on the table; `drawn-lifted`: of
            blocks in the air at any orientation, so that nothing is known beforehand.
        trials: pictures.
        seed: of the first scene; the next ones count up.
        noise: of the simulated camera's sensor, standard deviation in grey levels of 255; drawings have their own.
        desk: in place of `scenes`, unless it is `own`: an installation of that desk for each picture.
        light: on that desk: normal, dim.

    Returns:
        blocks: shown; found; flat: of those found; wrong: found more than 10 degrees or 10 mm off; refused: reasons
        with their counts; position_mm, horizontal_mm, rotation_deg, reprojection_px: median, p95, max over those found;
        frame_cpu_ms: CPU time for one picture; camera_check_cpu_ms: what a look at whether the camera was moved adds to
        one picture of each 0.4 s.

    Raises:
        InputError: no such scenes.
    """
    if scenes not in SCENES:
        raise UsageError(one_of("scenes", scenes, SCENES))
    blocks = load_blocks()
    # One thread, as in the localiser node: more cost CPU time and save none at this size.
    cv2.setNumThreads(1)
    with _opened(scenes, blocks, noise, desk, light) as source:
        shown = flat = 0
        offs, frame_cpu_ms, check_cpu_ms, refused = [], [], [], Counter[str]()
        watch = CameraWatch(source.intrinsics, source.T_base_camera)
        for k in range(trials):
            image, truth = source.show(seed + k)
            localiser = BlockLocaliser(blocks, source.intrinsics)
            start = time.process_time()
            result = localiser.locate(image, 0.0, source.T_base_camera)
            frame_cpu_ms.append(1e3 * (time.process_time() - start))
            start = time.process_time()
            watch.look(image, float(k))
            check_cpu_ms.append(1e3 * (time.process_time() - start))
            shown += len(truth)
            flat += sum(block.flat for block in result.blocks)
            refused.update(r.reason.split(":")[0] for r in result.refused)
            offs += [(*_off(b.T_base_block, truth[b.name]), b.reprojection_px) for b in result.blocks]
    columns = np.array(offs).reshape(-1, 4).T
    position, horizontal, rotation, reprojection = columns
    return {
        "scenes": scenes if desk == OWN else f"desk {desk}, light {light}",
        "blocks": shown,
        "found": len(offs),
        "flat": flat,
        "wrong": int(np.count_nonzero((position > 10.0) | (rotation > 10.0))),
        "refused": dict(refused),
        "position_mm": _spread(position),
        "horizontal_mm": _spread(horizontal),
        "rotation_deg": _spread(rotation),
        "reprojection_px": _spread(reprojection),
        "frame_cpu_ms": _spread(np.array(frame_cpu_ms)),
        "camera_check_cpu_ms": _spread(np.array(check_cpu_ms)),
    }


@contextmanager
def _opened(scenes: str, blocks: BlockSet, noise: float, desk: str, light: str) -> Iterator[Scenes]:
    if desk != OWN:
        yield DeskScenes(desk, light)
        return
    if scenes != "sim":
        yield DrawnScenes(blocks, lifted=scenes == "drawn-lifted")
        return
    simulated = SimulatedScenes(noise)
    try:
        yield simulated
    finally:
        simulated.world.close()


def _off(found: FloatArray, true: FloatArray) -> tuple[float, float, float]:
    """Distance [mm], horizontal distance [mm], angle [deg]."""
    apart = 1e3 * (found[:3, 3] - true[:3, 3])
    angle = np.degrees(np.linalg.norm(log_so3(true[:3, :3].T @ found[:3, :3])))
    return float(np.linalg.norm(apart)), float(np.hypot(apart[0], apart[1])), float(angle)


def _spread(values: FloatArray) -> dict[str, float]:
    if not len(values):
        return dict.fromkeys(("median", "p95", "max"), float("nan"))
    return {"median": float(np.median(values)), "p95": float(np.percentile(values, 95)), "max": float(values.max())}


def _places(rng: np.random.Generator, count: int) -> list[tuple[float, float]]:
    """x and y of blocks within reach, 5 cm apart at least [m]."""
    places: list[tuple[float, float]] = []
    while len(places) < count:
        radius, azimuth = rng.uniform(0.15, 0.27), rng.uniform(-1.05, 1.05)
        x, y = float(radius * np.cos(azimuth)), float(radius * np.sin(azimuth))
        if all(np.hypot(x - a, y - b) > 0.05 for a, b in places):
            places.append((x, y))
    return places


def _face_up(block: Block, rng: np.random.Generator) -> FloatArray:
    """Rotation that brings a random face up."""
    face = block.face_frame(str(rng.choice(list(FACE_AXES))))
    return face[:3, :3].T
