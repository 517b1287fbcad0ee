"""A desk whose arm is to calibrate itself: a block lies in its fingers, and the sheet before its base plate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.desks.config import OWN
from dofbot_ros.desks.installation import Installation, install
from dofbot_ros.sim.config import HeldBlock, WorldConfig, load_world_config
from dofbot_ros.vision.markers.block_layout import Block

HELD_M, HELD_DEG = 0.001, (0.5, 2.0, 0.5)
"""How far askew a person puts the block between the fingers: standard deviations along and about tool_link's axes."""


def with_block_in_hand(desk: str, number: int, block: Block) -> tuple[Installation, WorldConfig]:
    """The installation `number` of a desk, and its world as the software believes it.

    Args:
        desk: as install() takes it.
        number: of the installation; it also seeds how the block is held.
        block: the held one; there is no other.
    """
    rng = np.random.default_rng([number, 0x4E1D])
    loose = 0.0 if desk == OWN else 1.0
    position = loose * rng.normal(0.0, HELD_M, 3)
    turn = loose * np.radians(rng.normal(0.0, HELD_DEG))
    shipped = load_world_config()
    world = replace(
        shipped,
        marked=(block.name,),
        plain=(),
        start=(0.0, 0.0, 0.0, 0.0, 0.0, float(gap_to_joint(block.size))),
        camera=replace(shipped.camera, sheet=True),
        held=HeldBlock(block.name, tuple(position.tolist()), tuple(turn.tolist())),
    )
    return install(desk, number, world), world
