"""A trained hopper policy ready to act in several episodes at once: ONNX on one core."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.model_files import first_words, open_onnx
from dofbot_ros.errors import InputError
from dofbot_ros.lab.hopper.spec import ACTIONS, MEMORY, load_hopper_spec
from dofbot_ros.policy.interface.spec import MODEL


class HopperPolicy:
    """Acts deterministically. Policies from pictures remember frames and actions, apart for each episode.

    Args:
        folder: with policy.onnx and policy.yaml.

    Raises:
        InputError: there is no hopper policy.
        DependencyError: onnxruntime is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self.spec = load_hopper_spec(folder)
        self._folder = folder
        self._session = open_onnx(folder / MODEL, "hopper policy")
        sizes = [given.shape[1] for given in self._session.get_inputs() if given.name == MEMORY]
        self._size = int(sizes[0]) if sizes else 0
        self.start(1)

    def start(self, episodes: int) -> None:
        """That many episodes begin."""
        self._memory = np.zeros((episodes, self._size), np.float32)
        self.estimate = np.zeros((episodes, 0), np.float32)

    def act(self, seen: NDArray[Any], live: Sequence[int]) -> NDArray[np.float32]:
        """Actions (n, 3), each -1..1, of observations (n, ...) in the episodes with the numbers `live`.

        Policies from pictures leave in `estimate` (n, 11) what they take the states to be.

        Raises:
            InputError: the network does not take these observations, or answers something else.
        """
        feed = {"observation": seen}
        if self._size:
            feed[MEMORY] = self._memory[list(live)]
        try:
            action, *more = self._session.run(None, feed)
        except Exception as error:  # onnxruntime's own kinds, of which it exports none
            raise InputError(
                f"{self._folder} does not hold a policy from such pictures: {first_words(error)}"
            ) from error
        if action.shape != (len(seen), ACTIONS) or not np.isfinite(action).all():
            raise InputError(f"{self._folder} answers {action.shape} where ({len(seen)}, {ACTIONS}) is wanted")
        if self._size:
            self._memory[list(live)], self.estimate = more
        return np.asarray(action, np.float32)
