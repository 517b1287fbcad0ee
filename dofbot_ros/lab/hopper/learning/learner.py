"""StudentLearner: trains a student by gradient steps, and keeps a moving average of its weights, which acts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from dofbot_ros.core.model_files import load_state
from dofbot_ros.errors import InputError
from dofbot_ros.lab.hopper.learning.student_network import FEATURES, HistoryStudent

LEARNING_RATE, LAST_SHARE = 1e-3, 0.05
"""Adam's learning rate at first, and the share of it that is left in the end."""

AVERAGED = 0.998
"""Decay of the moving average at a gradient step: it spans 500 steps, two rounds of lessons."""

BATCH = 512


class LessonBatches(Protocol):
    """Lessons to learn from."""

    def batch(self, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Histories (size, HISTORY x frame), the actions that were right (size, 3), normalised states (size, 11)."""
        ...


class StudentLearner:
    """Learns to act and to tell the state from lessons.

    Args:
        seed: of its first weights.
        device: where it learns.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        torch.manual_seed(seed)
        self._student = HistoryStudent(FEATURES).to(device)
        self._optimiser = torch.optim.Adam(self._student.parameters(), lr=LEARNING_RATE)
        averaging = get_ema_multi_avg_fn(AVERAGED)  # type: ignore[no-untyped-call]
        self._average = AveragedModel(self._student, multi_avg_fn=averaging)
        self._device = device

    @property
    def steady(self) -> HistoryStudent:
        """The student with averaged weights. It acts and is exported, since returns of the last weights vary much."""
        return cast(HistoryStudent, self._average.module)

    def improve(self, lessons: LessonBatches, steps: int, left: float) -> float:
        """Gradient steps on what lessons showed.

        Args:
            lessons: to learn from.
            steps: how many.
            left: share of all lessons that is still to come, by which the steps become smaller.

        Returns:
            The mean loss of actions.
        """
        total = 0.0
        for group in self._optimiser.param_groups:
            group["lr"] = LEARNING_RATE * max(LAST_SHARE, left)
        self._student.train()
        for _ in range(steps):
            history, action, state = (part.to(self._device) for part in lessons.batch(BATCH))
            acted, told = self._student(history)
            loss = nn.functional.mse_loss(acted, action)
            total += loss.item()
            self._optimiser.zero_grad()
            (loss + 0.1 * nn.functional.smooth_l1_loss(told, state)).backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self._student.parameters(), 1.0)
            self._optimiser.step()
            self._average.update_parameters(self._student)
        self._student.eval()
        return total / steps

    def state(self) -> dict[str, Any]:
        """Tensors for a checkpoint."""
        networks = {"student": self._student.state_dict(), "average": self._average.state_dict()}
        return {**networks, "optimiser": self._optimiser.state_dict()}

    def restore(self, state: Mapping[str, Any], source: Path) -> None:
        """Take over what state() gave.

        Raises:
            InputError: it is of another network, or of a version without an average; names `source`, the file.
        """
        if "average" not in state:
            raise InputError(f"{source} is of a version without an average of weights: begin the run anew")
        load_state(self._student, state["student"], source)
        load_state(self._average, state["average"], source)
        self._optimiser.load_state_dict(state["optimiser"])
