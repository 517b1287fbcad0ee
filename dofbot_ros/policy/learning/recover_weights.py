"""Takes a network's weights out of its ONNX file, exactly, and puts them beside it as safetensors for torch."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dofbot_ros.core.model_files import first_words, model_bytes, open_onnx, save_safetensors
from dofbot_ros.errors import InputError
from dofbot_ros.policy.learning.torch_policy import (
    Activation,
    Kind,
    MlpPolicy,
    Squash,
    empty_pose_network,
    load_torch_policy,
    mlp_of,
)
from dofbot_ros.policy.perception.keypoint_network import Exported, PoseNetwork

SUFFIX = ".safetensors"

CLOSE = 1e-4
"""Most by which outputs of torch and onnxruntime may differ: both round on their own, in another order."""


@dataclass(frozen=True)
class Recovered:
    """What was written.

    Attributes:
        path: the .safetensors file.
        kind: of network.
        parameters: numbers in it.
        difference: largest between an output by torch and by onnxruntime, relative to 1 or to the output's size.
    """

    path: Path
    kind: Kind
    parameters: int
    difference: float


def recover_weights(onnx_file: Path, seed: int = 0) -> Recovered:
    """Write the safetensors of a policy or pose network, and compare what both files answer to random inputs.

    Args:
        onnx_file: policy.onnx or pose.onnx.
        seed: of the inputs.

    Raises:
        InputError: the network is none that this package trains, or the two files answer differently.
    """
    network = network_of(onnx_file)
    kind: Kind = "pose"
    texts = {"kind": "pose"}
    if isinstance(network, MlpPolicy):
        kind = "mlp"
        texts = {"kind": "mlp", "activation": network.activation, "squash": network.squash}
    path = onnx_file.with_suffix(SUFFIX)
    new = path.with_name(f"new_{path.name}")
    # One text, since the order of several differs from run to run.
    save_safetensors(network.state_dict(), new, {"network": json.dumps(texts)})
    difference = compare(load_torch_policy(new), onnx_file, seed)
    if not difference <= CLOSE:
        new.unlink()
        raise InputError(f"{onnx_file}: the same weights in torch answer by {difference:.1e} otherwise: not written")
    new.replace(path)
    return Recovered(path, kind, sum(tensor.numel() for tensor in network.state_dict().values()), difference)


def network_of(onnx_file: Path) -> MlpPolicy | PoseNetwork:
    """The MlpPolicy or PoseNetwork whose weights an ONNX file holds, in eval mode.

    Raises:
        InputError: the network is none that this package trains.
    """
    graph = _graph(onnx_file)
    operations = Counter(node.op_type for node in graph.node)
    kind = _kind(graph, operations)
    if kind is None:
        raise InputError(
            f"{onnx_file} takes {', '.join(given.name for given in graph.input)}: weights are taken out of policies "
            "whose network takes a state, and of pose networks"
        )
    layers = _layers(graph)
    if kind == "pose":
        return _pose_network(layers, onnx_file)
    activation: Activation = "relu" if operations["Relu"] else "tanh"
    squash: Squash = "clamp" if operations["Clip"] and not _ends_in_tanh(graph) else "tanh"
    return _mlp(layers, activation, squash, onnx_file)


def beside(onnx_file: Path) -> Recovered | None:
    """Write the safetensors where the network is of a kind that can be taken out of its ONNX file."""
    graph = _graph(onnx_file)
    if _kind(graph, Counter(node.op_type for node in graph.node)) is None:
        return None
    return recover_weights(onnx_file)


def compare(network: nn.Module, onnx_file: Path, seed: int = 0) -> float:
    """Largest difference between outputs of both for 8 random inputs, relative to 1 or to the output's size."""
    session = open_onnx(onnx_file, "policy")
    given = session.get_inputs()
    rng = np.random.default_rng(seed)
    worst = 0.0
    for _ in range(8):
        feed = {one.name: _random(rng, one.shape, one.type) for one in given}
        wanted = session.run(None, feed)
        with torch.no_grad():
            answers = _answers(network, [torch.from_numpy(part) for part in feed.values()])
        for mine, theirs in zip(answers, wanted, strict=True):
            scale = max(1.0, float(np.abs(theirs).max()))
            worst = max(worst, float(np.abs(mine.numpy() - theirs).max()) / scale)
    return worst


def _random(rng: np.random.Generator, shape: list[Any], kind: str) -> NDArray[Any]:
    size = [extent if isinstance(extent, int) else 1 for extent in shape]
    if "uint8" in kind:
        return rng.integers(0, 256, size, dtype=np.uint8)
    return rng.normal(size=size).astype(np.float32)


def _answers(network: nn.Module, parts: list[Tensor]) -> tuple[Tensor, ...]:
    if isinstance(network, PoseNetwork):
        answer: tuple[Tensor, ...] = Exported(network)(*parts)
        return answer
    return (network(torch.cat(parts, dim=1)),)


def _graph(path: Path) -> Any:
    import onnx

    try:
        # From the bytes alone: tensors that it refers to in other files are not followed.
        return onnx.load_model_from_string(model_bytes(path, "policy")).graph
    except InputError:
        raise
    except Exception as error:  # protobuf's own kinds
        raise InputError(f"{path} is no policy: {first_words(error)}") from error


def _kind(graph: Any, operations: Counter[str]) -> Kind | None:
    inputs = {given.name for given in graph.input}
    if inputs == {"image"}:
        return "pose"
    if operations["Gemm"] and not operations["Conv"]:
        return "mlp"
    return None


def _layers(graph: Any) -> list[tuple[Tensor, Tensor]]:
    """Weight and bias of each layer that has both, in the order in which they run; those that nothing uses not."""
    import onnx

    held = {one.name: one for one in graph.initializer}
    found = []
    used = {name for node in graph.node for name in node.input} | {out.name for out in graph.output}
    for node in graph.node:
        parts = list(node.input)[1:]
        if node.op_type in ("Conv", "Gemm") and len(parts) == 2 and all(name in held for name in parts):
            if not set(node.output) & used:
                continue
            weight, bias = (torch.from_numpy(onnx.numpy_helper.to_array(held[name]).copy()) for name in parts)
            found.append((weight, bias))
    return found


def _mlp(layers: list[tuple[Tensor, Tensor]], activation: Activation, squash: Squash, path: Path) -> MlpPolicy:
    # A stochastic policy's standard deviation is computed from the last hidden layer too, and not used.
    chain = layers[:1]
    for weight, bias in layers[1:]:
        if weight.shape[1] == chain[-1][0].shape[0]:
            chain.append((weight, bias))
    if not chain:
        raise InputError(f"{path} holds no linear layers")
    return mlp_of([weight for weight, _ in chain], [bias for _, bias in chain], activation, squash)


def _ends_in_tanh(graph: Any) -> bool:
    return any(node.op_type == "Tanh" and node.output[0] == graph.output[0].name for node in graph.node)


def _pose_network(layers: list[tuple[Tensor, Tensor]], path: Path) -> PoseNetwork:
    network = empty_pose_network()
    mine = [one for one in network.modules() if isinstance(one, (nn.Conv2d, nn.Linear))]
    shapes = [tuple(one.weight.shape) for one in mine]
    if shapes != [tuple(weight.shape) for weight, _ in layers]:
        raise InputError(f"{path} has other layers than a pose network has")
    with torch.no_grad():
        for layer, (weight, bias) in zip(mine, layers, strict=True):
            layer.weight.copy_(weight)
            if layer.bias is not None:
                layer.bias.copy_(bias)
    return network
