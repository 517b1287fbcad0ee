"""HistoryStudent: acts on the last frames and actions, and says what it takes the state to be."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dofbot_ros.lab.hopper.learning.keypoint_network import ExportedKeypoints, KeypointNetwork
from dofbot_ros.lab.hopper.spec import ACTIONS
from dofbot_ros.lab.hopper.world.body import STATE_SIZE

HISTORY = 16
"""Frames that a student sees: 0.13 s. Speeds are told by them: with 8 frames they are three times as uncertain."""

FEATURES = 10
"""Numbers of a frame: five keypoints, x before height."""

CENTRE = (-0.05, 1.40, -0.02, 1.00, -0.02, 0.56, 0.0, 0.10, 0.25, 0.10)
SPREAD = (0.15, 0.15, 0.10, 0.12, 0.10, 0.12, 0.15, 0.10, 0.15, 0.10)
"""About where keypoints are, and how far they get from there [m]: heads first, x before height."""


class HistoryStudent(nn.Module):
    """A network on a history of frames, each of some features and the action that came before it.

    Args:
        features: numbers of a frame.
        width: of the two hidden layers.
    """

    def __init__(self, features: int, width: int = 256) -> None:
        super().__init__()
        self.frame = features + ACTIONS
        self.trunk = nn.Sequential(
            nn.Linear(HISTORY * self.frame, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        )
        self.state = nn.Linear(width, STATE_SIZE)
        self.action = nn.Linear(width, ACTIONS)

    def forward(self, history: Tensor) -> tuple[Tensor, Tensor]:
        """Actions (n, 3), and normalised states (n, 11), of histories (n, HISTORY x frame), the newest frame last."""
        hidden = self.trunk(history)
        return self.action(hidden), self.state(hidden)


class ExportedStudent(nn.Module):
    """A student with its memory made explicit, from one frame to an action.

    Args:
        student: trained.
        encoder: from observations (n, ...) to a frame's features (n, features).
        state_mean, state_scale: by which its states are normalised (11,).
    """

    def __init__(self, student: HistoryStudent, encoder: nn.Module, state_mean: Tensor, state_scale: Tensor) -> None:
        super().__init__()
        self.student, self.encoder = student, encoder
        self.memory_size = (HISTORY - 1) * student.frame + ACTIONS
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", state_mean)
        self.register_buffer("scale", state_scale)

    def forward(self, observation: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Action (n, 3), memory for the next step, and estimated state (n, 11).

        Args:
            observation: of now, (n, ...).
            memory: frames before and the last action, (n, memory_size); zeros at the begin of an episode.
        """
        before, last = memory[:, :-ACTIONS], memory[:, -ACTIONS:]
        history = torch.cat([before, self.encoder(observation), last], dim=1)
        action, state = self.student(history)
        acted = action.clamp(-1.0, 1.0)
        return acted, torch.cat([history[:, self.student.frame :], acted], dim=1), state * self.scale + self.mean


class KeypointFeatures(nn.Module):
    """Keypoints as a student sees them: about zero, of unit size."""

    def __init__(self) -> None:
        super().__init__()
        self.centre: Tensor
        self.spread: Tensor
        self.register_buffer("centre", torch.tensor(CENTRE))
        self.register_buffer("spread", torch.tensor(SPREAD))

    def forward(self, points: Tensor) -> Tensor:
        """Of keypoints (n, 10) [m]."""
        return (points - self.centre) / self.spread


class PictureFeatures(nn.Module):
    """What a student of pictures sees of one: the centres of mass of its heat maps.

    Feature points from convolutions, taught a pose before they serve a policy, as in Levine et al., End-to-End Training
    of Deep Visuomotor Policies, 2016.

    Args:
        network: trained.
    """

    def __init__(self, network: KeypointNetwork) -> None:
        super().__init__()
        self.points, self.scaled = ExportedKeypoints(network), KeypointFeatures()

    def forward(self, pictures: Tensor) -> Tensor:
        """Features (n, 10) of pictures (n, 64, 64, 3), 0..255."""
        features: Tensor = self.scaled(self.points(pictures).flatten(1))
        return features
