"""Runs a policy on an arm, a period at a time: from what arm and localiser say to joint goals, or a reason to stop."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import GRIP, N_JOINTS, FloatArray
from dofbot_ros.errors import CommandRefusedError, ConfigError
from dofbot_ros.policy.observation import CLIP, StateLayout
from dofbot_ros.policy.spec import PolicySpec
from dofbot_ros.policy.state import CellState
from dofbot_ros.policy.steering import Steering
from dofbot_ros.policy.tasks import TASKS
from dofbot_ros.policy.tracker import BlockTracker, Sighting

READY = (0.19, 0.11)
"""Distance from joint 1's axis and height of the tool from which episodes begin, in the middle of training's [m]."""

AT_READY = 0.10
"""An arm with no joint further than this from the ready pose can begin [rad]."""


class Policy(Protocol):
    """Whatever acts."""

    @property
    def spec(self) -> PolicySpec:
        """What it was made for."""
        ...

    def act(self, observation: Mapping[str, Any]) -> NDArray[np.float32]:
        """The action, each -1..1, of an observation as the environment makes them."""
        ...


class End(str, Enum):
    """Why a run has ended."""

    REACHED = "goal reached"
    TIMED_OUT = "time is up"
    STALE_JOINTS = "joint states are stale"
    STALE_BLOCK = "the block has not been seen for too long"


@dataclass(frozen=True)
class DriveConfig:
    """When a run ends.

    Attributes:
        time_limit_s: a run takes no longer [s]; training's episodes last 2 to 6.
        goal_hold_s: the goal counts as reached once it has been, as far as is seen, for this long [s].
        max_joint_age_s: joint states older than this end the run [s].
        max_block_age_s: so does a block that has not been seen for this long and is not in the hand; the hand hides it
            from an overhead camera on its way down for one to two seconds [s].
    """

    time_limit_s: float = 10.0
    goal_hold_s: float = 0.4
    max_joint_age_s: float = 0.2
    max_block_age_s: float = 3.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0.0 < value < math.inf:
                raise ConfigError(f"{name} must be positive and finite, got {value}")


@dataclass(frozen=True)
class Step:
    """What comes out of one period.

    Attributes:
        command: where the joints are to be at its end [rad], (6,); None when the run has ended.
        end: why it has ended; None while it goes on.
        detail: of the end, with its figures.
    """

    command: FloatArray | None
    end: End | None = None
    detail: str = ""


class PolicyDrive:
    """One policy on one arm. Nothing here reads a clock, a topic or a bus; whoever drives says what came when.

    Joint readings and sightings are given as they come, start() begins a run, and step() is called once a period. What
    the policy is shown is built by the code that training uses, from the same quantities; commands go through the same
    limits, so that the governor has nothing left to change.

    Args:
        policy: what acts.
        config: when a run ends.

    Attributes:
        task: of the policy.
        state: what was known in the last period.
        shown: what the policy was shown of it.
    """

    def __init__(self, policy: Policy, config: DriveConfig | None = None) -> None:
        spec = policy.spec
        self.task = TASKS[spec.task]
        self.state = CellState()
        self.shown: dict[str, Any] = {}
        self._policy, self._config = policy, config or DriveConfig()
        self._layout = StateLayout(self.task.block)
        self._goal_of = {"tool": _steer_tool, "joints": _steer_joints}[spec.control]
        self._kinematics = Kinematics()
        self._steering = Steering()
        self._tracker = BlockTracker(self._kinematics)
        self._joints: list[float] = [math.nan] * N_JOINTS
        self._joints_s = -math.inf
        self._before: list[float] = []
        self._goal = np.zeros(self.task.goal_size, np.float32)
        self._started_s = 0.0
        self._reached_s: float | None = None

    # -- what comes in -----------------------------------------------------------------------------------------------

    def joints(self, position: Sequence[float], stamp_s: float) -> None:
        """Measured joints [rad] (6,), the oldest of them read at `stamp_s` on the arm's clock [s]."""
        self._joints, self._joints_s = [float(q) for q in position], stamp_s

    def block(self, seen: Sighting) -> None:
        """The localiser's answer."""
        self._tracker.see(seen)

    # -- a run -------------------------------------------------------------------------------------------------------

    def ready_pose(self) -> list[float]:
        """Where a run begins, as training's episodes do [rad], (6,): the tool over the table, fingers open."""
        joints = self._steering.map.solve(*READY)
        if joints is None:
            raise RuntimeError("the reach map does not reach the ready pose")
        return [0.0, *joints, 0.0, 0.0]

    def away_from_ready(self) -> float:
        """How far the furthest joint is from the ready pose [rad]; nan before the first reading."""
        return max(abs(q - r) for q, r in zip(self._joints, self.ready_pose(), strict=True))

    def start(self, now_s: float, place: Sequence[float] = (), command: Sequence[float] | None = None) -> None:
        """Begin a run with the arm at rest.

        Args:
            now_s: on the arm's clock [s].
            place: of the goal in base_link [m]: x, y, z to reach, x, y to place, none to pick.
            command: what the joints were last told [rad] (6,); where they are measured to be by default.

        Raises:
            CommandRefusedError: joints or block are not known, or are stale.
            InputError: no goal of this task, or one out of its reach.
        """
        self._goal = self.task.goal_at(place, self._steering.map)
        stale = self._stale(now_s)
        if stale is not None:
            raise CommandRefusedError(f"{stale.end.value}: {stale.detail}" if stale.end else stale.detail)
        self._steering.start(self._joints if command is None else command)
        self._before = self._joints
        self._started_s, self._reached_s = now_s, None

    def step(self, now_s: float) -> Step:
        """One period, at `now_s` on the arm's clock [s]."""
        stale = self._stale(now_s)
        if stale is not None:
            return stale
        state = self.state
        self._steering.measure(state, self._joints)
        if self.task.block:
            state.block = self._tracker.update(state.joints, state.command)
        if self._reached(now_s):
            return Step(None, End.REACHED)
        if now_s - self._started_s > self._config.time_limit_s:
            return Step(None, End.TIMED_OUT, f"{self._config.time_limit_s:g} s")
        self.shown = self._observe()
        action = [float(a) for a in self._policy.act(self.shown)]
        self._before = state.joints
        action += [0.0] * (N_JOINTS - len(action))
        goal = self._goal_of(self._steering, action, state.joints[GRIP])
        return Step(np.array(self._steering.step(goal)))

    def _observe(self) -> dict[str, Any]:
        """What is known, as DofBotEnv shows it."""
        achieved = self.task.achieved(self.state)
        return {
            "observation": self._layout.build(self.state, self._before),
            "achieved_goal": np.minimum(np.maximum(achieved, -CLIP), CLIP),
            "desired_goal": self._goal.copy(),
        }

    @property
    def held(self) -> bool:
        """Whether the fingers hold the block, as far as they tell."""
        return self._tracker.held

    def _reached(self, now_s: float) -> bool:
        if not self.task.reached(self.state, self._goal):
            self._reached_s = None
            return False
        self._reached_s = now_s if self._reached_s is None else self._reached_s
        return now_s - self._reached_s >= self._config.goal_hold_s

    def _stale(self, now_s: float) -> Step | None:
        config = self._config
        age = now_s - self._joints_s
        if not age <= config.max_joint_age_s:
            return Step(None, End.STALE_JOINTS, _age(age, config.max_joint_age_s))
        age = now_s - self._tracker.seen_s
        if self.task.block and not self._tracker.held and not age <= config.max_block_age_s:
            return Step(None, End.STALE_BLOCK, _age(age, config.max_block_age_s))
        return None


def _age(age: float, limit: float) -> str:
    return "none has come" if math.isinf(age) else f"{age:.2f} s, allowed are {limit:g} s"


def _steer_tool(steering: Steering, action: Sequence[float], felt: float) -> list[float]:
    return steering.goal_of_tool(action, felt)


def _steer_joints(steering: Steering, action: Sequence[float], felt: float) -> list[float]:
    return steering.goal_of_joints(action, felt)
