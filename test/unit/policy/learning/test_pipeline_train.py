"""A pipeline is a pose network and a policy from state; one network serves every task."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs the extra learn")

from dofbot_ros.errors import InputError
from dofbot_ros.policy.env.environments import make_env
from dofbot_ros.policy.learning.pipeline_train import join_pipeline
from dofbot_ros.policy.runtime.policy_runner import PolicyRunner, shipped


def test_a_pose_network_is_used_for_another_task(tmp_path: Path) -> None:
    run = tmp_path / "run"
    join_pipeline(shipped("pick", "pipeline"), "place", shipped("place", "state"), run)
    policy = PolicyRunner(run)
    assert (policy.spec.task, policy.spec.obs) == ("place", "pipeline")
    env = make_env("place", "pipeline", pose=run)
    observation, _ = env.reset(seed=0)
    assert policy.act(observation).shape == env.action_space.shape
    env.close()


def test_what_does_not_fit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    network, run = shipped("pick", "pipeline"), tmp_path / "run"
    with pytest.raises(InputError, match="a state policy for pick, not one from state for place"):
        join_pipeline(network, "place", shipped("pick", "state"), run)
    with pytest.raises(InputError, match=r"pose\.onnx does not exist"):
        join_pipeline(tmp_path, "pick", shipped("pick", "state"), run)
    assert not run.exists()
    (tmp_path / "mine.txt").touch()
    with pytest.raises(InputError, match="not empty"):
        join_pipeline(network, "pick", shipped("pick", "state"), tmp_path)
