"""What a student of the hopper learns from: episodes in which it or its teacher acts, and what the teacher would do."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dofbot_ros.lab.hopper.learning.keypoint_errors import KeypointErrors
from dofbot_ros.lab.hopper.learning.student_network import FEATURES, HISTORY, HistoryStudent
from dofbot_ros.lab.hopper.policy import HopperPolicy
from dofbot_ros.lab.hopper.spec import ACTIONS
from dofbot_ros.lab.hopper.world.body import STATE_SIZE
from dofbot_ros.lab.hopper.world.env import HopperEnv

LESSON_SEEDS = 5_000_000
"""First seed of their episodes."""


class Lessons:
    """Plays episodes and keeps what was seen in them.

    Args:
        obs: pipeline: true keypoints with errors, nothing is rendered; image: rendered pictures.
        level: of config/hopper.yaml.
        envs: episodes side by side.
        seed: of worlds, noise and batches.
        teacher: from state.
        encoder: from observations to the features of a frame.
    """

    def __init__(
        self,
        obs: Literal["pipeline", "image"],
        level: str,
        envs: int,
        *,
        seed: int,
        teacher: HopperPolicy,
        encoder: nn.Module,
    ) -> None:
        kind = "image" if obs == "image" else "state"
        self._envs = [HopperEnv("source", level, kind) for _ in range(envs)]
        self._obs, self._teacher, self._encoder = obs, teacher, encoder
        self._rng = np.random.default_rng([seed, 4])
        self._seen: list[NDArray[Any]] = [np.zeros(0)] * envs
        self._errors = KeypointErrors(envs, FEATURES, self._rng)
        self._led = np.ones(envs, bool)
        self._ended = np.ones(envs, bool)
        self._memory: Tensor | None = None
        self._histories: list[Tensor] = []
        self._actions: list[Tensor] = []
        self._states: list[Tensor] = []
        self.state_mean, self.state_scale = torch.zeros(STATE_SIZE), torch.ones(STATE_SIZE)

    def collect(self, student: HistoryStudent, steps: int, teachers_share: float) -> None:
        """Play on, `steps` in each episode; `teachers_share` of new episodes are led by the teacher."""
        histories, actions, states = [], [], []
        for _ in range(steps):
            for i in np.flatnonzero(self._ended):
                self._begin(int(i), student, teachers_share)
            history = self._history()
            state = np.stack([env.body.state() for env in self._envs]).astype(np.float32)
            wanted = self._teacher.act(state, range(len(self._envs)))
            tried = _acted(student, history)
            acted = np.where(self._led[:, None], wanted, tried)
            self._step(acted, history, student)
            histories.append(history.half())
            actions.append(torch.from_numpy(wanted))
            states.append(torch.from_numpy(state))
        if not self._states:
            seen = torch.cat(states)
            self.state_mean, self.state_scale = seen.mean(dim=0), seen.std(dim=0) + 1e-3
        self._histories.append(torch.cat(histories))
        self._actions.append(torch.cat(actions))
        self._states.append(torch.cat(states))

    def batch(self, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Histories, teacher's actions and normalised states, drawn from all rounds alike."""
        rounds = self._rng.integers(len(self._histories), size=8)
        parts = []
        for number in rounds:
            chosen = torch.from_numpy(self._rng.integers(len(self._histories[number]), size=size // 8))
            parts.append([held[number][chosen] for held in (self._histories, self._actions, self._states)])
        history, action, state = (torch.cat(part) for part in zip(*parts, strict=True))
        return history.float(), action, (state - self.state_mean) / self.state_scale

    def measure(self, student: HistoryStudent, episodes: int) -> float:
        """Mean return of the student alone, in at least so many episodes."""
        turns = -(-episodes // len(self._envs))
        return float(np.mean([self._play(student) for _ in range(turns)]))

    def _play(self, student: HistoryStudent) -> NDArray[np.float64]:
        """What one episode of each environment earned (n,)."""
        count = len(self._envs)
        for i in range(count):
            self._begin(i, student, 0.0)
        earned, live = np.zeros(count), np.ones(count, bool)
        while live.any():
            history = self._history()
            acted = _acted(student, history)
            earned += np.where(live, self._step(acted, history, student), 0.0)
            live &= ~self._ended
        self._ended[:] = True
        return earned

    def state(self) -> dict[str, Any]:
        """Tensors for a checkpoint."""
        held = {"histories": self._histories, "actions": self._actions, "states": self._states}
        return {**held, "mean": self.state_mean, "scale": self.state_scale}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what state() gave."""
        self._histories, self._actions, self._states = state["histories"], state["actions"], state["states"]
        self.state_mean, self.state_scale = state["mean"], state["scale"]
        # Otherwise the worlds of the run's beginning would come once more.
        self._rng = np.random.default_rng([int(self._rng.integers(2**31)), len(self._histories)])
        self._errors = KeypointErrors(len(self._envs), FEATURES, self._rng)

    def close(self) -> None:
        """Let go of cameras."""
        for env in self._envs:
            env.close()

    def _begin(self, i: int, student: HistoryStudent, teachers_share: float) -> None:
        rng = self._rng
        self._seen[i], _ = self._envs[i].reset(seed=LESSON_SEEDS + int(rng.integers(1_000_000)))
        self._errors.begin(i)
        self._led[i], self._ended[i] = rng.random() < teachers_share, False
        if self._memory is None:
            self._memory = torch.zeros(len(self._envs), (HISTORY - 1) * student.frame + ACTIONS)
        self._memory[i] = 0.0

    def _history(self) -> Tensor:
        """Of all episodes (n, HISTORY x frame)."""
        memory = self._memory
        if memory is None:
            raise RuntimeError("no episode has begun")
        if self._obs == "image":
            given = torch.from_numpy(np.stack(self._seen))
        else:
            points = np.stack([env.body.keypoints().ravel() for env in self._envs])
            given = torch.from_numpy((points + self._errors.next()).astype(np.float32))
        with torch.no_grad():
            features = self._encoder(given)
        return torch.cat([memory[:, :-ACTIONS], features, memory[:, -ACTIONS:]], dim=1)

    def _step(self, acted: NDArray[np.float32], history: Tensor, student: HistoryStudent) -> NDArray[np.float64]:
        """One step of all running episodes; what each earned (n,)."""
        earned = np.zeros(len(self._envs))
        for i, env in enumerate(self._envs):
            if not self._ended[i]:
                self._seen[i], earned[i], fallen, cut, _ = env.step(acted[i])
                self._ended[i] = fallen or cut
        self._memory = torch.cat([history[:, student.frame :], torch.from_numpy(acted)], dim=1)
        return earned


def _acted(student: HistoryStudent, history: Tensor) -> NDArray[np.float32]:
    """Actions (n, 3), each -1..1, of histories (n, HISTORY x frame), whichever device the student is on."""
    with torch.no_grad():
        action = student(history.to(next(student.parameters()).device))[0]
    return np.asarray(action.clamp(-1.0, 1.0).cpu().numpy(), np.float32)
