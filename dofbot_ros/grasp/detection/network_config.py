"""Shape of the grasp network; apart from the network, so that planning with ONNX needs no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from dofbot_ros.config.ranges import Checked, Count, Index, Range


@dataclass(frozen=True)
class NetworkConfig(Checked):
    """Shape of the network.

    Attributes:
        rotations: closing lines that are told apart.
        fine: keep the backbone's first layer at full and its first block at half resolution: twice as fine as all
            torchvision's strides, which are made for pictures of 224 pixels.
        place: feed the decoder each pixel's place in the view as well. How far the tool has to lean depends on it.
        width: channels of the decoder.
        edges: a third path into the decoder, from the backbone's first block (with `fine` only).
        refine: filters between the sum of the paths and the logits.
    """

    rotations: Count = 8
    fine: bool = True
    place: bool = True
    width: Annotated[int, Range(8)] = 32
    edges: bool = True
    refine: Index = 2

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if self.edges and not self.fine:
            yield "edges need fine: edges must be false, or fine true"
