"""A student's learner: its average is what acts, and it goes on from what it saved as if it had never stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from dofbot_ros.errors import InputError
from dofbot_ros.lab.hopper.learning import learner as module
from dofbot_ros.lab.hopper.learning.learner import StudentLearner
from dofbot_ros.lab.hopper.learning.student_network import FEATURES, HISTORY

CPU = torch.device("cpu")
WIDTH = HISTORY * (FEATURES + 3)


class Lessons:
    """Lessons in which the first three numbers of a history are the action, and the state is always the same."""

    def __init__(self, seed: int = 0) -> None:
        self._draw = torch.Generator().manual_seed(seed)

    def batch(self, size: int) -> tuple[Tensor, Tensor, Tensor]:
        history = torch.randn(size, WIDTH, generator=self._draw)
        return history, history[:, :3].clamp(-1.0, 1.0), torch.zeros(size, 11)


def weights(learner: StudentLearner) -> Tensor:
    return torch.cat([part.flatten() for part in learner.steady.state_dict().values()])


def test_it_learns_what_lessons_show() -> None:
    learner, lessons = StudentLearner(0, CPU), Lessons()
    losses = [learner.improve(lessons, 20, 1.0) for _ in range(8)]
    assert losses[-1] < 0.4 * losses[0]


def test_the_average_moves_less_than_the_student(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AVERAGED", 0.9)
    learner, lessons = StudentLearner(0, CPU), Lessons()
    learner.improve(lessons, 30, 1.0)
    student = torch.cat([part.flatten() for part in learner._student.state_dict().values()])
    before, average = student.clone(), weights(learner)
    learner.improve(lessons, 1, 1.0)
    student = torch.cat([part.flatten() for part in learner._student.state_dict().values()])
    torch.testing.assert_close(weights(learner), 0.9 * average + 0.1 * student)
    assert (weights(learner) - average).norm() < (student - before).norm()


def test_it_goes_on_from_what_it_saved(tmp_path: Path) -> None:
    whole = StudentLearner(0, CPU)
    whole.improve(Lessons(1), 5, 1.0)
    torch.save(whole.state(), tmp_path / "student.pt")
    again = StudentLearner(7, CPU)
    again.restore(torch.load(tmp_path / "student.pt", weights_only=True), tmp_path / "student.pt")
    for one in (whole, again):
        one.improve(Lessons(2), 5, 0.5)
    torch.testing.assert_close(weights(whole), weights(again), rtol=0.0, atol=0.0)


def test_a_checkpoint_of_a_version_before_is_refused() -> None:
    state: dict[str, Any] = StudentLearner(0, CPU).state()
    del state["average"]
    with pytest.raises(InputError, match=r"RUN/student.pt .* begin the run anew"):
        StudentLearner(0, CPU).restore(state, Path("RUN/student.pt"))
