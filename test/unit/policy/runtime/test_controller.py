"""What drives a policy on the arm shows it what training showed it, and stops when it no longer could."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import GRIP
from dofbot_ros.errors import CommandRefusedError, InputError
from dofbot_ros.policy.env.environments import DofBotEnv, make_env
from dofbot_ros.policy.interface.action_mapper import PERIOD_S
from dofbot_ros.policy.interface.spec import PolicySpec
from dofbot_ros.policy.interface.tool_pitch_map import reach_map
from dofbot_ros.policy.perception.pose_estimator import estimator_of
from dofbot_ros.policy.runtime.block_tracker import BlockDetection
from dofbot_ros.policy.runtime.controller import ControllerConfig, End, PolicyController
from dofbot_ros.policy.runtime.policy_runner import PolicyRunner, shipped
from dofbot_ros.sim.randomization import RandomizationRanges

LATE = RandomizationRanges(
    joint_noise=(0.002, 0.002),
    block_noise_m=(0.002, 0.002),
    block_noise_rad=(0.02, 0.02),
    observation_delay_s=(0.08, 0.08),
    dropout=(0.1, 0.1),
)


class Wandering:
    """Acts by random weights on all that it is shown: any difference in what that is changes what it does."""

    def __init__(self, spec: PolicySpec, observation: Mapping[str, NDArray[np.float32]], actions: int) -> None:
        self.spec = spec
        size = sum(part.size for part in observation.values())
        self._weights = np.random.default_rng(3).normal(0.0, 0.6, (actions, size))

    def act(self, observation: Mapping[str, Any]) -> NDArray[np.float32]:
        shown = np.concatenate([np.ravel(observation[name]) for name in sorted(observation)])
        return np.tanh(self._weights @ shown).astype(np.float32)


def read(controller: PolicyController, env: DofBotEnv, now_s: float) -> None:
    """What arm and localiser would say now."""
    state = env.sim.state
    controller.joints(state.joints, now_s)
    if state.block is not None and state.block.age == 0:
        controller.block(BlockDetection(state.block.position, state.block.yaw, now_s))


@pytest.mark.parametrize("control", ["tool", "joints"])
@pytest.mark.parametrize("task", ["reach", "pick", "place"])
def test_a_policy_acts_as_it_does_in_its_environment(task: str, control: str, straight_policy: Any) -> None:
    env = make_env(task, control=control, ranges=LATE)
    observation, _ = env.reset(seed=1)
    policy = Wandering(straight_policy.spec(task, control), observation, env.action_space.shape[0])
    controller = PolicyController(policy, ControllerConfig(goal_hold_s=60.0))
    read(controller, env, 0.0)
    x, y, z = (0.2, 0.0, 0.08) + 0.1 * np.resize(env.goal, 3)
    controller.start(0.0, {"reach": (x, y, z), "pick": (), "place": (x, y)}[task], env.sim.state.command)
    for period in range(60):
        now_s = period * PERIOD_S
        read(controller, env, now_s)
        step = controller.step(now_s)
        for name, part in controller.shown.items():
            assert part == pytest.approx(observation[name], abs=1e-5), (period, name)
        observation, *_ = env.step(policy.act(observation))
        # What the environment obeys, ahead by what a driver has to keep for braking.
        assert step.command == pytest.approx(env.sim._mapper.stopping_point(), abs=1e-6)
        assert step.command[GRIP] == pytest.approx(env.sim.state.command[GRIP], abs=1e-6)
        assert np.abs(step.command - env.sim.state.command).max() <= 1.6**2 / 16 + 1e-6
    env.close()


def test_a_policy_is_shown_the_pictures_that_its_environment_shows(straight_policy: Any) -> None:
    env = make_env("pick", "image", image_size=32)
    observation, _ = env.reset(seed=1)
    spec = replace(
        straight_policy.spec("pick"),
        obs="image",
        image_size=32,
        stack=3,
        observation=env.layout.entries,
        inputs=("arm", "goal", "image"),
    )
    policy = Wandering(spec, observation, env.action_space.shape[0])
    controller = PolicyController(policy, ControllerConfig(max_picture_age_s=0.5))
    controller.joints(env.sim.state.joints, 0.0)
    with pytest.raises(CommandRefusedError, match="pictures are stale: none has come"):
        controller.start(0.0)
    for period in range(10):
        now_s = period * PERIOD_S
        controller.joints(env.sim.state.joints, now_s)
        controller.picture(observation["image"][..., -3:], now_s)
        if period == 0:
            controller.start(now_s, (), env.sim.state.command)
        controller.step(now_s)
        for name, part in observation.items():
            assert controller.shown[name] == pytest.approx(part, abs=1e-5), (period, name)
        observation, *_ = env.step(policy.act(observation))
    env.close()
    controller.joints(env.sim.state.joints, now_s + 1.0)
    assert controller.step(now_s + 1.0).end is End.STALE_PICTURE


def test_a_policy_is_shown_the_state_that_its_environment_estimates_from_pictures() -> None:
    """Env and arm run one estimator: the shipped image policy is given the same numbers by both, and acts alike."""
    folder = shipped("pick", "image")
    policy = PolicyRunner(folder)
    env = make_env("pick", policy.spec.observed, ranges=LATE, pose=folder)
    observation, _ = env.reset(seed=1)
    reader = estimator_of(policy.spec, folder)
    with pytest.raises(InputError, match="this image policy needs a pose network"):
        PolicyController(policy)
    controller = PolicyController(policy, ControllerConfig(goal_hold_s=60.0, max_block_age_s=60.0), reader)
    for period in range(30):
        now_s = period * PERIOD_S
        controller.joints(env.sim.state.joints, now_s)
        controller.picture(env.sim._pictures[0], now_s)
        if period == 0:
            controller.start(now_s, (), env.sim.state.command)
        controller.step(now_s)
        for name, part in observation.items():
            assert controller.shown[name] == pytest.approx(part, abs=2e-3), (period, name)
        observation, *_ = env.step(policy.act(observation))
    env.close()


def arm(straight_policy: Any, tmp_path: Path, task: str = "reach", **limits: float) -> PolicyController:
    """A drive whose arm stands at the ready pose at time 0."""
    controller = PolicyController(PolicyRunner(straight_policy(tmp_path / task, task)), ControllerConfig(**limits))
    controller.joints(controller.ready_pose(), 0.0)
    return controller


def follow(controller: PolicyController, now_s: float = 0.0) -> tuple[End, float]:
    """Let a perfect arm obey until the run ends."""
    while (step := controller.step(now_s)).command is not None:
        now_s += PERIOD_S
        controller.joints(step.command.tolist(), now_s)
    assert step.end is not None
    return step.end, now_s


def test_a_reached_goal_ends_the_run_after_a_while(straight_policy: Any, tmp_path: Path) -> None:
    controller = arm(straight_policy, tmp_path, goal_hold_s=0.4)
    controller.start(0.0, (0.22, 0.06, 0.06))
    end, _ = follow(controller)
    assert end is End.REACHED
    assert math.dist(controller.state.tool, (0.22, 0.06, 0.06)) < 0.005


def test_time_runs_out(straight_policy: Any, tmp_path: Path) -> None:
    controller = arm(straight_policy, tmp_path, time_limit_s=0.5)
    controller.start(0.0, (0.17, -0.1, 0.14))
    end, now_s = follow(controller)
    assert end is End.TIMED_OUT
    assert now_s == pytest.approx(0.5, abs=1.5 * PERIOD_S)


def test_stale_joints_end_the_run_and_keep_another_from_beginning(straight_policy: Any, tmp_path: Path) -> None:
    controller = arm(straight_policy, tmp_path, max_joint_age_s=0.2)
    controller.start(0.1, (0.22, 0.06, 0.06))
    assert controller.step(0.19).command is not None
    step = controller.step(0.25)
    assert (step.command, step.end) == (None, End.STALE_JOINTS)
    assert "0.25 s, allowed are 0.2 s" in step.detail
    with pytest.raises(CommandRefusedError, match="joint states are stale"):
        controller.start(0.3, (0.22, 0.06, 0.06))


def test_a_block_that_is_not_seen_any_more_ends_the_run(straight_policy: Any, tmp_path: Path) -> None:
    controller = arm(straight_policy, tmp_path, "pick", max_block_age_s=1.0)
    with pytest.raises(CommandRefusedError, match="not been seen for too long: none has come"):
        controller.start(0.0)
    controller.block(BlockDetection((0.2, 0.0, 0.015), 0.3, 0.0))
    controller.start(0.0)
    end, now_s = follow(controller)
    assert end is End.STALE_BLOCK
    assert now_s == pytest.approx(1.0, abs=1.5 * PERIOD_S)


@pytest.mark.parametrize(
    ("task", "place", "why"),
    [
        ("reach", (), "the goal of reach is x y z"),
        ("reach", (0.2, 0.0, math.nan), "x y z"),
        ("reach", (0.4, 0.0, 0.1), "out of the tool's reach"),
        ("reach", (-0.2, 0.0, 0.1), "out of the tool's reach"),
        ("place", (0.2, 0.1, 0.0), "x y in base_link"),
        ("pick", (0.2, 0.1), "is none"),
    ],
)
def test_a_goal_that_is_none_is_refused(
    task: str, place: tuple[float, ...], why: str, straight_policy: Any, tmp_path: Path
) -> None:
    controller = arm(straight_policy, tmp_path, task)
    controller.block(BlockDetection((0.2, 0.0, 0.015), 0.3, 0.0))
    with pytest.raises(InputError, match=why):
        controller.start(0.0, place)


def test_a_hidden_block_lies_where_it_was_until_the_fingers_carry_it(straight_policy: Any, tmp_path: Path) -> None:
    controller = arm(straight_policy, tmp_path, "pick", max_block_age_s=1.0, goal_hold_s=60.0)
    low = reach_map().solve(0.2, 0.03)
    assert low is not None
    closed = [0.0, *low, 0.0, 1.0]
    controller.joints(closed, 0.0)
    tool = Kinematics().forward(closed[:5])
    controller.block(BlockDetection((tool.x, tool.y, tool.z), 0.0, 0.0))
    controller.start(0.0)
    now_s = 0.0
    for _ in range(30):  # the fingers stand around something although they would close further
        controller.joints(closed, now_s)
        assert controller.step(now_s).command is not None
        now_s += PERIOD_S
    assert controller.held
    controller.joints(closed, 5.0)
    with pytest.raises(CommandRefusedError, match="not been seen for too long"):
        controller.start(5.0)  # what is in the hand falls when a run begins: its place is not known by then
    turned = [0.4, *closed[1:]]
    controller.joints(turned, now_s)
    controller.step(now_s)
    assert controller.state.block is not None
    tool = Kinematics().forward(turned[:5])
    assert controller.state.block.position == pytest.approx((tool.x, tool.y, tool.z), abs=1e-6)
    assert controller.state.block.age <= 3
