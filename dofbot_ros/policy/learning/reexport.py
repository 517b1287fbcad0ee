"""Writes a policy's files anew from its .safetensors, and brings image policies of earlier versions to today's form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from dofbot_ros.core.model_files import load_safetensors
from dofbot_ros.errors import InputError, UsageError
from dofbot_ros.policy.interface.observation import StateLayout
from dofbot_ros.policy.interface.spec import MODEL, SPEC, PolicySpec, read_spec
from dofbot_ros.policy.learning.export import export_mlp
from dofbot_ros.policy.learning.pipeline_train import POSE_WEIGHTS, copy_pose, require_empty, require_pose
from dofbot_ros.policy.learning.torch_policy import MlpPolicy, load_torch_policy, mlp_of
from dofbot_ros.policy.perception.pose_estimator import POSE_MODEL

WEIGHTS = "policy.safetensors"

STATE_INPUTS = ("achieved_goal", "desired_goal", "observation")


def export_again(folder: Path, out: Path, network: Path | None = None) -> list[Path]:
    """Write the policy of `folder` into `out`, as a training of this version would have.

    Args:
        folder: with policy.yaml and policy.safetensors.
        out: gets policy and, where there is one, pose network, each as .onnx, .safetensors and .yaml.
        network: folder of the pose network to put before it instead of its own; for an image policy of an earlier
            version the one that it was taught with.

    Returns:
        The ONNX files that were written.

    Raises:
        InputError: `folder` holds no such policy, `out` is not empty, or `network` is another pose network.
    """
    require_empty(out)
    spec, earlier = read_spec(folder)
    if earlier:
        if network is None:
            raise UsageError(f"{folder} is an image policy of an earlier version: give its pose network with --network")
        policy, spec = _head(folder, network), _of_state(spec)
    else:
        if network is not None and spec.observed != "pipeline":
            raise UsageError(f"--network is for policies that see pictures: {folder} acts on {spec.obs}")
        policy = _policy(folder, spec)
    if spec.observed != "pipeline":
        export_mlp(policy, spec, out)
        return [out / MODEL]
    require_pose(network or folder)
    export_mlp(policy, spec, out)
    copy_pose(network or folder, out)
    return [out / MODEL, out / POSE_MODEL]


def _policy(folder: Path, spec: PolicySpec) -> MlpPolicy:
    path = folder / WEIGHTS
    policy = load_torch_policy(path)
    if not isinstance(policy, MlpPolicy):
        raise InputError(f"{path} holds a pose network, not a policy")
    takes, gives = policy.shape
    told = 2 * spec.goal_size + sum(entry.size for entry in spec.observation), len(spec.action)
    if (takes, gives) != told:
        raise InputError(f"{path} takes {takes} numbers and gives {gives}, {SPEC} says {told[0]} and {told[1]}")
    return policy


def _of_state(spec: PolicySpec) -> PolicySpec:
    """The spec of the same policy, whose network is given the state that is estimated from pictures."""
    return replace(spec, observation=StateLayout(block=True).entries, inputs=STATE_INPUTS, stack=0)


def _head(folder: Path, network: Path) -> MlpPolicy:
    """The layers that act in an image policy of an earlier version, whose one file held the pose network too.

    Raises:
        InputError: no such weights, or `network` is not what was in front of them.
    """
    path = folder / WEIGHTS
    state, _ = load_safetensors(path, "policy")
    theirs, _ = load_safetensors(network / POSE_WEIGHTS, "pose network")
    mine = {name.removeprefix("network."): one for name, one in state.items() if name.startswith("network.")}
    if not _same(mine, theirs):
        raise InputError(f"{path} was taught with another pose network than that in {network}")
    layers = [(state.get(f"head.layers.{k}.weight"), state.get(f"head.layers.{k}.bias")) for k in (0, 2, 4)]
    found = [(weight, bias) for weight, bias in layers if weight is not None and bias is not None]
    if len(found) != len(layers):
        raise InputError(f"{path} has no head of three linear layers: it is no image policy of an earlier version")
    return mlp_of([weight for weight, _ in found], [bias for _, bias in found])


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
