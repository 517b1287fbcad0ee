"""Writes a trained policy as ONNX with its spec, for the runner and the arm, and as safetensors, to be analysed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn

from dofbot_ros.config.loader import save_yaml
from dofbot_ros.policy.env.environments import DofBotEnv
from dofbot_ros.policy.interface.action_mapper import PERIOD_S
from dofbot_ros.policy.interface.observation import CLIP
from dofbot_ros.policy.interface.spec import MEMORY, MODEL, SPEC, PolicySpec, action_entries, goal_entry, joint_limits
from dofbot_ros.policy.learning.recover_weights import beside


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
    export_module(_Deterministic(policy, input_names(env)), env, folder, training)
    model.policy.to(device)


def input_names(env: DofBotEnv) -> tuple[str, ...]:
    """The parts of its observation in the order in which exported networks take them."""
    return tuple(sorted(env.observation_space.spaces))  # type: ignore[attr-defined]


def export_module(
    module: nn.Module, env: DofBotEnv, folder: Path, training: dict[str, str], *, memory: int = 0
) -> None:
    """Write a network that acts, and its spec.

    Args:
        module: from the parts of an observation, in the order of input_names, (n, ...) each, to actions (n, size).
        env, folder, training: as for export_policy.
        memory: numbers that the module takes as its last part and gives beside its actions, (n, memory).
    """
    folder.mkdir(parents=True, exist_ok=True)
    spaces = env.observation_space.spaces  # type: ignore[attr-defined]
    names = input_names(env)
    # Pictures as bytes, the rest as they are observed.
    types = {np.dtype(np.uint8): torch.uint8}
    sample = tuple(
        torch.zeros(1, *spaces[name].shape, dtype=types.get(spaces[name].dtype, torch.float32)) for name in names
    )
    outputs = ["action"]
    if memory:
        names, outputs = (*names, MEMORY), [*outputs, f"next_{MEMORY}"]
        sample = (*sample, torch.zeros(1, memory))
    torch.onnx.export(
        module,
        sample,
        str(folder / MODEL),
        input_names=list(names),
        output_names=outputs,
        opset_version=17,
        dynamo=False,
    )
    beside(folder / MODEL)
    spec = PolicySpec(
        task=env.task.name,
        obs=env.obs,
        control=env.control,
        frame="base_link",
        observation=env.layout.entries,
        goal=goal_entry(),
        goal_size=env.task.goal_size,
        clip=CLIP,
        inputs=names,
        image_size=0 if env.obs == "state" else env.image_size,
        stack=env.stack if env.obs == "image" else 0,
        action=action_entries(env.control, env.action_space.shape[0]),  # type: ignore[index]
        period_s=PERIOD_S,
        limits=joint_limits(),
        training=training,
        memory=memory,
    )
    save_yaml(spec, folder / SPEC)
