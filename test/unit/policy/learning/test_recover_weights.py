"""The safetensors beside a policy's ONNX file hold its weights exactly, and answer as it does."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="reading weights needs the extra learn")

import onnx
import torch
from torch import nn

from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import InputError
from dofbot_ros.policy.learning.recover_weights import CLOSE, beside, compare, recover_weights
from dofbot_ros.policy.learning.torch_policy import load_torch_policy, mlp_of

POLICIES = share_file("models", "policy")
SHIPPED = sorted(path.relative_to(POLICIES) for path in POLICIES.glob("*/*.onnx"))


@pytest.mark.parametrize("name", SHIPPED, ids=str)
def test_shipped_weights_are_those_of_the_onnx_file(name: Path) -> None:
    onnx_file = POLICIES / name
    network = load_torch_policy(onnx_file.with_suffix(".safetensors"))
    assert compare(network, onnx_file, seed=7) <= CLOSE
    held = [onnx.numpy_helper.to_array(one) for one in onnx.load(str(onnx_file)).graph.initializer]
    for parameter in network.parameters():
        assert any(one.shape == parameter.shape and np.array_equal(one, parameter.detach()) for one in held)


def test_writing_them_again_gives_the_same_file(tmp_path: Path) -> None:
    shutil.copy(POLICIES / "reach_state" / "policy.onnx", tmp_path)
    made = recover_weights(tmp_path / "policy.onnx")
    assert made.path.read_bytes() == (POLICIES / "reach_state" / "policy.safetensors").read_bytes()


def test_a_policy_that_is_clamped_and_has_tanh_units(tmp_path: Path) -> None:
    torch.manual_seed(0)
    layers = [nn.Linear(6, 8), nn.Linear(8, 2)]
    policy = mlp_of([one.weight.data for one in layers], [one.bias.data for one in layers], "tanh", "clamp")
    path = tmp_path / "policy.onnx"
    torch.onnx.export(policy, (torch.zeros(1, 6),), str(path), input_names=["observation"], dynamo=False)
    assert recover_weights(path).difference < 1e-6
    read = load_torch_policy(tmp_path / "policy.safetensors")
    seen = 10.0 * torch.randn(5, 6)
    assert torch.equal(read(seen), policy(seen))


def test_other_networks_are_refused_in_one_line(tmp_path: Path) -> None:
    ranker = share_file("models", "grasp", "ranker.onnx")
    assert beside(ranker) is None
    with pytest.raises(InputError, match="takes close_ups: weights are taken out of policies"):
        recover_weights(ranker)
    (tmp_path / "policy.onnx").write_bytes(b"nothing")
    with pytest.raises(InputError, match="is no policy"):
        recover_weights(tmp_path / "policy.onnx")
    with pytest.raises(InputError, match="kind '' is not one of mlp"):
        load_torch_policy(share_file("models", "grasp", "model.safetensors"))
