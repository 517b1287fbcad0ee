"""A policy that is watched: its frames act as the model does, and the run keeps a page of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("stable_baselines3", reason="training needs the extra learn")

from stable_baselines3 import PPO, SAC

from dofbot_ros.errors import InputError
from dofbot_ros.lab.live.policy_watch import PAGE, PolicyWatch
from dofbot_ros.policy.env.environments import make_env


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", [PPO, SAC])
def test_frames_act_as_the_model(algorithm: type, tmp_path: Path) -> None:
    env = make_env("reach")
    sizes = {name: space.shape[0] for name, space in env.observation_space.spaces.items()}  # type: ignore[attr-defined]
    model = algorithm("MultiInputPolicy", env, policy_kwargs={"net_arch": [32, 8]}, seed=0, device="cpu")
    with PolicyWatch(model, env, tmp_path) as watch:
        watch.take(100, 0.5)
        frame = watch.frames[-1]
        samples = watch.samples.numpy()
    assert frame.sizes == (sum(sizes.values()), 32, 8, 3)
    splits = np.cumsum([sizes[name] for name in sorted(sizes)])[:-1]
    parts = dict(zip(sorted(sizes), np.split(samples, splits, axis=1), strict=True))
    action, _ = model.predict(parts, deterministic=True)
    assert np.allclose(frame.activations[-1], action, atol=1e-5)
    assert (tmp_path / PAGE).stat().st_size > 10_000


def test_a_policy_of_pictures_is_refused(tmp_path: Path) -> None:
    env = make_env("reach", "image")
    model = PPO("MultiInputPolicy", env, seed=0, device="cpu", n_steps=8, batch_size=8)
    with pytest.raises(InputError, match="a policy of image observations cannot be watched"):
        PolicyWatch(model, env, tmp_path)
    env.close()
