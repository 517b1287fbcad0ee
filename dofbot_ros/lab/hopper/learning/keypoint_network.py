"""KeypointNetwork: from a small picture to the pixels of the hopper's five keypoints."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dofbot_ros.lab.hopper.world.body import KEYPOINTS
from dofbot_ros.lab.hopper.world.camera import HEIGHT_M, SIZE, metres_per_pixel


def _layer(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class KeypointNetwork(nn.Module):
    """Heat maps at half resolution and their centres of mass.

    Centres of mass as in Nibali et al., Numerical Coordinate Regression with Convolutional Neural Networks, 2018.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fine = _layer(3, 16, 5, 2)
        self.coarse = nn.Sequential(_layer(16, 32, 3, 2), _layer(32, 32), _layer(32, 32, dilation=2))
        self.maps = nn.Sequential(_layer(48, 32, 1), nn.Conv2d(32, len(KEYPOINTS), 3, padding=1))
        cells = 0.5 + 2.0 * torch.arange(SIZE // 2, dtype=torch.float32)
        self.cells: Tensor
        self.register_buffer("cells", cells)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Columns and rows (n, 5, 2) [px] and heat (n, 5, 32, 32) of pictures (n, 64, 64, 3), 0..255."""
        fine = self.fine(pictures.permute(0, 3, 1, 2).float() / 64.0 - 2.0)
        coarse = nn.functional.interpolate(self.coarse(fine), scale_factor=2.0, mode="bilinear", align_corners=False)
        logits = self.maps(torch.cat([fine, coarse], dim=1))
        heat = logits.flatten(2).softmax(dim=2).view_as(logits)
        columns = (heat.sum(dim=2) * self.cells).sum(dim=2)
        rows = (heat.sum(dim=3) * self.cells).sum(dim=2)
        return torch.stack([columns, rows], dim=2), heat


class ExportedKeypoints(nn.Module):
    """The network as a pipeline uses it.

    Args:
        network: trained.
    """

    def __init__(self, network: KeypointNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """Keypoints (n, 5, 2), x from the centre of mass and height [m], of pictures (n, 64, 64, 3), 0..255."""
        return in_plane(self.network(image)[0])


def in_plane(pixels: Tensor) -> Tensor:
    """As camera.to_plane(), for tensors (..., 2)."""
    offset = metres_per_pixel() * (pixels - 0.5 * (SIZE - 1))
    return torch.stack([offset[..., 0], HEIGHT_M - offset[..., 1]], dim=-1)


def to_pixels(points: Tensor) -> Tensor:
    """The inverse of in_plane()."""
    columns = points[..., 0] / metres_per_pixel()
    rows = (HEIGHT_M - points[..., 1]) / metres_per_pixel()
    return torch.stack([columns, rows], dim=-1) + 0.5 * (SIZE - 1)
