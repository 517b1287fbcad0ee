"""ImageStudent: from pictures and the arm's numbers to actions, through a pose network's keypoints and a memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dofbot_ros.core.model_files import first_words, model_bytes
from dofbot_ros.errors import InputError
from dofbot_ros.policy.interface.observation import CLIP
from dofbot_ros.policy.interface.spec import MODEL
from dofbot_ros.policy.perception.keypoint_network import PoseNetwork
from dofbot_ros.policy.perception.picture_state import PictureState, picture_numbers


class Head(nn.Module):
    """Acts on what PictureState tells.

    Args:
        actions: numbers.
        width: of its two hidden layers, a state policy's.
    """

    def __init__(self, actions: int, width: int = 256) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(PictureState.outputs, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, actions),
        )

    def start_from(self, policy: Path) -> None:
        """Take over the weights of a state policy.

        Args:
            policy: its folder.

        Raises:
            InputError: its network has another shape.
        """
        import onnx

        path = policy / MODEL
        try:
            # From the bytes alone: tensors that it refers to in other files are not followed.
            graph = onnx.load_model_from_string(model_bytes(path, "policy")).graph
            given = [onnx.numpy_helper.to_array(one) for one in graph.initializer]
        except InputError:
            raise
        except Exception as error:  # protobuf's own kinds
            raise InputError(f"{path} is no policy: {first_words(error)}") from error
        linear = [layer for layer in self.layers if isinstance(layer, nn.Linear)]
        shapes = [one.shape for one in given[:6]]
        wanted = [tuple(one.shape) for layer in linear for one in (layer.weight, layer.bias)]
        if shapes != wanted:
            raise InputError(f"{policy} has layers of {shapes}, a student starts from a policy with {wanted}")
        with torch.no_grad():
            for k, layer in enumerate(linear):
                weight, bias = (torch.from_numpy(np.array(one)) for one in given[2 * k : 2 * k + 2])
                layer.weight.copy_(weight)
                layer.bias.copy_(bias)

    def forward(self, state: Tensor) -> Tensor:
        """Actions (n, actions), -1..1, of what PictureState tells, (n, outputs)."""
        action: Tensor = self.layers(state.clamp(-CLIP, CLIP)).tanh()
        return action


class ImageStudent(nn.Module):
    """The policy as it is exported.

    Args:
        network: which reads pictures.
        head: which acts.
    """

    def __init__(self, network: PoseNetwork, head: Head) -> None:
        super().__init__()
        self.network, self.state, self.head = network, PictureState(), head

    def forward(self, arm: Tensor, goal: Tensor, image: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Actions (n, actions), -1..1, and the memory for the next period.

        Args:
            arm: the state layout without the block, (n, a).
            goal: (n, g).
            image: (n, rows, width, 3 x stack), 0..255; only the newest, which is the last, is looked at.
            memory: (n, sum of MEMORY); zeros in the first period.
        """
        pictures = image[..., -3:].permute(0, 3, 1, 2).float()
        state, memory = self.state(picture_numbers(self.network(pictures)), arm, goal, memory)
        return self.head(state), memory
