"""MobileUNet: the backbone of MobileNetV3-small with a decoder, from a view to a map of grasp logits.

The backbone's layers and their names are those of torchvision's mobilenet_v3_small (Howard et al., Searching for
MobileNetV3, 2019), so that its weights load from a file; torchvision itself is not needed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dofbot_ros.core.model_files import matching_state
from dofbot_ros.grasp.detection.network_config import NetworkConfig

BACKBONE = "backbone.safetensors"
"""The backbone's weights in the folder of a run of `dofbot grasp pretrain`."""


class SqueezeExcitation(nn.Module):
    """Scales channels by what the whole map holds."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> the same shape."""
        scale = x.mean(dim=(2, 3), keepdim=True)
        scale = nn.functional.hardsigmoid(self.fc2(nn.functional.relu(self.fc1(scale))))
        return scale * x


def conv_norm(
    inputs: int, outputs: int, kernel: int = 1, stride: int = 1, *, groups: int = 1, act: type[nn.Module] | None = None
) -> nn.Sequential:
    """Convolution, batch norm, activation: torchvision's Conv2dNormActivation."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, eps=0.001),
    ]
    return nn.Sequential(*layers, *([act()] if act else []))


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; added to its input where the shape stays."""

    def __init__(
        self, inputs: int, expanded: int, outputs: int, *, kernel: int, stride: int, excite: bool, swish: bool
    ) -> None:
        super().__init__()
        act: type[nn.Module] = nn.Hardswish if swish else nn.ReLU
        layers: list[nn.Module] = []
        if expanded != inputs:
            layers.append(conv_norm(inputs, expanded, act=act))
        layers.append(conv_norm(expanded, expanded, kernel, stride, groups=expanded, act=act))
        if excite:
            layers.append(SqueezeExcitation(expanded, _divisible(expanded // 4)))
        layers.append(conv_norm(expanded, outputs))
        self.block = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h/stride, w/stride)."""
        y: Tensor = self.block(x)
        return x + y if self.residual else y


class Upsampler(nn.Module):
    """From a coarse map to one of more cells: doubled and filtered, as often as asked."""

    def __init__(self, inputs: int, width: int, doublings: int) -> None:
        super().__init__()
        self.enter = conv_norm(inputs, width, act=nn.Hardswish)
        self.steps = nn.ModuleList(_filter(width) for _ in range(doublings))

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, width, h * 2^doublings, w * 2^doublings)."""
        x = self.enter(x)
        for step in self.steps:
            x = step(nn.functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False))
        return x


class MobileUNet(nn.Module):
    """Grasp logits for every rotation and pixel.

    The high-resolution path leaves the backbone after its third block, the low-resolution one after its sixth; both are
    upsampled and added at half resolution, where each cell then tells the logits of its four pixels apart (Shi et al.,
    Real-Time Single Image Super-Resolution, 2016). With `edges` a third path leaves after the first block, which is
    at half resolution already.

    Args:
        config: shape.
    """

    def __init__(self, config: NetworkConfig | None = None) -> None:
        super().__init__()
        self.config = config or NetworkConfig()
        width = self.config.width
        first, second = (1, 2) if self.config.fine else (2, 2)
        self.features = nn.Sequential(
            conv_norm(3, 16, 3, first, act=nn.Hardswish),
            InvertedResidual(16, 16, 16, kernel=3, stride=second, excite=True, swish=False),
            InvertedResidual(16, 72, 24, kernel=3, stride=2, excite=False, swish=False),
            InvertedResidual(24, 88, 24, kernel=3, stride=1, excite=False, swish=False),
            InvertedResidual(24, 96, 40, kernel=5, stride=2, excite=True, swish=True),
            InvertedResidual(40, 240, 40, kernel=5, stride=1, excite=True, swish=True),
            InvertedResidual(40, 240, 40, kernel=5, stride=1, excite=True, swish=True),
        )
        extra = 3 if self.config.place else 0
        doublings = 1 if self.config.fine else 2
        self.edges = conv_norm(16, width) if self.config.edges else None
        self.high = Upsampler(24 + extra, width, doublings)
        self.low = Upsampler(40 + extra, width, doublings + 1)
        self.refine = nn.ModuleList(_filter(width) for _ in range(self.config.refine))
        self.leave = nn.Sequential(nn.Conv2d(width, 4 * self.config.rotations, 1), nn.PixelShuffle(2))

    def forward(self, x: Tensor) -> Tensor:
        """Views (n, 3, size, size) from `network_input`, size a multiple of 16 -> (n, rotations, size, size)."""
        edges = self.features[:2](x)
        high = self.features[2:4](edges)
        low = self.features[4:](high)
        if self.config.place:
            high, low = (torch.cat([m, _place(m)], dim=1) for m in (high, low))
        y = self.high(high) + self.low(low)
        if self.edges is not None:
            y = y + self.edges(edges)
        for step in self.refine:
            y = y + step(y)
        logits: Tensor = self.leave(y)
        return logits


def _filter(width: int) -> nn.Sequential:
    return conv_norm(width, width, 3, act=nn.ReLU)


def load_backbone(network: MobileUNet, path: Path) -> None:
    """Load the backbone.

    Args:
        network: gets the weights.
        path: a run's folder of `dofbot grasp pretrain`, or a state dict of torchvision's mobilenet_v3_small
            (.safetensors, or .pth of tensors only).

    Raises:
        InputError: the file cannot be read, or its layers are others.
    """
    path = path / BACKBONE if path.is_dir() else path
    wanted = {f"features.{name}": value for name, value in network.features.state_dict().items()}
    state = matching_state(path, wanted, "weights of torchvision's mobilenet_v3_small")
    network.features.load_state_dict({name.removeprefix("features."): value for name, value in state.items()})


def _place(features: Tensor) -> Tensor:
    """Row, column and distance from the arm of each cell (n, 3, h, w), all about -1..1."""
    h, w = (int(v) for v in features.shape[2:])
    # Made by numpy, so that an exported graph holds them as constants.
    row, column = np.meshgrid(np.linspace(-1.0, 1.0, h), np.linspace(-1.0, 1.0, w), indexing="ij")
    # In the shipped view joint 1 lies 2.4 half sides below the middle.
    radius = np.hypot(2.4 - row, column) - 2.4
    maps = torch.from_numpy(np.stack([row, column, radius]).astype(np.float32))
    return maps.to(features.device).expand(features.shape[0], 3, h, w)


def _divisible(channels: int) -> int:
    """The nearest multiple of 8, not more than a tenth below (torchvision's _make_divisible)."""
    rounded = max(8, (channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded
