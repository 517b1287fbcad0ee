"""What a policy sees of a desk: the images of its camera, late and with gaps, and what the localiser reads in them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np

from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.desks.installation import Installation
from dofbot_ros.policy.interface.state import BlockEstimate
from dofbot_ros.policy.perception.camera_view import CameraView
from dofbot_ros.policy.runtime.block_tracker import BlockTracker, sighting
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.world import World
from dofbot_ros.vision.markers.blocks import BlockLocaliser

LOOK_S = 0.1
"""Between two images: what sim_node's camera takes by default [s]."""


class DeskImages:
    """The images of one episode as they arrive.

    Args:
        world: as the installation says.
        installation: what is true, and told.
    """

    def __init__(self, world: World, installation: Installation) -> None:
        self._world = world
        self._camera = SimCamera(world)
        self._losses = np.random.default_rng([installation.seed, 4])
        self._under_way: deque[tuple[float, ImageArray]] = deque()
        self._next_s = -np.inf

    def arrived(self) -> Iterator[tuple[float, ImageArray]]:
        """Take an image if it is time to, and hand out those that have arrived since: when [s], and what they show."""
        now, flaws = self._world.now_s, self._camera.config.flaws
        if now >= self._next_s - 1e-9:
            # Before an episode the camera has long been looking: its first image has arrived.
            late_s = flaws.latency_s if np.isfinite(self._next_s) else 0.0
            self._next_s = now + LOOK_S
            if self._losses.random() >= flaws.loss:
                self._under_way.append((now + late_s, self._camera.render()))
        while self._under_way and now >= self._under_way[0][0] - 1e-9:
            yield self._under_way.popleft()


class DeskPictures:
    """The same, made small and straight as a policy is shown them.

    Args:
        world, installation: as of DeskImages.
        width: of the pictures [px].
    """

    def __init__(self, world: World, installation: Installation, width: int) -> None:
        self._images = DeskImages(world, installation)
        self._view = CameraView(installation.belief.intrinsics, width)
        self.pose: FloatArray = installation.belief.T_base_camera
        """The optical frame in base_link (4, 4), as it is believed."""
        self.newest: ImageArray | None = None
        """The last picture that arrived, RGB (rows, width, 3)."""

    def arrived(self) -> Iterator[tuple[float, ImageArray]]:
        """As of DeskImages."""
        for stamp_s, image in self._images.arrived():
            self.newest = self._view.shown(image)
            yield stamp_s, self.newest


class DeskEye:
    """Camera, localiser and tracker of one episode.

    Args:
        world, installation: as of DeskImages.
        block: its name.
    """

    def __init__(self, world: World, installation: Installation, block: str) -> None:
        belief = installation.belief
        self._block = block
        self._images = DeskImages(world, installation)
        self._localiser = BlockLocaliser(belief.blocks, belief.intrinsics)
        self._T_base_camera = belief.T_base_camera
        self._tracker = BlockTracker(DRAWN.kinematics)

    def update(self, joints: Sequence[float], command: Sequence[float]) -> BlockEstimate:
        """Where the block is taken to be now.

        Args:
            joints: measured [rad] (6,).
            command: what they were last told [rad] (6,).
        """
        for stamp_s, image in self._images.arrived():
            for block in self._localiser.locate(image, stamp_s, self._T_base_camera).blocks:
                if block.name == self._block:
                    self._tracker.see(sighting(block.T_base_block, stamp_s))
        return self._tracker.update(joints, command)
