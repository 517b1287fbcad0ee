"""The losses of the pose network are computed where the network is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dofbot_ros.policy.perception.keypoint_data import KeypointData
from dofbot_ros.policy.perception.keypoint_loss import augmented, closeup_loss, look_loss
from dofbot_ros.policy.perception.keypoint_network import PoseNetwork, scaled
from dofbot_ros.policy.perception.keypoints import KEYPOINTS
from dofbot_ros.policy.perception.pixels import WIDTH, rows


def drawn(n: int) -> KeypointData:
    rng = np.random.default_rng(0)
    return KeypointData(
        pictures=rng.integers(0, 256, (n, rows(WIDTH), WIDTH, 3), dtype=np.uint8),
        pixels=rng.uniform(0.0, 90.0, (n, len(KEYPOINTS), 2)).astype(np.float32),
        yaw=rng.uniform(-0.7, 0.7, n).astype(np.float32),
        shown=rng.random(n).astype(np.float32),
        joints=np.zeros((n, 6), np.float32),
        place=np.zeros((n, 4), np.float32),
        camera=np.tile(np.eye(4), (n, 1, 1)),
    )


@pytest.mark.parametrize("name", ["cpu", "meta"])
def test_losses_are_on_the_networks_device(name: str) -> None:
    """torch's meta device computes shapes alone, and refuses a tensor of the CPU among its own as a GPU does."""
    device, data, chosen, rng = torch.device(name), drawn(4), np.arange(3), np.random.default_rng(1)
    network = PoseNetwork().to(device)
    pictures = scaled(augmented(rng, data.pictures[chosen], device))
    for loss, parts in (look_loss(*network.look(pictures), data, chosen), closeup_loss(network, rng, data, chosen)):
        assert (loss.device.type, loss.shape) == (name, ())
        assert {part.device.type for part in parts.values()} == {name}
    assert network(pictures).spread.device.type == name
