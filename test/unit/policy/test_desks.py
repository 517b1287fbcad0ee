"""Policies on desks: the block is seen by the desk's camera, episodes repeat themselves, what cannot be is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.errors import ConfigError, InputError
from dofbot_ros.policy.env.environments import make_env
from dofbot_ros.policy.env.sim_robot import SimRobotConfig
from dofbot_ros.policy.evaluation.evaluate import EvaluateConfig, evaluate
from dofbot_ros.policy.runtime.policy_runner import shipped

pytest.importorskip("pybullet")


@pytest.mark.slow
def test_an_episode_on_a_desk_repeats_itself_and_sees_the_block_a_little_off() -> None:
    env = make_env("pick", desk="typical")
    try:
        first = [env.reset(seed=3)[0]["observation"]]
        arm = env.sim.world.config.arm
        block, truth = env.sim.state.block, env.sim.true_place()
        assert block is not None
        off = np.linalg.norm(np.subtract(block.position, truth))
        assert 0.0005 < off < 0.03
        first += [env.step(np.full(5, 0.3, np.float32))[0]["observation"] for _ in range(5)]
        env.reset(seed=4)
        assert env.sim.world.config.arm != arm
        again = [env.reset(seed=3)[0]["observation"]]
        again += [env.step(np.full(5, 0.3, np.float32))[0]["observation"] for _ in range(5)]
        np.testing.assert_array_equal(first, again)
    finally:
        env.close()


@pytest.mark.slow
def test_the_shipped_policy_picks_on_a_careful_desk() -> None:
    result = evaluate(EvaluateConfig(shipped("pick", "state"), 2, node_physics=False, desk="careful"))
    assert result["desk"] == "careful"
    assert result["success_rate"] >= 1 / 2


def test_what_has_no_desk_is_refused() -> None:
    with pytest.raises(ConfigError, match="measured from state, not from image"):
        make_env("pick", "image", desk="careful")
    with pytest.raises(ConfigError, match="leave out the domain target or the desk rough"):
        EvaluateConfig(Path(), domain="target", desk="rough")
    with pytest.raises(InputError, match="has to be a marked one"):
        SimRobotConfig(desk="rough")
