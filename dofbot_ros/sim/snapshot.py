"""Pictures of the simulation for the documentation: `python -m dofbot_ros.sim.snapshot docs/images`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.core.transforms import rot_z, transform
from dofbot_ros.core.types import ImageArray, ToolPose
from dofbot_ros.sim.config import CameraConfig
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.world import World

PLACES = {
    "red": (0.21, 0.35, 0.35),
    "green": (0.24, -0.20, 0.7),
    "blue": (0.18, -0.75, 0.2),
    "yellow": (0.25, 0.95, -0.4),
}
"""Block -> its radius [m], azimuth [rad] and yaw [rad] in the side view."""


def overhead() -> ImageArray:
    """What the shipped camera sees at the start, RGB (480, 640, 3)."""
    return SimCamera(World(seed=3)).render()


def side_view() -> ImageArray:
    """The arm over a block, from the front right, RGB (540, 720, 3)."""
    world = World()
    for name, (radius, azimuth, yaw) in PLACES.items():
        world.place(name, transform(rot_z(yaw), (radius * np.cos(azimuth), radius * np.sin(azimuth), 0.015)))
    radius, azimuth, _ = PLACES["red"]
    goal = ToolPose(radius * np.cos(azimuth), radius * np.sin(azimuth), 0.045, np.radians(150))
    world.arm.teleport(np.append(DRAWN.kinematics.solve(goal), gap_to_joint(0.05)))
    view = CameraConfig(
        width=720,
        height=540,
        field_of_view=0.62,
        position=(0.62, -0.42, 0.44),
        target=(0.10, -0.01, 0.085),
        up=(0.0, 0.0, 1.0),
    )
    # All of it finely, not only the blocks: rendered twice as large and averaged down.
    large = SimCamera(world, replace(view, width=1440, height=1080)).render()
    return np.asarray(cv2.resize(large, (view.width, view.height), interpolation=cv2.INTER_AREA), np.uint8)


def main(folder: str) -> None:
    """Write sim_overhead.png and sim_arm.png into `folder`."""
    for name, picture in (("sim_overhead", overhead()), ("sim_arm", side_view())):
        cv2.imwrite(str(Path(folder) / f"{name}.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
