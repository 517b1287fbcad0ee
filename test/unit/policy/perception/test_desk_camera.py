"""Pictures of desks for the pose network: what is told of them is where they truly show it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from dofbot_ros.core.transforms import transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.desks.installation import install
from dofbot_ros.policy.perception.desk_camera import DeskCamera
from dofbot_ros.policy.perception.keypoint_data import render_data
from dofbot_ros.policy.perception.keypoints import ARM_KEYPOINTS, BLOCK, project
from dofbot_ros.policy.perception.pixels import nominal_view
from dofbot_ros.sim.config import WorldConfig
from dofbot_ros.sim.randomization import load_domain
from dofbot_ros.sim.world import World

CHANGED = 40
"""Grey levels by which a block changes the picture of a table at least."""


@pytest.mark.slow
@pytest.mark.parametrize("place", [(0.17, 0.13), (0.28, -0.09)])
def test_a_block_is_seen_where_its_pixel_is_told(place: tuple[float, float]) -> None:
    installation = install("typical", 7, WorldConfig(marked=("red",)))
    world = World(installation.world)
    camera = DeskCamera(world, installation)
    world.arm.teleport([-1.2 if place[1] > 0 else 1.2, -0.5, -1.0, -1.0, 0.0, 0.0])

    def picture(x: float, y: float) -> FloatArray:
        world.place("red", transform(np.eye(3), (x, y, 0.015)))
        return np.asarray(camera.render(), np.float64)

    without, shown = picture(-0.3, 0.0), picture(*place)
    there = np.abs(shown - without).max(axis=2) > CHANGED
    (u, v) = np.argwhere(there).mean(axis=0)[::-1]
    assert camera.shown("red") > 0.9
    # The middle of what is seen of a block lies between its centre and that of its upper face.
    assert np.linalg.norm(camera.project(np.array([[*place, 0.022]]))[0] - (u, v)) < 0.7
    world.close()


@pytest.mark.slow
def test_pictures_of_a_desk_repeat_themselves_and_show_its_errors() -> None:
    domain = load_domain("source")
    data, again = (render_data(domain, 2, (5,), desk="typical") for _ in range(2))
    assert all(np.array_equal(values, vars(again)[name]) for name, values in vars(data).items())
    own = render_data(domain, 2, (5,))
    intrinsics, pose = nominal_view(data.pictures.shape[2])
    for one, at_most in ((own, 1e-3), (data, 12.0)):
        off = [
            np.linalg.norm(project(one.place[i : i + 1, :3], intrinsics, pose)[0] - one.pixels[i, BLOCK])
            for i in range(2)
        ]
        assert max(off) < at_most
    # A camera that stands elsewhere, and an arm of other lengths: nothing is where the drawing has it.
    assert min(off) > 0.05
    assert data.pixels.shape[1] == len(ARM_KEYPOINTS) + 1
    assert cv2.absdiff(data.pictures[0], own.pictures[0]).mean() > 5.0
