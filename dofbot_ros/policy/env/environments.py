"""Gymnasium environments DofBotReach-v0, DofBotPick-v0 and DofBotPlace-v0; importing this module registers them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.types import GRIP, N_JOINTS, FloatArray, ImageArray
from dofbot_ros.desks.config import OWN
from dofbot_ros.errors import ConfigError, UsageError, one_of
from dofbot_ros.policy.env.sim_robot import SimRobot, SimRobotConfig
from dofbot_ros.policy.env.tasks import TASKS
from dofbot_ros.policy.interface.observation import CLIP, ObservationBuilder, StateLayout
from dofbot_ros.policy.interface.spec import Observed
from dofbot_ros.policy.perception.pixels import WIDTH, rows
from dofbot_ros.policy.perception.pose_estimator import BlockPoseEstimator, overhead_estimator
from dofbot_ros.policy.runtime.policy_runner import shipped
from dofbot_ros.sim.randomization import RandomizationRanges, load_level

Control = Literal["tool", "joints"]
Reward = Literal["dense", "sparse"]

ENV_IDS = {name: f"DofBot{name.capitalize()}-v0" for name in TASKS}
"""Task -> id of its environment."""

MARKED = "red"
"""The block that cameras see."""


class DofBotEnv(gym.Env[dict[str, Any], NDArray[np.float32]]):
    """One task in one simulated world, a policy period (0.04 s) a step.

    Observations are those of ObservationBuilder; `pipeline` as `state`, with the block where a pose network finds it in
    pictures. Everything is as the arm and the localiser would give it; what is true of the world decides `is_success`
    in the info, never an observation. Rewards of images are those of the state.

    Args:
        task: reach, pick or place.
        obs: state, image or pipeline.
        control: actions displace the tool (x, y, z in base_link, roll, grip; the tilt follows the reach map; reach
            uses the first three) or the joints.
        reward: dense, or sparse (0 at the goal, else -1: for hindsight replay).
        ranges: a level of config/randomization.yaml, or ranges of one's own.
        node_physics: the physics that sim_node runs, three times as slow.
        image_size: width of a picture [px]; its rows are three quarters of that.
        stack: pictures in an observation.
        pose: folder of the pipeline's pose network; the shipped one by default.
        desk: errors that the policy is not told; its pictures are those of the desk's camera.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 25}  # noqa: RUF012

    def __init__(
        self,
        task: str,
        obs: Observed = "state",
        *,
        control: Control = "tool",
        reward: Reward = "dense",
        ranges: str | RandomizationRanges = "none",
        node_physics: bool = False,
        image_size: int = WIDTH,
        stack: int = 3,
        pose: Path | None = None,
        desk: str = OWN,
        render_mode: str | None = None,
    ) -> None:
        if task not in TASKS:
            raise UsageError(one_of("task", task, TASKS))
        for what, given, valid in (
            ("obs", obs, ("state", "image", "pipeline")),
            ("control", control, ("tool", "joints")),
            ("reward", reward, ("dense", "sparse")),
        ):
            if given not in valid:
                raise UsageError(one_of(what, given, valid))
        self.task = TASKS[task]
        self.obs, self.control, self.reward, self.render_mode = obs, control, reward, render_mode
        self.ranges = load_level(ranges) if isinstance(ranges, str) else ranges
        self.image_size, self.stack = image_size, stack
        self.draw = self.ranges.draw(np.random.default_rng(0))
        config = SimRobotConfig(node_physics, self.task.block, None if obs == "state" and desk == OWN else MARKED, desk)
        width = None if obs == "state" else image_size
        self.sim = SimRobot(config, self._reader(pose) if obs == "pipeline" else None, width)
        self._shown = ObservationBuilder(obs, self.task.block, self.task.achieved, stack)
        self._period = 0
        self._goal = np.zeros(self.task.goal_size, np.float32)
        size = self.task.actions if control == "tool" else N_JOINTS if self.task.block else GRIP
        self.action_space = gym.spaces.Box(-1.0, 1.0, (size,), np.float32)
        self._action = [0.0] * (5 if control == "tool" else N_JOINTS)
        self.observation_space = gym.spaces.Dict(self._spaces(stack))

    def _reader(self, pose: Path | None) -> BlockPoseEstimator:
        if not self.task.block:
            raise ConfigError(f"{self.task.name} has no block that a pipeline could look for: take obs state")
        folder = pose or shipped(self.task.name, "pipeline")
        return overhead_estimator(folder, self.image_size)

    def _spaces(self, stack: int) -> dict[str, gym.Space[Any]]:
        numbers = gym.spaces.Box(-CLIP, CLIP, (self.layout.size,), np.float32)
        goal = gym.spaces.Box(-CLIP, CLIP, (self.task.goal_size,), np.float32)
        if self.obs != "image":
            return {"observation": numbers, "achieved_goal": goal, "desired_goal": goal}
        image = gym.spaces.Box(0, 255, (rows(self.image_size), self.image_size, 3 * stack), np.uint8)
        return {"image": image, "arm": numbers, "goal": goal}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Start an episode; `draw` in the info is the world that was drawn for it."""
        super().reset(seed=seed, options=options)
        self.draw = draw = self.ranges.draw(self.np_random)
        start = self.task.start(self.np_random, self.sim.map)
        self.sim.reset(draw, start.joints, int(self.np_random.integers(2**31)))
        self._goal = start.goal
        self._period = 0
        self._shown.reset()
        return self._observe(), {"draw": draw.to_log(), "is_success": False}

    def step(self, action: NDArray[np.float32]) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """One period. Episodes are cut at the task's number of periods, and end in no other way."""
        self._period += 1
        self._action[: len(action)] = [min(max(share, -1.0), 1.0) for share in action.tolist()]
        self.sim.act(self.control, self._action)
        info: dict[str, Any] = {"is_success": self.task.success(self.sim, self._goal)}
        if self.reward == "dense":
            info["shaping"] = self.task.shaping(self.sim.state)
        reward = float(self.earned(self.task.achieved(self.sim.state), self._goal, info))
        return self._observe(), reward, False, self._period >= self.task.periods, info

    def earned(self, achieved: NDArray[np.float32], goal: NDArray[np.float32], info: Any) -> FloatArray:
        """Reward of goals (..., goal_size); shaping comes from `info` where it has it."""
        distance = self.task.distance(achieved, goal)
        if self.reward == "sparse":
            return np.where(distance < self.task.tolerance, 0.0, -1.0)
        if isinstance(info, Mapping):
            shaping: Any = info.get("shaping", 0.0)
        else:
            shaping = np.array([one.get("shaping", 0.0) for one in info])
        earned: FloatArray = (distance < self.task.tolerance) - 10.0 * distance + shaping
        return earned

    @property
    def layout(self) -> StateLayout:
        """Of the numbers in an observation."""
        return self._shown.layout

    @property
    def goal(self) -> NDArray[np.float32]:
        """Of this episode, as observations show it."""
        return self._goal

    def render(self) -> ImageArray | None:
        """What the episode's camera sees, RGB (480, 480, 3)."""
        return self.sim.view(480) if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Let go of the world."""
        self.sim.close()

    def _observe(self) -> dict[str, Any]:
        return self._shown.build(self.sim.state, self._goal, lambda: self.sim.picture(self.image_size))


class DofBotGoalEnv(DofBotEnv):
    """The same with state observations: a goal environment, whose rewards hindsight replay can compute anew."""

    def compute_reward(
        self, achieved_goal: NDArray[np.float32], desired_goal: NDArray[np.float32], info: Any
    ) -> FloatArray:
        """Reward of goals (..., goal_size); shaping comes from `info` where it has it."""
        return self.earned(achieved_goal, desired_goal, info)


def make_env(task: str, obs: Observed = "state", **options: Any) -> DofBotEnv:
    """An environment of its class; arguments as DofBotEnv takes them."""
    return (DofBotEnv if obs == "image" else DofBotGoalEnv)(task, obs, **options)


def register() -> None:
    """Make the environments known to gymnasium.make.

    Without gymnasium's wrappers: they would hide `compute_reward` from stable-baselines3, and cost time in every step.
    """
    for name, identifier in ENV_IDS.items():
        if identifier not in gym.registry:
            gym.register(
                identifier,
                entry_point="dofbot_ros.policy.env.environments:make_env",
                order_enforce=False,
                disable_env_checker=True,
                kwargs={"task": name},
            )


register()
