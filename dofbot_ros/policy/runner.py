"""A trained policy ready to act: ONNX on one core, with the spec that tells what it sees."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import DependencyError, InputError
from dofbot_ros.policy.spec import MEMORY, MODEL, load_spec


class PolicyRunner:
    """Acts deterministically.

    Args:
        folder: with policy.onnx and policy.yaml.

    Raises:
        InputError: there is no policy, or not one of this version.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise DependencyError("onnxruntime", "learn", "running a policy") from error
        self.spec = load_spec(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        path = folder / MODEL
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise InputError(f"{path} is no policy: {' '.join(str(error).split())[:200]}") from error
        self._inputs = tuple(given.name for given in self._session.get_inputs() if given.name != MEMORY)
        self.start()

    def start(self) -> None:
        """Forget what was before: an episode begins."""
        self._memory = np.zeros((1, self.spec.memory), np.float32)

    def act(self, observation: Mapping[str, Any]) -> NDArray[np.float32]:
        """The action (n,), each -1..1, of an environment's observation, one a period."""
        feed = {name: np.asarray(observation[name])[None] for name in self._inputs}
        if self.spec.memory:
            feed[MEMORY] = self._memory
        action, *memory = self._session.run(None, feed)
        if memory:
            self._memory = memory[0]
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
