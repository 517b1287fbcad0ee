"""PoseNetwork: from a small picture to the pixels of keypoints, the block's yaw in the picture, and how much shows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dofbot_ros.policy.keypoints import BLOCK, KEYPOINTS

STRIDE = 2
"""Pixels a cell of the heat maps."""

HIDDEN_BELOW = 0.25
"""A block of which less than this share shows counts as not seen: what is left does not tell its yaw."""


@dataclass(frozen=True)
class Poses:
    """What the network tells of n pictures.

    Attributes:
        pixels: of KEYPOINTS, (n, 7, 2).
        yaw: cosine and sine of four times the block's yaw in the picture, (n, 2), not of unit length.
        shown: logit of the block being seen, (n,).
        heat: logarithms of the keypoints' heat maps, (n, 7, rows / 2, width / 2).
    """

    pixels: Tensor
    yaw: Tensor
    shown: Tensor
    heat: Tensor


def _layer(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class PoseNetwork(nn.Module):
    """Heat maps at half resolution and their centres of mass; the block's numbers are read where its heat map is.

    Features at a quarter of the resolution, a path at an eighth for what is around, and logits that tell the four cells
    of a feature apart (Shi et al., Real-Time Single Image Super-Resolution, 2016). Centres of mass as in Nibali et al.,
    Numerical Coordinate Regression with Convolutional Neural Networks, 2018.
    """

    def __init__(self) -> None:
        super().__init__()
        self.front = nn.Sequential(_layer(3, 16, 5, 2), _layer(16, 32, 3, 2), _layer(32, 32))
        self.around = nn.Sequential(_layer(32, 48, 3, 2), _layer(48, 48, dilation=2), _layer(48, 48, dilation=4))
        self.join = nn.Sequential(_layer(32 + 48, 48, 1), _layer(48, 48))
        self.maps = nn.Sequential(nn.Conv2d(48, 4 * len(KEYPOINTS), 1), nn.PixelShuffle(2))
        self.block = nn.Sequential(nn.Linear(48 + 32, 64), nn.ReLU(), nn.Linear(64, 3))

    def forward(self, pictures: Tensor) -> Poses:
        """Of pictures (n, 3, rows, width), 0..255."""
        fine = self.front(pictures / 64.0 - 2.0)
        around = nn.functional.interpolate(self.around(fine), scale_factor=2.0, mode="bilinear", align_corners=False)
        features = self.join(torch.cat([fine, around], dim=1))
        logits = self.maps(features)
        n, points, height, width = logits.shape
        heat = logits.flatten(2).log_softmax(dim=2).view(n, points, height, width)
        share = heat.exp()
        # Pixel centres are at whole numbers: the first cell covers pixels 0 and 1, and its centre is at 0.5.
        first = 0.5 * (STRIDE - 1)
        columns = first + STRIDE * torch.arange(width, dtype=share.dtype, device=share.device)
        lines = first + STRIDE * torch.arange(height, dtype=share.dtype, device=share.device)
        u = (share.sum(dim=2) * columns).sum(dim=2)
        v = (share.sum(dim=3) * lines).sum(dim=2)
        where = 4.0 * nn.functional.avg_pool2d(share[:, BLOCK : BLOCK + 1], 2)
        there = (torch.cat([features, fine], dim=1) * where).sum(dim=(2, 3))
        block = self.block(there)
        return Poses(torch.stack([u, v], dim=2), block[:, :2], block[:, 2], heat)


class Exported(nn.Module):
    """The network on a camera's bytes.

    Args:
        network: trained.
    """

    def __init__(self, network: PoseNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Pixels (n, 7, 2), yaw (n, 2) and probability of being seen (n,) of pictures (n, rows, width, 3), 0..255."""
        poses = self.network(image.permute(0, 3, 1, 2).float())
        return poses.pixels, poses.yaw, poses.shown.sigmoid()
