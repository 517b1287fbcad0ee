"""Finds joint angles for silhouettes: read off landmarks or found by a network, as they are or refined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from dofbot_ros.config.ranges import Checked, Index
from dofbot_ros.core.model_files import load_safetensors, load_state
from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import one_of
from dofbot_ros.lab.imitation.hand import Hand
from dofbot_ros.lab.imitation.landmarks import angles_from_landmarks
from dofbot_ros.lab.imitation.network import ImitationNetwork
from dofbot_ros.lab.imitation.reference.sac_policy import SAC_WEIGHTS, SacPolicy
from dofbot_ros.lab.imitation.refine import STEPS, refine
from dofbot_ros.lab.imitation.train import WEIGHTS
from dofbot_ros.lab.imitation.urdf.saved import saved_hand

METHODS = ("landmarks", "landmarks+refine", "network", "network+refine", "sac")
NO_NETWORK = ("landmarks", "landmarks+refine")
"""Methods that need none: they begin with what landmarks tell."""
DEFAULT = "network+refine"


def shipped_network(dof: int) -> Path:
    """Folder of the trained network that the package brings for the hand of 12 or 17 joints."""
    return share_file("models", "imitation", f"hand{dof}")


def load_network(run: Path) -> tuple[Hand, ImitationNetwork | SacPolicy]:
    """The hand and the network of a run's folder, or of the file in it.

    Raises:
        InputError: it holds none.
    """
    path = run if run.is_file() else run / SAC_WEIGHTS if (run / SAC_WEIGHTS).exists() else run / WEIGHTS
    tensors, texts = load_safetensors(path, "imitation network")
    model = saved_hand(texts, path)
    network = SacPolicy(model) if path.name == SAC_WEIGHTS else ImitationNetwork(model)
    load_state(network, tensors, path)
    return model, network.eval()


def default_method(network: ImitationNetwork | SacPolicy | None) -> str:
    """The method that a network is for."""
    if network is None:
        return "landmarks"
    return "sac" if isinstance(network, SacPolicy) else DEFAULT


@dataclass(frozen=True)
class Imitator(Checked):
    """Angles of silhouettes.

    Attributes:
        model: of the hand.
        network: trained; None for methods that begin with landmarks.
        method: one of METHODS.
        steps: of refinement.
    """

    model: Hand
    network: ImitationNetwork | SacPolicy | None
    method: str = DEFAULT
    steps: Index = STEPS

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if self.method not in METHODS:
            yield one_of("method", self.method, METHODS)
        elif self.method not in NO_NETWORK and self.network is None:
            yield f"method {self.method} needs a trained network: give its folder with --model RUN"
        elif self.method not in NO_NETWORK and (self.method == "sac") != isinstance(self.network, SacPolicy):
            yield f"method {self.method} does not go with this run: its network is for {default_method(self.network)}"

    def angles(self, silhouettes: Tensor, landmarks: Tensor) -> Tensor:
        """Joint angles (n, dof) [rad].

        Args:
            silhouettes: (n, 56, 56), 0..1, cropped about the palm's middle.
            landmarks: of the same hands, (n, 21, 3), x right, y up, z towards the camera [m].
        """
        read = angles_from_landmarks(self.model, landmarks)
        if self.network is None or self.method in NO_NETWORK:
            found = read
        else:
            with torch.no_grad():
                found = self.network(silhouettes)
        return refine(self.model, found, silhouettes, self.steps).angles if self.refined else found

    @property
    def refined(self) -> bool:
        """Whether gradient steps follow."""
        return self.method.endswith("+refine")
