"""Watches a training run: how far it is, the worlds it met, its checkpoints."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TextIO

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback

from dofbot_ros.training.learning_curve import LearningCurve


class Draw(Protocol):
    """The world of one episode."""

    def to_log(self) -> dict[str, Any]:
        """Plain numbers, for logs."""
        ...


class DrawnWorld(Protocol):
    """An environment that draws a world for every episode."""

    @property
    def draw(self) -> Draw:
        """That of the running episode."""
        ...


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        steps: done, or episodes with the teacher.
        wanted: in all.
        success_rate: of the last 100 episodes; nan before the first.
        mean_return: of the same.
        seconds: of training, in this process.
        loss: of imitation in its last updates (Huber, of actions from -1 to 1); nan where nobody was imitated.
    """

    steps: int
    wanted: int
    success_rate: float
    mean_return: float
    seconds: float
    loss: float = float("nan")


class TrainingCallback(BaseCallback):
    """Reports, logs the worlds that were drawn, and saves checkpoints.

    Args:
        wanted: steps in all.
        checkpoint_steps: between two checkpoints.
        draws: file of the worlds.
        envs: that draw them.
        save: makes a checkpoint.
        curve: notes how far it is, once a second.
        report: told the same.
    """

    def __init__(
        self,
        *,
        wanted: int,
        checkpoint_steps: int,
        draws: Path,
        envs: Sequence[DrawnWorld],
        save: Callable[[], None],
        curve: LearningCurve,
        report: Callable[[Progress], None] | None,
    ) -> None:
        super().__init__()
        self._wanted, self._checkpoint_steps, self._path, self._envs = wanted, checkpoint_steps, draws, envs
        self._save, self._curve, self._report = save, curve, report
        self._begin = self._reported = time.monotonic()
        self._saved = 0
        self._logged: list[Draw | None] = [None] * len(envs)

    def _init_callback(self) -> None:
        self._saved = self.model.num_timesteps
        self._draws = self._path.open("a", encoding="utf-8")

    def _on_step(self) -> bool:
        # The vector environment has reset it by the time that the callback hears of the episode's end.
        for i, env in enumerate(self._envs):
            if env.draw is not self._logged[i]:
                self._logged[i] = env.draw
                log_draw(self._draws, self.num_timesteps, env.draw)
        if self.num_timesteps - self._saved >= self._checkpoint_steps:
            self._saved = self.num_timesteps
            self._save()
        self.tell("steps", lambda: self.progress(self.model))
        return True

    def _on_training_end(self) -> None:
        self._draws.close()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._begin

    def tell(self, phase: str, progress: Callable[[], Progress]) -> None:
        """Note it and pass it on, once a second; `phase` is what the progress counts."""
        if time.monotonic() - self._reported > 1.0:
            self._reported = time.monotonic()
            now = progress()
            self.note(phase, now)
            if self._report is not None:
                self._report(now)

    def note(self, phase: str, progress: Progress) -> None:
        """Put it into the learning curve."""
        values = {
            "success rate": progress.success_rate,
            "mean return": progress.mean_return,
            "imitation loss": progress.loss,
        }
        self._curve.add(phase, progress.steps, values)

    def progress(self, model: BaseAlgorithm) -> Progress:
        """How far it is."""
        episodes = list(model.ep_info_buffer or [])
        successes = list(model.ep_success_buffer or [])
        return Progress(
            model.num_timesteps,
            self._wanted,
            float(np.mean(successes)) if successes else float("nan"),
            float(np.mean([episode["r"] for episode in episodes])) if episodes else float("nan"),
            self.seconds,
        )


def log_draw(file: TextIO, step: int, draw: Draw) -> None:
    """Write a line about the world of an episode that begins after `step` steps."""
    file.write(json.dumps({"step": step, **draw.to_log()}) + "\n")
