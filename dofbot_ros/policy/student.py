"""ImageStudent: from stacked pictures and the arm's numbers to an action, through the pose network's keypoints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dofbot_ros.errors import InputError
from dofbot_ros.policy.keypoint_network import PoseNetwork
from dofbot_ros.policy.observation import CLIP
from dofbot_ros.policy.picture_state import PictureState, picture_numbers
from dofbot_ros.policy.spec import MODEL


class Head(nn.Module):
    """Acts on what a few pictures and the arm say.

    Args:
        stack: pictures.
        actions: numbers.
        width: of its two hidden layers, a state policy's.
    """

    def __init__(self, stack: int, actions: int, width: int = 256) -> None:
        super().__init__()
        self.state = PictureState(stack)
        self.layers = nn.Sequential(
            nn.Linear(self.state.outputs + self.state.hints, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, actions),
        )

    def start_from(self, policy: Path) -> None:
        """Take over the weights of a state policy; hints, which it did not have, have no say at first.

        Args:
            policy: its folder.

        Raises:
            InputError: its network has another shape.
        """
        import onnx

        given = [onnx.numpy_helper.to_array(one) for one in onnx.load(str(policy / MODEL)).graph.initializer]
        linear = [layer for layer in self.layers if isinstance(layer, nn.Linear)]
        shapes = [one.shape for one in given[:6]]
        wanted = [tuple(one.shape) for layer in linear for one in (layer.weight, layer.bias)]
        wanted[0] = (wanted[0][0], self.state.outputs)
        if shapes != wanted:
            raise InputError(f"{policy} has layers of {shapes}, a student starts from a policy with {wanted}")
        with torch.no_grad():
            for k, layer in enumerate(linear):
                weight, bias = (torch.from_numpy(np.array(one)) for one in given[2 * k : 2 * k + 2])
                layer.weight.zero_()[:, : weight.shape[1]] = weight
                layer.bias.copy_(bias)

    def forward(self, numbers: Tensor) -> Tensor:
        """Actions (n, actions), -1..1, of numbers as PictureState takes them."""
        action: Tensor = self.layers(self.state(numbers).clamp(-CLIP, CLIP)).tanh()
        return action


class ImageStudent(nn.Module):
    """The policy as it is exported.

    Args:
        network: which reads pictures.
        head: which acts.
        stack: pictures in an observation.
    """

    def __init__(self, network: PoseNetwork, head: Head, stack: int) -> None:
        super().__init__()
        self.network, self.head, self.stack = network, head, stack

    def forward(self, arm: Tensor, goal: Tensor, image: Tensor) -> Tensor:
        """Actions (n, actions), -1..1.

        Args:
            arm: the state layout without the block, (n, a).
            goal: (n, g).
            image: (n, rows, width, 3 x stack), 0..255, newest last.
        """
        n, height, width, _ = image.shape
        pictures = image.view(n, height, width, self.stack, 3).permute(0, 3, 4, 1, 2)
        numbers = picture_numbers(self.network(pictures.reshape(n * self.stack, 3, height, width).float()))
        action: Tensor = self.head(torch.cat([numbers.view(n, -1), arm, goal], dim=1))
        return action
