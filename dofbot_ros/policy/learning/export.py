"""Writes a trained policy as ONNX with its spec, for the runner and the arm, and as safetensors, to be analysed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn

from dofbot_ros.config.loader import save_yaml
from dofbot_ros.policy.env.environments import DofBotEnv
from dofbot_ros.policy.interface.action_mapper import PERIOD_S
from dofbot_ros.policy.interface.observation import CLIP
from dofbot_ros.policy.interface.spec import MODEL, SPEC, PolicySpec, action_entries, goal_entry, joint_limits
from dofbot_ros.policy.learning.recover_weights import beside
from dofbot_ros.policy.learning.torch_policy import MlpPolicy
from dofbot_ros.policy.perception.pixels import rows


class _Deterministic(nn.Module):
    """The mean action of a policy, as a function of the observation's parts in the order of `names`."""

    def __init__(self, policy: Any, names: tuple[str, ...]) -> None:
        super().__init__()
        self.policy = policy
        self.names = names

    def forward(self, *parts: Tensor) -> Tensor:
        """Actions (n, size) in -1..1 of the parts (n, ...)."""
        observation = dict(zip(self.names, parts, strict=True))
        action: Tensor = self.policy._predict(observation, deterministic=True)
        return action.clamp(-1.0, 1.0) if isinstance(self.policy, ActorCriticPolicy) else action


def export_policy(model: BaseAlgorithm, env: DofBotEnv, folder: Path, training: dict[str, str]) -> None:
    """Write `model`'s policy and its spec into `folder`.

    Args:
        model: trained in environments like `env`.
        env: which tells the layout.
        folder: gets policy.onnx, policy.safetensors and policy.yaml.
        training: where it comes from.
    """
    device = model.device
    policy = model.policy.to("cpu").eval()
    spec = spec_of(env, training)
    write_policy(_Deterministic(policy, spec.inputs), spec, folder)
    model.policy.to(device)


class _OfParts(nn.Module):
    """A policy of linear layers, as a function of the observation's parts."""

    def __init__(self, policy: MlpPolicy) -> None:
        super().__init__()
        self.policy = policy

    def forward(self, *parts: Tensor) -> Tensor:
        """Actions (n, size) of the parts (n, ...), one after the other."""
        action: Tensor = self.policy(torch.cat(parts, dim=1))
        return action


def export_mlp(policy: MlpPolicy, spec: PolicySpec, folder: Path) -> None:
    """Write policy.onnx, policy.safetensors and policy.yaml of a policy of linear layers into `folder`."""
    write_policy(_OfParts(policy), spec, folder)


def write_policy(module: nn.Module, spec: PolicySpec, folder: Path) -> None:
    """Write policy.onnx, policy.yaml and, where the network is of a kind that is known, policy.safetensors.

    Args:
        module: from the observation's parts, in the order of the spec's inputs, (n, ...) each, to actions (n, size).
        spec: of the policy.
        folder: is made where it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        module,
        tuple(_sample(spec, name) for name in spec.inputs),
        str(folder / MODEL),
        input_names=list(spec.inputs),
        output_names=["action"],
        opset_version=17,
        dynamo=False,
    )
    beside(folder / MODEL)
    save_yaml(spec, folder / SPEC)


def _sample(spec: PolicySpec, name: str) -> Tensor:
    """An input of the network, (1, ...): pictures as bytes, the rest as it is observed."""
    if name == "image":
        return torch.zeros(1, rows(spec.image_size), spec.image_size, 3 * spec.stack, dtype=torch.uint8)
    numbers = sum(entry.size for entry in spec.observation)
    return torch.zeros(1, numbers if name in ("observation", "arm") else spec.goal_size)


def spec_of(env: DofBotEnv, training: dict[str, str]) -> PolicySpec:
    """The spec of a policy that was trained in environments like `env`; its inputs are the parts of the observation."""
    return PolicySpec(
        task=env.task.name,
        obs=env.obs,
        control=env.control,
        frame="base_link",
        observation=env.layout.entries,
        goal=goal_entry(),
        goal_size=env.task.goal_size,
        clip=CLIP,
        inputs=tuple(sorted(env.observation_space.spaces)),  # type: ignore[attr-defined]
        image_size=0 if env.obs == "state" else env.image_size,
        stack=env.stack if env.obs == "image" else 0,
        action=action_entries(env.control, env.action_space.shape[0]),  # type: ignore[index]
        period_s=PERIOD_S,
        limits=joint_limits(),
        training=training,
    )
