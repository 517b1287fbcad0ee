"""The pose network's backbone by itself: `dofbot grasp pretrain --backbone pose` teaches it, training starts there."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from dofbot_ros.core.model_files import matching_state
from dofbot_ros.grasp.detection.network import BACKBONE
from dofbot_ros.grasp.detection.normalise import MEAN, STD
from dofbot_ros.grasp.pretraining.pretrain import Backbone
from dofbot_ros.policy.perception.keypoint_network import PoseNetwork, scaled

CHANNELS = 48
"""Of the backbone's last map, at an eighth of the picture."""


class _AsPictures(nn.Module):
    """Views as the grasp network is given them, scaled as the pose network is given pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.mean: Tensor
        self.std: Tensor
        for name, values in (("mean", MEAN), ("std", STD)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    def forward(self, views: Tensor) -> Tensor:
        return scaled(255.0 * (views * self.std + self.mean))


def pose_backbone() -> Backbone:
    """A new backbone: all layers of the first look but those that draw its heat maps."""
    network = PoseNetwork()
    return Backbone(nn.Sequential(_AsPictures(), network.front, network.around), CHANNELS, lambda: _state(network))


def load_pose_backbone(network: PoseNetwork, path: Path) -> None:
    """Load the backbone.

    Args:
        network: gets the weights.
        path: a run's folder of `dofbot grasp pretrain --backbone pose`, or its backbone.safetensors.

    Raises:
        InputError: the file cannot be read, or its layers are others.
    """
    file = path / BACKBONE if path.is_dir() else path
    state = matching_state(file, _state(network), "weights of `dofbot grasp pretrain --backbone pose`")
    network.load_state_dict(state, strict=False)


def backbone_of(network: PoseNetwork) -> tuple[nn.Module, ...]:
    """The parts of the network that are its backbone."""
    return network.front, network.around


def _state(network: PoseNetwork) -> dict[str, Tensor]:
    parts = tuple(f"{name}." for name, part in network.named_children() if part in backbone_of(network))
    return {name: value for name, value in network.state_dict().items() if name.startswith(parts)}
