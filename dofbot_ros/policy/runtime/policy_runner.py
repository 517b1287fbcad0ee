"""A trained policy ready to act: ONNX on one core, with the spec that tells what it sees."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.model_files import first_words, open_onnx
from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import InputError
from dofbot_ros.policy.interface.spec import MODEL, load_spec


class PolicyRunner:
    """Acts deterministically.

    Args:
        folder: with policy.onnx and policy.yaml.

    Raises:
        InputError: there is no policy, or not one of this version.
        DependencyError: onnxruntime is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self.spec = load_spec(folder)
        self._session = open_onnx(folder / MODEL, "policy")
        self._inputs = tuple(given.name for given in self._session.get_inputs())

    def act(self, observation: Mapping[str, Any]) -> NDArray[np.float32]:
        """The action (n,), each -1..1, of an environment's observation, one a period.

        Raises:
            InputError: the network does not take what its spec says, or answers something else than its spec says.
        """
        unknown = [name for name in self._inputs if name not in observation]
        if unknown:
            raise InputError(f"the network wants {', '.join(unknown)}: there is {', '.join(observation)}")
        feed = {name: np.asarray(observation[name])[None] for name in self._inputs}
        try:
            action = self._session.run(None, feed)[0]
        except Exception as error:  # onnxruntime's own kinds, of which it exports none
            raise InputError(f"the network does not take what its spec says: {first_words(error)}") from error
        size = len(self.spec.action)
        if np.shape(action) != (1, size):
            raise InputError(f"the network answers {np.shape(action)} where its spec says (1, {size})")
        if not np.isfinite(action).all():
            raise InputError(f"the network answers numbers that are not finite: {np.ravel(action).tolist()}")
        return np.asarray(action[0], np.float32)


def shipped(task: str, obs: str) -> Path:
    """Folder of the policy that this package ships.

    Raises:
        InputError: it ships none for this task and observation.
    """
    try:
        return share_file("models", "policy", f"{task}_{obs}")
    except InputError as error:
        raise InputError(
            f"this package ships no {obs} policy for {task}: train one with `dofbot policy train --task {task} "
            f"--obs {obs} --out RUN`, and give it with --model RUN"
        ) from error
