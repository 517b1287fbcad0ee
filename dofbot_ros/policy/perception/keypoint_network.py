"""PoseNetwork: from a small picture to the pixels of keypoints, the block's yaw in the picture, and how much shows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dofbot_ros.policy.perception.keypoints import BLOCK, KEYPOINTS

STRIDE = 2
"""Pixels a cell of the heat maps."""

CLOSEUP_PX, CLOSEUP_SAMPLES = 24.0, 32
"""Edge of the close-up's window in the picture [px], and how many samples it is enlarged to."""

SHARPEN = 4.0
"""Power of the block's heat in which its likeliest place is sought."""

OFFSET_PX = 4.0
"""Unit of the close-up's offsets [px]."""

HIDDEN_BELOW = 0.25
"""A block of which less than this share shows counts as not seen: what is left does not tell its yaw."""


@dataclass(frozen=True)
class Poses:
    """What the network tells of n pictures.

    Attributes:
        pixels: of KEYPOINTS, (n, 7, 2).
        yaw: cosine and sine of four times the block's yaw in the picture, (n, 2), not of unit length.
        shown: logit of the block being seen, (n,).
        spread: of the keypoints' heat, as a standard deviation [px], (n, 7).
    """

    pixels: Tensor
    yaw: Tensor
    shown: Tensor
    spread: Tensor


def _layer(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class Closeup(nn.Module):
    """Looks at the block once more, enlarged: where exactly it lies, how it is turned, whether it is there at all."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _layer(3, 24),
            _layer(24, 32, stride=2),
            _layer(32, 48),
            _layer(48, 64, stride=2),
            _layer(64, 64),
            nn.Flatten(),
            nn.Linear(64 * (CLOSEUP_SAMPLES // 4) ** 2, 64),
            nn.ReLU(),
            nn.Linear(64, 5),
        )
        along = torch.linspace(-0.5 * CLOSEUP_PX, 0.5 * CLOSEUP_PX, CLOSEUP_SAMPLES)
        self.grid: Tensor
        self.register_buffer("grid", torch.stack(torch.meshgrid(along, along, indexing="xy"), dim=2))

    def forward(self, pictures: Tensor, centre: Tensor, turn: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Offset (n, 2) of the block from `centre` [px], its yaw (n, 2) and the logit (n,) of its being seen.

        Args:
            pictures: as PoseNetwork scales them, (n, 3, rows, width).
            centre: of the windows [px], (n, 2).
            turn: by which each window is turned in the picture [rad], (n,); offset and yaw are told in it.
        """
        grid = self.grid.expand(pictures.shape[0], -1, -1, -1)
        if turn is not None:
            cos, sin = turn.cos()[:, None, None], turn.sin()[:, None, None]
            x, y = grid.unbind(dim=3)
            grid = torch.stack([cos * x - sin * y, sin * x + cos * y], dim=3)
        height, width = pictures.shape[2:]
        u, v = (centre[:, None, None] + grid).unbind(dim=3)
        places = torch.stack([2.0 * u / (width - 1) - 1.0, 2.0 * v / (height - 1) - 1.0], dim=3)
        window = nn.functional.grid_sample(pictures, places, padding_mode="zeros", align_corners=True)
        told = self.layers(window)
        return OFFSET_PX * told[:, :2], told[:, 2:4], told[:, 4]


class PoseNetwork(nn.Module):
    """Heat maps at half resolution and their centres of mass; then a close-up of the block.

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
        self.closeup = Closeup()

    def look(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels (n, 7, 2) of KEYPOINTS at first sight, and their heat maps' logarithms (n, 7, rows / 2, width / 2).

        Args:
            pictures: (n, 3, rows, width), scaled.
        """
        fine = self.front(pictures)
        around = nn.functional.interpolate(self.around(fine), scale_factor=2.0, mode="bilinear", align_corners=False)
        logits = self.maps(self.join(torch.cat([fine, around], dim=1)))
        n, points, height, width = logits.shape
        heat = logits.flatten(2).log_softmax(dim=2).view(n, points, height, width)
        share = heat.exp()
        columns, lines = _cells(width, share), _cells(height, share)
        u = (share.sum(dim=2) * columns).sum(dim=2)
        v = (share.sum(dim=3) * lines).sum(dim=2)
        return torch.stack([u, v], dim=2), heat

    def forward(self, pictures: Tensor) -> Poses:
        """Of pictures (n, 3, rows, width), 0..255."""
        given = scaled(pictures)
        pixels, heat = self.look(given)
        centre = _likeliest(heat[:, BLOCK])
        offset, yaw, shown = self.closeup(given, centre)
        return Poses(
            torch.cat([pixels[:, :BLOCK], (centre + offset)[:, None]], dim=1), yaw, shown, _spread(pixels, heat)
        )


def _cells(n: int, beside: Tensor) -> Tensor:
    """Centres of a heat map's first `n` cells [px], on the device of `beside`.

    Pixel centres are at whole numbers: the first cell covers 0 and 1.
    """
    return 0.5 * (STRIDE - 1) + STRIDE * torch.arange(n, dtype=torch.float32, device=beside.device)


def _likeliest(heat: Tensor) -> Tensor:
    """Place [px] (n, 2) of the hottest spot of heat (n, h, w): where two are likely, their mean would be neither."""
    height, width = heat.shape[1:]
    share = (SHARPEN * heat).flatten(1).softmax(dim=1).view(-1, height, width)
    u = (share.sum(dim=1) * _cells(width, share)).sum(dim=1)
    v = (share.sum(dim=2) * _cells(height, share)).sum(dim=1)
    return torch.stack([u, v], dim=1)


def _spread(pixels: Tensor, heat: Tensor) -> Tensor:
    """Standard deviation of heat (n, 7, h, w) about its centres `pixels` (n, 7, 2), along an axis [px]."""
    share = heat.exp()
    height, width = heat.shape[2:]
    across = (share.sum(dim=2) * (_cells(width, share) - pixels[..., :1]).square()).sum(dim=2)
    down = (share.sum(dim=3) * (_cells(height, share) - pixels[..., 1:]).square()).sum(dim=2)
    return (0.5 * (across + down)).sqrt()


def scaled(pictures: Tensor) -> Tensor:
    """What the layers are given of pictures (n, 3, rows, width), 0..255."""
    return pictures / 64.0 - 2.0


class Exported(nn.Module):
    """The network on a camera's bytes.

    Args:
        network: trained.
    """

    def __init__(self, network: PoseNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Pixels (n, 7, 2), yaw (n, 2), probability of being seen (n,) and spread (n, 7) [px] of pictures
        (n, rows, width, 3), 0..255."""
        poses = self.network(image.permute(0, 3, 1, 2).float())
        return poses.pixels, poses.yaw, poses.shown.sigmoid(), poses.spread
