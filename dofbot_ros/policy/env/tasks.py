"""What is asked for in each environment: where an episode starts, its goal, when it is reached, what it earns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.arm.holding import released
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import InputError
from dofbot_ros.policy.interface.observation import GOAL_CENTRE, GOAL_SCALE, Observation, scaled_goal
from dofbot_ros.policy.interface.state import SceneState
from dofbot_ros.policy.interface.tool_pitch_map import ToolPitchMap

if TYPE_CHECKING:
    from dofbot_ros.policy.env.sim_robot import SimRobot

Place = tuple[float, float, float]

RADIUS = (0.15, 0.27)
"""Of places to reach and of blocks, from joint 1's axis [m]."""

AZIMUTH = 1.0
"""Largest angle to either side [rad]."""

USUAL_BLOCK = 0.030
"""Edge of the blocks that the arm is sold with [m]."""


@dataclass(frozen=True)
class InitialState:
    """How an episode begins.

    Attributes:
        joints: of the arm [rad], (6,).
        goal: as the observation shows it.
    """

    joints: list[float]
    goal: Observation


class Task:
    """One task; subclasses say how it differs.

    Attributes:
        name: of the task.
        block: whether it needs one.
        actions: how many of the tool action's five numbers it uses.
        goal_size: numbers of its goal.
        periods: longest episode.
        tolerance: how near the goal counts [m].
    """

    name: ClassVar[str]
    block: ClassVar[bool] = True
    actions: ClassVar[int] = 5
    goal_size: ClassVar[int] = 3
    periods: ClassVar[int]
    tolerance: ClassVar[float]

    def start(self, rng: np.random.Generator, where: ToolPitchMap) -> InitialState:
        """Draw an episode."""
        return InitialState(ready_pose(rng, where), self.goal(rng, where))

    def goal(self, rng: np.random.Generator, where: ToolPitchMap) -> Observation:
        """Draw a goal."""
        raise NotImplementedError

    def goal_at(self, place: Sequence[float], where: ToolPitchMap) -> Observation:
        """The goal that somebody asks for.

        Args:
            place: in base_link [m]: x, y, z to reach, x, y to place, none to pick.
            where: what the arm reaches.

        Raises:
            InputError: other numbers, or a place out of reach.
        """
        raise NotImplementedError

    def achieved(self, state: SceneState) -> Observation:
        """What has been reached, as far as it is seen, in the form of the goal."""
        raise NotImplementedError

    def goal_shown(self, end: SceneState) -> Observation:
        """The goal of a demonstration: what was reached at its end."""
        return self.achieved(end)

    def reached(self, state: SceneState, goal: Observation) -> bool:
        """Whether the goal is reached as far as that is seen; success() judges by what is true."""
        return float(self.distance(self.achieved(state), goal)) < self.tolerance

    def success(self, sim: SimRobot, goal: Observation) -> bool:
        """Whether the goal is truly reached now."""
        raise NotImplementedError

    def distance(self, achieved: NDArray[np.float32], goal: NDArray[np.float32]) -> FloatArray:
        """From the goal [m], shape (...,), of goals (..., goal_size)."""
        away: FloatArray = GOAL_SCALE * np.linalg.norm(np.subtract(achieved, goal, dtype=np.float64), axis=-1)
        return away

    def shaping(self, state: SceneState) -> float:  # noqa: ARG002
        """What a dense reward adds to the distance from the goal."""
        return 0.0


class Reach(Task):
    """Bring the tool to a place and keep it there."""

    name = "reach"
    block = False
    actions = 3
    periods = 50
    tolerance = 0.005

    def goal(self, rng: np.random.Generator, where: ToolPitchMap) -> Observation:
        """A place within reach, 20 to 150 mm above the table."""
        return scaled_goal(_place(rng, where, (0.020, 0.150)))

    def goal_at(self, place: Sequence[float], where: ToolPitchMap) -> Observation:
        """A place of the tool."""
        x, y, z = _numbers(self.name, "x y z", place)
        return scaled_goal(_within(where, (x, y, z)))

    def achieved(self, state: SceneState) -> Observation:
        """The tool's measured place."""
        return scaled_goal(state.tool)

    def success(self, sim: SimRobot, goal: Observation) -> bool:
        """Whether the tool is truly there."""
        return float(self.distance(scaled_goal(sim.true_tool()), goal)) < self.tolerance


class Pick(Task):
    """Grasp the block and lift it; the goal is its height."""

    name = "pick"
    goal_size = 1
    periods = 100
    tolerance = 0.010
    height: ClassVar[float] = 0.070

    def goal(self, rng: np.random.Generator, where: ToolPitchMap) -> Observation:  # noqa: ARG002
        """The same height always."""
        return _height(self.height)

    def goal_at(self, place: Sequence[float], where: ToolPitchMap) -> Observation:  # noqa: ARG002
        """The same height always."""
        _numbers(self.name, "", place)
        return _height(self.height)

    def goal_shown(self, end: SceneState) -> Observation:  # noqa: ARG002
        """The same height always."""
        return _height(self.height)

    def achieved(self, state: SceneState) -> Observation:
        """The block's height as it is seen."""
        return _height(_seen(state)[2])

    def success(self, sim: SimRobot, goal: Observation) -> bool:
        """Whether the block is truly that high."""
        return sim.true_place()[2] > GOAL_SCALE * float(goal[0]) + GOAL_CENTRE[2] - self.tolerance

    def distance(self, achieved: NDArray[np.float32], goal: NDArray[np.float32]) -> FloatArray:
        """What is missing of the height [m]."""
        missing: FloatArray = GOAL_SCALE * np.maximum(np.subtract(goal, achieved, dtype=np.float64)[..., 0], 0.0)
        return missing

    def shaping(self, state: SceneState) -> float:
        """Less the further the tool is from the block."""
        return -2.0 * math.dist(_seen(state), state.tool)


class PlaceTask(Task):
    """Carry the block to a place on the table and let it go there."""

    name = "place"
    periods = 150
    tolerance = 0.015

    def goal(self, rng: np.random.Generator, where: ToolPitchMap) -> Observation:
        """A place on the table."""
        x, y, _ = _place(rng, where, (0.014, 0.016))
        return scaled_goal((x, y, 0.015))

    def goal_at(self, place: Sequence[float], where: ToolPitchMap) -> Observation:
        """A place on the table."""
        x, y = _numbers(self.name, "x y", place)
        return scaled_goal(_within(where, (x, y, 0.015)))

    def achieved(self, state: SceneState) -> Observation:
        """The block's place as it is seen."""
        return scaled_goal(_seen(state))

    def success(self, sim: SimRobot, goal: Observation) -> bool:
        """Whether the block truly lies there and the fingers have let it go."""
        there = float(self.distance(scaled_goal(sim.true_place()), goal)) < self.tolerance
        return there and released(sim.state.gap, sim.block_size)

    def reached(self, state: SceneState, goal: Observation) -> bool:
        """Whether the block is seen there, and the fingers are further apart than it is wide."""
        return super().reached(state, goal) and released(state.gap, USUAL_BLOCK)

    def shaping(self, state: SceneState) -> float:
        """Less the further the tool is from the block."""
        return -math.dist(_seen(state), state.tool)


TASKS: dict[str, Task] = {task.name: task for task in (Reach(), Pick(), PlaceTask())}


def ready_pose(rng: np.random.Generator, where: ToolPitchMap) -> list[float]:
    """The tool somewhere above the table, fingers open [rad], (6,)."""
    radius, z = where.sample(rng, (0.16, 0.22), (0.09, 0.13))
    joints = where.solve(float(radius), float(z))
    if joints is None:
        raise RuntimeError("the reach map samples places that it does not reach")
    return [float(rng.uniform(-0.5, 0.5)), *joints, 0.0, 0.0]


def _place(rng: np.random.Generator, where: ToolPitchMap, height: tuple[float, float]) -> Place:
    radius, z = where.sample(rng, RADIUS, height).tolist()
    azimuth = rng.uniform(-AZIMUTH, AZIMUTH)
    return radius * math.cos(azimuth), radius * math.sin(azimuth), z


def _numbers(task: str, names: str, place: Sequence[float]) -> list[float]:
    wanted = names.split()
    if len(place) != len(wanted) or not all(math.isfinite(number) for number in place):
        raise InputError(f"the goal of {task} is {f'{names} in base_link [m]' if names else 'none'}, got {list(place)}")
    return list(place)


def _within(where: ToolPitchMap, place: Place) -> Place:
    radius, azimuth = math.hypot(place[0], place[1]), math.atan2(place[1], place[0])
    if where.solve(radius, place[2]) is None or not RADIUS[0] <= radius <= RADIUS[1] or abs(azimuth) > AZIMUTH:
        raise InputError(
            f"the goal ({', '.join(f'{number:g}' for number in place)}) m is out of the tool's reach: {RADIUS[0]} to "
            f"{RADIUS[1]} m from joint 1, {math.degrees(AZIMUTH):.0f} degrees to either side"
        )
    return place


def _seen(state: SceneState) -> Place:
    if state.block is None:
        raise RuntimeError("this task needs a block")
    return state.block.position


def _height(z: float) -> Observation:
    return np.array([(z - GOAL_CENTRE[2]) / GOAL_SCALE], np.float32)
