"""The ranking network: from a close-up of a grasp to the logit that it holds."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from dofbot_ros.errors import ConfigError
from dofbot_ros.grasp.detection.crop import CHANNELS, SIZE
from dofbot_ros.grasp.detection.network import conv_norm


@dataclass(frozen=True)
class RankerConfig:
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

    width: int = 24
    dropout: float = 0.2
    epochs: int = 28
    batch: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    shift: float = 0.0009
    turn: float = 0.06
    stretch: float = 0.04
    noise: float = 6.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.width < 4 or self.epochs < 1 or self.batch < 2 or self.learning_rate <= 0:
            raise ConfigError("width must be at least 4, epochs 1, batch 2, and learning_rate above 0")
        if min(self.shift, self.turn, self.stretch, self.noise) < 0 or not 0 <= self.dropout < 1:
            raise ConfigError("shift, turn, stretch and noise must not be negative, dropout lies in 0..1")


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
