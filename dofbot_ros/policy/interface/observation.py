"""What a policy is shown: which number stands where, scaled to about -1..1, and pictures in their order."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.types import ImageArray
from dofbot_ros.policy.interface.state import SceneState

Observation = NDArray[np.float32]

GOAL_CENTRE = (0.20, 0.0, 0.08)
GOAL_SCALE = 0.10
"""Goals are places in base_link, less GOAL_CENTRE, in units of this [m]."""


@dataclass(frozen=True)
class Entry:
    """A run of numbers in the observation: (value - centre) / scale.

    Attributes:
        name: what it is, with its unit.
        size: how many numbers.
        centre, scale: of all of them, in that unit.
    """

    name: str
    size: int
    centre: tuple[float, ...]
    scale: float


ARM = (
    Entry("joint1..joint5 measured [rad]", 5, (0.0, 0.3, 0.8, 1.2, 0.0), 1.0),
    Entry("gap measured [m]", 1, (0.03,), 0.03),
    Entry("tool position measured, base_link [m]", 3, GOAL_CENTRE, GOAL_SCALE),
    Entry("tool pitch measured [rad]", 1, (2.4,), 0.5),
    Entry("joint1..grip_joint commanded less measured [rad]", 6, (0.0,) * 6, 0.1),
    Entry("joint1..grip_joint measured, change in a period [rad]", 6, (0.0,) * 6, 0.06),
)
BLOCK_ENTRIES = (
    Entry("block position, base_link [m]", 3, (0.20, 0.0, 0.03), GOAL_SCALE),
    Entry("cos, sin of four times the block's yaw", 2, (0.0, 0.0), 1.0),
    Entry("block position less tool position [m]", 3, (0.0, 0.0, 0.0), 0.05),
    Entry("periods since the block was seen", 1, (0.0,), 5.0),
)
CLIP = 5.0
"""Of the scaled numbers."""

# Arrays, because a ufunc takes as long to turn a plain number into one as to compare 28 of them.
_LEAST, _MOST = np.array(-CLIP, np.float32), np.array(CLIP, np.float32)


class StateLayout:
    """Builds the observation from what is measured.

    Args:
        block: whether the block is part of it.
    """

    def __init__(self, block: bool) -> None:
        self.entries: tuple[Entry, ...] = ARM + (BLOCK_ENTRIES if block else ())
        self.size = sum(entry.size for entry in self.entries)
        self._block = block
        self._centre = np.concatenate([entry.centre for entry in self.entries])
        self._scale = np.concatenate([[entry.scale] * entry.size for entry in self.entries])

    def build(self, state: SceneState) -> Observation:
        """The observation (size,) of a state."""
        joints, command, tool = state.joints, state.command, state.tool
        values = [*joints[:5], state.gap, *tool, state.pitch]
        values += [c - q for c, q in zip(command, joints, strict=True)]
        values += [q - p for q, p in zip(joints, state.before, strict=True)]
        if self._block and state.block is not None:
            x, y, z = state.block.position
            yaw = 4.0 * state.block.yaw
            values += [x, y, z, math.cos(yaw), math.sin(yaw), x - tool[0], y - tool[1], z - tool[2], state.block.age]
        scaled = (np.array(values) - self._centre) / self._scale
        observation: Observation = np.minimum(np.maximum(scaled, _LEAST), _MOST).astype(np.float32)
        return observation


class ObservationBuilder:
    """Observations as dictionaries, the same in training and on the arm.

    From state and pipeline: `observation` (see StateLayout), `achieved_goal` and `desired_goal`, as goal environments
    have them. From image: `image` (rows, width, 3 x stack; the newest last), `arm` (the layout without the block) and
    `goal`.

    Args:
        obs: state, pipeline or image.
        block: whether the task has one.
        achieved: what a state has reached, in the form of the goal.
        stack: pictures in an observation.

    Attributes:
        layout: of the numbers.
    """

    def __init__(self, obs: str, block: bool, achieved: Callable[[SceneState], Observation], stack: int = 1) -> None:
        self.layout = StateLayout(block and obs != "image")
        self._image, self._achieved = obs == "image", achieved
        self._pictures: deque[ImageArray] = deque(maxlen=max(1, stack))

    def reset(self) -> None:
        """An episode begins."""
        self._pictures.clear()

    def build(self, state: SceneState, goal: Observation, picture: Callable[[], ImageArray]) -> dict[str, NDArray[Any]]:
        """What is known in one period.

        Args:
            state: of the arm and the block.
            goal: scaled.
            picture: the newest, RGB (rows, width, 3); asked for where pictures are shown.
        """
        if not self._image:
            return self.of_state(state, goal)
        newest = picture()
        # Before the first there was none: it stands for those as well.
        self._pictures.append(newest)
        while len(self._pictures) < (self._pictures.maxlen or 1):
            self._pictures.append(newest)
        numbers = self.layout.build(state)
        return {"image": np.concatenate(self._pictures, axis=-1), "arm": numbers, "goal": goal.copy()}

    def of_state(self, state: SceneState, goal: Observation) -> dict[str, Observation]:
        """The observation from state and pipeline; arguments as for build()."""
        achieved = np.minimum(np.maximum(self._achieved(state), _LEAST), _MOST)
        return {"observation": self.layout.build(state), "achieved_goal": achieved, "desired_goal": goal.copy()}


def scaled_goal(place: tuple[float, float, float]) -> Observation:
    """A place in base_link [m] as a goal (3,)."""
    return np.array([(p - c) / GOAL_SCALE for p, c in zip(place, GOAL_CENTRE, strict=True)], np.float32)
