"""Where the block is while the hand hides it: at rest where it was last seen, or carried between the fingers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dofbot_ros.arm.holding import STILL_PERIODS, STILL_RAD, presses
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.transforms import invert, matrix_from_quat, quat_from_matrix, transform
from dofbot_ros.core.types import GRIP, FloatArray
from dofbot_ros.policy.interface.state import BlockEstimate, cube_yaw

LONGEST_AGE = 3
"""Periods without a sighting that a policy is told of; training loses a fifth of them at most, hardly ever four in a
row. What is hidden for longer is shown where it is taken to be, at this age."""

DEFAULT_ESTIMATE = BlockEstimate((0.20, 0.0, 0.015), 0.0, LONGEST_AGE)
"""What a policy is shown before the block has been seen: the middle of the table."""


@dataclass(frozen=True)
class BlockDetection:
    """One answer of the localiser, in base_link.

    Attributes:
        position: of the block's centre [m].
        yaw: [rad], modulo a quarter turn.
        stamp_s: of the picture that it was seen in, on the arm's clock [s].
    """

    position: tuple[float, float, float]
    yaw: float
    stamp_s: float


def sighting(pose_base_block: FloatArray, stamp_s: float) -> BlockDetection:
    """A block's pose (4, 4) in base_link as a sighting."""
    x, y, z = pose_base_block[:3, 3].tolist()
    return BlockDetection((x, y, z), cube_yaw(quat_from_matrix(pose_base_block[:3, :3]).tolist()), stamp_s)


def find_block(detections: Mapping[str, Any], name: str, stamp_s: float) -> BlockDetection | None:
    """A block among what the localiser tells on blocks/detections, if it is there."""
    for block in detections["blocks"]:
        if block["name"] == name:
            return sighting(transform(matrix_from_quat(block["quaternion"]), np.array(block["position"])), stamp_s)
    return None


class BlockTracker:
    """Follows one block from sighting to sighting. An overhead camera loses it under the hand in most picks.

    A block between standing fingers that would close further is held: it lies in the middle between them, square to
    them, and goes where the tool goes.

    Args:
        kinematics: of the arm.
    """

    def __init__(self, kinematics: Kinematics) -> None:
        self._kinematics = kinematics
        self._last: BlockDetection | None = None
        self._new = False
        self._unseen = 0
        self._in_tool: FloatArray | None = None
        self._grip = math.nan
        self._stood = 0

    @property
    def seen_s(self) -> float:
        """Stamp of the last sighting [s]; -inf before the first."""
        return -math.inf if self._last is None else self._last.stamp_s

    @property
    def side(self) -> float:
        """Positive where the block lies to the left of straight ahead, or is not known."""
        return 1.0 if self._last is None else self._last.position[1]

    @property
    def held(self) -> bool:
        """Whether the fingers hold it."""
        return self._in_tool is not None

    def see(self, seen: BlockDetection) -> None:
        """A sighting has come; one that is older than the last is of no use."""
        if seen.stamp_s > self.seen_s:
            self._last, self._new = seen, True

    def update(self, joints: Sequence[float], command: Sequence[float]) -> BlockEstimate:
        """One period on.

        Args:
            joints: measured [rad], (6,).
            command: what they were last told [rad], (6,).

        Returns:
            Where the block is taken to be; DEFAULT_ESTIMATE before the first sighting.
        """
        self._unseen = 0 if self._new else self._unseen + 1
        self._new = False
        if self._last is None:
            return DEFAULT_ESTIMATE
        position, yaw = self._last.position, self._last.yaw
        tool = self._kinematics.tool_transform(np.array(joints[:GRIP]))
        self._feel(joints, command, tool)
        if self._in_tool is not None and self._unseen > LONGEST_AGE:
            x, y, z = (tool @ self._in_tool)[:3].tolist()
            position, yaw = (x, y, z), math.remainder(math.atan2(tool[1, 1], tool[0, 1]), 0.5 * math.pi)
        return BlockEstimate(position, yaw, min(self._unseen, LONGEST_AGE))

    def _feel(self, joints: Sequence[float], command: Sequence[float], tool: FloatArray) -> None:
        """Notice when the fingers take hold of the block, and when they let it go."""
        grip, before = joints[GRIP], self._grip
        self._grip = grip
        if not presses(command[GRIP], grip):
            self._in_tool, self._stood = None, 0
            return
        self._stood = self._stood + 1 if abs(grip - before) < STILL_RAD else 0
        if self._in_tool is None and self._stood >= STILL_PERIODS and self._last is not None:
            self._in_tool = invert(tool) @ np.array([*self._last.position, 1.0])
            self._in_tool[1] = 0.0
