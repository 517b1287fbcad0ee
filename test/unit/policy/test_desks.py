"""Policies on desks: the block is seen by the desk's camera, episodes repeat themselves, what cannot be is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.errors import ConfigError, InputError
from dofbot_ros.policy.env.environments import make_env
from dofbot_ros.policy.env.sim_robot import SimRobotConfig
from dofbot_ros.policy.evaluation.evaluate import EvaluateConfig, evaluate
from dofbot_ros.policy.interface.action_mapper import PERIOD_S
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


@pytest.mark.slow
def test_a_policy_from_pictures_sees_the_desks_own_late_and_straightened() -> None:
    """Its pictures are those of a camera whose place, lens and light nobody told it of."""
    env = make_env("pick", "image", desk="typical")
    try:
        first = env.reset(seed=3)[0]["image"][..., -3:]
        shown = [env.step(np.full(5, 0.3, np.float32))[0]["image"][..., -3:] for _ in range(4)]
        latency_s = env.sim.world.config.camera.flaws.latency_s
        again = env.reset(seed=3)[0]["image"][..., -3:]
    finally:
        env.close()
    assert first.std() > 10.0
    np.testing.assert_array_equal(first, again)
    # The arm moves from the first period on, and is seen to after an image's time and its way.
    still = [bool(np.array_equal(first, picture)) for picture in shown]
    assert still[: int(latency_s / PERIOD_S)] == [True] * int(latency_s / PERIOD_S)


@pytest.mark.slow
@pytest.mark.parametrize("desk", ["typical", "typical:calibrated"])
def test_an_arm_goes_by_the_calibration_that_it_was_told(desk: str) -> None:
    """Zeros 2 degrees off put the tool beside where its joints say it is, unless they are told."""
    env = make_env("pick", desk=desk)
    try:
        env.reset(seed=3)
        believed = np.array(env.sim.state.joints[:5])
        true = np.array(env.sim.world.arm.angles()[:5])
    finally:
        env.close()
    off = np.degrees(np.abs(believed - true))
    assert (off[[0, 4]].max() < 0.2) == desk.endswith("calibrated")


def test_what_has_no_desk_is_refused() -> None:
    with pytest.raises(ConfigError, match="leave out the domain target or the desk rough"):
        EvaluateConfig(Path(), domain="target", desk="rough")
    with pytest.raises(InputError, match="has to be a marked one"):
        SimRobotConfig(desk="rough")
