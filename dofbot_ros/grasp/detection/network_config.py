"""Shape of the grasp network; apart from the network, so that planning with ONNX needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

from dofbot_ros.errors import ConfigError


@dataclass(frozen=True)
class NetworkConfig:
    """Shape of the network.

    Attributes:
        rotations: closing lines that are told apart.
        fine: keep the front's first layer at full and its first block at half resolution: twice as fine everywhere as
            torchvision's strides, which are made for pictures of 224 pixels.
        place: feed the decoder each pixel's place in the view as well. How far the tool has to lean depends on it.
        width: channels of the decoder.
        edges: a third path into the decoder, from the front's first block (with `fine` only).
        refine: filters between the sum of the paths and the logits.
    """

    rotations: int = 8
    fine: bool = True
    place: bool = True
    width: int = 32
    edges: bool = True
    refine: int = 2

    def __post_init__(self) -> None:
        if self.rotations < 1 or self.width < 8:
            raise ConfigError(f"a network has rotations and a width of 8 or more, got {self.rotations}, {self.width}")
        if self.refine < 0 or (self.edges and not self.fine):
            raise ConfigError(f"refine is 0 or more, and edges need fine, got {self.refine}, {self.edges}, {self.fine}")
