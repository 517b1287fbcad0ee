"""What a policy knows of arm and block: the same fields in simulation and on the arm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from dofbot_ros.arm.gripper import joint_to_gap
from dofbot_ros.core.types import GRIP


@dataclass
class BlockEstimate:
    """What is known of the block: as the localiser gives it.

    Attributes:
        position: [m].
        yaw: [rad], modulo a quarter turn.
        age: periods since it was seen.
    """

    position: tuple[float, float, float]
    yaw: float
    age: int = 0


@dataclass
class SceneState:
    """What the arm and the localiser say; lists for speed.

    Attributes:
        joints: measured angles [rad], (6,).
        command: what the joints were last told [rad], (6,).
        tool: measured tool position [m], (3,).
        pitch: measured tool pitch [rad].
        block: what is known of the block; None without one.
        before: joints of the period before [rad], (6,); those of this one when an episode begins.
    """

    joints: list[float] = field(default_factory=lambda: [0.0] * 6)
    command: list[float] = field(default_factory=lambda: [0.0] * 6)
    tool: tuple[float, float, float] = (0.0, 0.0, 0.0)
    pitch: float = 0.0
    block: BlockEstimate | None = None
    before: list[float] = field(default_factory=lambda: [0.0] * 6)

    @property
    def gap(self) -> float:
        """Between the fingers [m]."""
        return joint_to_gap(self.joints[GRIP])


def cube_yaw(quaternion: Sequence[float]) -> float:
    """Yaw [rad], modulo a quarter turn, of a cube that lies on any face; quaternion x, y, z, w.

    Of the three face normals the one that is most level gives it.
    """
    x, y, z, w = quaternion
    # Columns of the rotation matrix: the cube's face normals in the world, without their third components' signs.
    normals = (
        (1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)),
        (2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w)),
        (2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y)),
    )
    level = min(normals, key=lambda normal: abs(normal[2]))
    return math.remainder(math.atan2(level[1], level[0]), 0.5 * math.pi)
