"""PictureStudent: an image policy that takes its newest picture as networks do, and tells its action alone."""

from __future__ import annotations

from torch import Tensor

from dofbot_ros.policy.learning.student import ImageStudent


class PictureStudent(ImageStudent):
    """The same layers under the same names as ImageStudent, for analysis."""

    def forward(self, picture: Tensor, arm: Tensor, goal: Tensor, memory: Tensor) -> Tensor:  # type: ignore[override]
        """Actions (n, actions), -1..1.

        Args:
            picture: the newest, (n, 3, rows, width), 0..255.
            arm: the state layout without the block, (n, a).
            goal: (n, g).
            memory: of the period before, (n, sum of MEMORY).
        """
        action, _ = super().forward(arm, goal, picture.permute(0, 2, 3, 1), memory)
        return action
