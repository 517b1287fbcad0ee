"""What a policy is told of the block on a desk: what the localiser reads in the desk's images, late and with gaps."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.desks.installation import Installation
from dofbot_ros.policy.interface.state import BlockEstimate
from dofbot_ros.policy.runtime.block_tracker import BlockDetection, BlockTracker, sighting
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.world import World
from dofbot_ros.vision.markers.blocks import BlockLocaliser

LOOK_S = 0.1
"""Between two images: what sim_node's camera takes by default [s]."""


class DeskEye:
    """Camera, localiser and tracker of one episode.

    Args:
        world: as the installation says.
        installation: what is true, and told.
        block: its name.
    """

    def __init__(self, world: World, installation: Installation, block: str) -> None:
        belief = installation.belief
        self._world, self._block = world, block
        self._camera = SimCamera(world)
        self._localiser = BlockLocaliser(belief.blocks, belief.intrinsics)
        self._T_base_camera = belief.T_base_camera
        self._tracker = BlockTracker(DRAWN.kinematics)
        self._losses = np.random.default_rng([installation.seed, 4])
        self._under_way: deque[BlockDetection] = deque()
        self._next_s = -np.inf

    def update(self, joints: Sequence[float], command: Sequence[float]) -> BlockEstimate:
        """Where the block is taken to be now.

        Args:
            joints: measured [rad] (6,).
            command: what they were last told [rad] (6,).
        """
        now, flaws = self._world.now_s, self._camera.config.flaws
        if now >= self._next_s - 1e-9:
            # Before an episode the camera has long been looking: its first image has arrived.
            late_s = flaws.latency_s if np.isfinite(self._next_s) else 0.0
            self._next_s = now + LOOK_S
            if self._losses.random() >= flaws.loss:
                self._look(now + late_s)
        while self._under_way and now >= self._under_way[0].stamp_s - 1e-9:
            self._tracker.see(self._under_way.popleft())
        return self._tracker.update(joints, command)

    def _look(self, arrives_s: float) -> None:
        """An image is taken; what is found in it is told later, stamped with its arrival."""
        found = self._localiser.locate(self._camera.render(), arrives_s, self._T_base_camera)
        self._under_way.extend(
            sighting(block.T_base_block, arrives_s) for block in found.blocks if block.name == self._block
        )
