"""Pictures of desks for the documentation: `python -m dofbot_ros.desks.snapshot docs/images`."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from dofbot_ros.core.transforms import invert
from dofbot_ros.core.types import ImageArray
from dofbot_ros.desks.installation import install
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.world import World
from dofbot_ros.vision.markers.blocks import BlockLocaliser

SHOWN = {"careful": 0, "typical": 0, "rough": 2}
"""Desk -> the installation that is shown."""
SCENE_SEED = 7
JPEG_QUALITY = 88
AXIS_M = 0.025


def picture(desk: str, seed: int) -> ImageArray:
    """What the overhead camera of an installation shows, beside it where the localiser sees the blocks, RGB."""
    made = install(desk, seed)
    world = World(made.world, SCENE_SEED)
    try:
        image = SimCamera(world).render()
    finally:
        world.close()
    belief = made.belief
    seen = image.copy()
    for block in BlockLocaliser(belief.blocks, belief.intrinsics).locate(image, 0.0, belief.T_base_camera).blocks:
        T = invert(belief.T_base_camera) @ block.T_base_block
        K, distortion = belief.intrinsics.K, belief.intrinsics.distortion
        cv2.drawFrameAxes(seen, K, distortion, cv2.Rodrigues(T[:3, :3])[0], T[:3, 3], AXIS_M, 2)
    return np.hstack([image, seen])


def main(folder: str) -> None:
    """Write desk_NAME.jpg into `folder`."""
    for desk, seed in SHOWN.items():
        path = Path(folder) / f"desk_{desk}.jpg"
        bgr = cv2.cvtColor(picture(desk, seed), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(path), bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
