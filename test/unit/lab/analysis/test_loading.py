"""Networks are opened from runs, files and checkpoints, and what is none is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("captum", reason="looking into networks needs the extra lab")

import torch
from safetensors.torch import save_file
from stable_baselines3 import PPO, SAC

from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import InputError
from dofbot_ros.lab.analysis.loading import load_network
from dofbot_ros.lab.analysis.samples import real_samples


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("grasp", "grasp"),
        ("grasp/ranker.safetensors", "ranker"),
        ("policy/pick_pipeline/pose.safetensors", "pose"),
        ("policy/pick_image", "mlp"),
        ("policy/place_state", "mlp"),
        ("imitation/hand17", "hand"),
    ],
)
def test_shipped_networks_take_inputs_from_the_simulation(path: str, kind: str) -> None:
    network = load_network(share_file("models", *path.split("/")))
    assert network.kind == kind
    samples = real_samples(network, 3, seed=1)
    assert [tuple(part.shape) for part in samples.inputs] == [(3, *spec.shape) for spec in network.inputs]
    answer = network.answer(*samples.inputs)
    assert answer.shape == (3, len(network.outputs) or answer.shape[1])
    low, high = network.inputs[0].bounds()
    assert bool(((samples.inputs[0] >= low - 1e-4) & (samples.inputs[0] <= high + 1e-4)).all())
    assert torch.equal(samples.inputs[0], real_samples(network, 3, seed=1).inputs[0])
    with pytest.raises(InputError, match=r"quantity .colour. is not one of"):
        samples.quantity("colour")


@pytest.mark.parametrize("algorithm", [PPO, SAC])
def test_a_checkpoint_of_stable_baselines3_acts_as_the_model(algorithm: type, tmp_path: Path) -> None:
    model = algorithm("MlpPolicy", "Pendulum-v1", policy_kwargs={"net_arch": [12, 12]}, seed=0, device="cpu")
    model.save(tmp_path / "agent.zip")
    network = load_network(tmp_path / "agent.zip")
    seen = torch.randn(20, 3)
    wanted = torch.from_numpy(model.policy.predict(seen.numpy(), deterministic=True)[0])
    # Pendulum's actions are -2..2: SAC scales its own to them, PPO leaves them as they are.
    if algorithm is SAC:
        wanted = wanted / 2.0
    assert torch.allclose(network.module(seen), wanted.clamp(-1.0, 1.0), atol=1e-5)


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2)}, tmp_path / "a.safetensors")
    (tmp_path / "b.zip").write_bytes(b"no zip")
    (tmp_path / "c.pt").write_bytes(b"a pickle")
    for name, said in (
        ("a.safetensors", "does not say whose weights it holds"),
        ("b.zip", "is no checkpoint of stable-baselines3"),
        ("c.pt", "is no network that can be analysed: a run's folder"),
        ("", "holds neither model.safetensors"),
        ("nothing.safetensors", "does not exist: a run.s folder"),
    ):
        with pytest.raises(InputError, match=said):
            load_network(tmp_path / name)
