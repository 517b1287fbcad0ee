"""The ranking network: from a close-up of a grasp to the logit that it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from torch import Tensor, nn

from dofbot_ros.config.ranges import Checked, Count, NotNegative, Positive, Range
from dofbot_ros.grasp.detection.crop import CHANNELS, SIZE
from dofbot_ros.grasp.detection.network import conv_norm


@dataclass(frozen=True)
class RankerConfig(Checked):
    """Shape and training of the ranking network.

    Attributes:
        width: channels of its first layer; the others grow with it.
        dropout: share of the features that are left out while training.
        epochs: passes over the data.
        batch: grasps in a step.
        learning_rate: at its highest; it rises over the first tenth and falls along a cosine.
        weight_decay: of AdamW.
        shift: standard deviation of the close-up's displacement [m].
        turn: of its turn [rad].
        stretch: of its scale.
        noise: largest standard deviation of added noise [grey levels].
        seed: of weights, order and augmentation.
    """

    width: Annotated[int, Range(4)] = 24
    dropout: Annotated[float, Range(0.0, below=1.0)] = 0.2
    epochs: Count = 28
    batch: Annotated[int, Range(2)] = 64
    learning_rate: Positive = 3e-3
    weight_decay: float = 1e-2
    shift: NotNegative = 0.0009
    turn: NotNegative = 0.06
    stretch: NotNegative = 0.04
    noise: NotNegative = 6.0
    seed: int = 0


class GraspRanker(nn.Module):
    """Five plain convolutions, three of them halving, and two layers on what is left.

    Args:
        config: shape.
    """

    def __init__(self, config: RankerConfig | None = None) -> None:
        super().__init__()
        self.config = config or RankerConfig()
        narrow = self.config.width
        middle, wide = narrow + 8, 2 * narrow + 16
        self.features = nn.Sequential(
            conv_norm(CHANNELS, narrow, 5, 2, act=nn.ReLU),
            conv_norm(narrow, middle, 3, act=nn.ReLU),
            conv_norm(middle, wide, 3, 2, act=nn.ReLU),
            conv_norm(wide, wide, 3, act=nn.ReLU),
            conv_norm(wide, wide, 3, 2, act=nn.ReLU),
        )
        self.judge = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(self.config.dropout),
            nn.Linear(wide * (SIZE // 8) ** 2, 64),
            nn.ReLU(),
            nn.Linear(64, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, CHANNELS, SIZE, SIZE) of close_up.close_ups -> logits (n,)."""
        logits: Tensor = self.judge(self.features(x))
        return logits[:, 0]
