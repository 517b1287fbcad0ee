"""A trained policy or pose network as a torch module with gradients, from the .safetensors beside its ONNX file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from torch import Tensor, nn

from dofbot_ros.core.model_files import first_words, load_safetensors, load_state
from dofbot_ros.errors import InputError, one_of
from dofbot_ros.policy.interface.spec import EXPORT_AGAIN
from dofbot_ros.policy.perception.keypoint_network import PoseNetwork

Kind = Literal["mlp", "pose"]
"""mlp: a policy of linear layers, which takes a state; pose: the PoseNetwork in front of one."""

T = TypeVar("T", bound=nn.Module)

Activation = Literal["relu", "tanh"]
Squash = Literal["tanh", "clamp"]


class MlpPolicy(nn.Module):
    """A policy from state: linear layers, and actions brought to -1..1.

    Args:
        layers: linear ones, with an activation between them.
        squash: of the last layer: tanh as TQC and SAC act, clamp as PPO does.
    """

    def __init__(self, layers: Iterable[nn.Module], squash: Squash = "tanh") -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.squash: Squash = squash

    @property
    def activation(self) -> Activation:
        """Between the layers."""
        return "tanh" if any(isinstance(layer, nn.Tanh) for layer in self.layers) else "relu"

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers in the observation and in the action."""
        linear = [layer for layer in self.layers if isinstance(layer, nn.Linear)]
        return linear[0].in_features, linear[-1].out_features

    def forward(self, observation: Tensor) -> Tensor:
        """Actions (n, actions), -1..1, of observations (n, size): the spec's inputs, one after the other."""
        action: Tensor = self.layers(observation)
        return action.tanh() if self.squash == "tanh" else action.clamp(-1.0, 1.0)


def new_mlp(sizes: tuple[int, ...], activation: Activation = "relu", squash: Squash = "tanh") -> MlpPolicy:
    """A policy of random weights, with so many numbers in the observation, in each hidden layer, and in the action."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU() if activation == "relu" else nn.Tanh()]
    return MlpPolicy(layers[:-1], squash)


def mlp_of(
    weights: list[Tensor], biases: list[Tensor], activation: Activation = "relu", squash: Squash = "tanh"
) -> MlpPolicy:
    """The policy whose linear layers have these weights (out, in) and biases (out,), in eval mode."""
    sizes = (weights[0].shape[1], *(weight.shape[0] for weight in weights))
    policy = new_mlp(sizes, activation, squash)
    linear = [layer for layer in policy.layers if isinstance(layer, nn.Linear)]
    state = {
        f"layers.{2 * k}.{name}": tensor
        for k in range(len(linear))
        for name, tensor in (("weight", weights[k]), ("bias", biases[k]))
    }
    load_state(policy, state, "policy")
    return policy.eval()


def fold_batch_norms(network: T) -> T:
    """Give each convolution before a batch norm a bias, and take the batch norm out: the form that ONNX files hold.

    The new convolutions have random weights: the caller loads them.
    """
    for block in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        for k in range(len(block) - 1):
            conv = block[k]
            if isinstance(conv, nn.Conv2d) and isinstance(block[k + 1], nn.BatchNorm2d):
                block[k] = nn.Conv2d(
                    conv.in_channels,
                    conv.out_channels,
                    conv.kernel_size,  # type: ignore[arg-type]
                    conv.stride,  # type: ignore[arg-type]
                    conv.padding,  # type: ignore[arg-type]
                    conv.dilation,  # type: ignore[arg-type]
                    conv.groups,
                )
                block[k + 1] = nn.Identity()
    return network


def empty_pose_network() -> PoseNetwork:
    """A pose network in folded form, with random weights, in eval mode."""
    return fold_batch_norms(PoseNetwork()).eval()


def load_torch_policy(path: Path) -> MlpPolicy | PoseNetwork:
    """The network of a .safetensors file that `dofbot policy train` or `dofbot policy weights` wrote, in eval mode.

    Raises:
        InputError: no such file, or not the weights of a policy or pose network.
    """
    state, metadata = load_safetensors(path, "policy")
    try:
        texts = dict(json.loads(metadata.get("network", "{}")))
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path} describes its network in no JSON object: {first_words(error)}") from error
    kind: Any = texts.get("kind", "")
    if kind == "image":
        raise InputError(f"{path} is of an image policy of an earlier version: {EXPORT_AGAIN}")
    if kind not in get_args(Kind):
        raise InputError(f"{path}: {one_of('kind', kind, get_args(Kind))}: `dofbot policy weights` writes such files")
    if kind == "mlp":
        return _mlp(state, texts, path)
    network = empty_pose_network()
    load_state(network, state, path)
    return network


def _mlp(state: Mapping[str, Tensor], texts: Mapping[str, str], path: Path) -> MlpPolicy:
    weights = [tensor for name, tensor in _in_order(state) if name.endswith("weight")]
    biases = [tensor for name, tensor in _in_order(state) if name.endswith("bias")]
    if not weights or len(weights) != len(biases) or any(weight.ndim != 2 for weight in weights):
        raise InputError(f"{path} holds no linear layers with biases: those of a policy from state are expected")
    activation: Any = texts.get("activation", "relu")
    squash: Any = texts.get("squash", "tanh")
    return mlp_of(weights, biases, activation, squash)


def _in_order(state: Mapping[str, Tensor]) -> list[tuple[str, Tensor]]:
    """By the number of the layer, which is in the name: layers.10 comes after layers.2."""
    return sorted(state.items(), key=lambda item: [int(part) for part in item[0].split(".") if part.isdigit()])
