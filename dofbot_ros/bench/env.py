"""How many steps a second the policies' environments make, beside panda-gym's in the same run."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from dofbot_ros.core.interrupts import interrupts_held
from dofbot_ros.core.parallel import begin_worker
from dofbot_ros.errors import DependencyError, DofbotError

PANDA = "PandaPickAndPlace-v3"
SLICE_S = 0.25
"""The two environments take turns of this length [s], so that both meet the same load of the machine."""


def measure(seconds: float = 20.0) -> dict[str, Any]:
    """Step DofBotPick-v0 (state) and panda-gym's PandaPickAndPlace-v3 with random actions, in a process each.

    Both simulate 0.04 s a step; resets are part of the time. The processes take turns. Then two DofBot processes at
    once, beside one alone, again in turns.

    Args:
        seconds: of each of the two comparisons [s].

    Returns:
        `steps_per_s`, `panda_gym_steps_per_s`: medians over the turns; `ratio_to_panda_gym`; `vector_scaling`: steps a
        second of two processes together over those of one; `simulated_s_per_step`; `turns`.

    Raises:
        DependencyError: panda-gym, gymnasium or PyBullet is not installed.
    """
    context = multiprocessing.get_context("spawn")
    turns = max(4, round(seconds / (2 * SLICE_S)))
    with _Worker(context, "dofbot") as first, _Worker(context, PANDA) as panda:
        rates = np.array([[first.run(), panda.run()] for _ in range(turns)])
        ours, theirs = np.median(rates, axis=0)
    with _Worker(context, "dofbot") as first, _Worker(context, "dofbot") as second:
        scaling = []
        for _ in range(turns):
            alone = first.run()
            scaling.append(sum(both(first, second)) / alone)
    return {
        "steps_per_s": float(ours),
        "panda_gym_steps_per_s": float(theirs),
        "ratio_to_panda_gym": float(ours / theirs),
        "vector_scaling": float(np.median(scaling)),
        "simulated_s_per_step": 0.04,
        "turns": turns,
    }


class _Worker:
    """A process that steps one environment when asked to."""

    def __init__(self, context: Any, which: str) -> None:
        self.connection, theirs = context.Pipe()
        self._folder = tempfile.TemporaryDirectory(prefix="dofbot-bench-")
        self._process = context.Process(target=_serve, args=(which, theirs, self._folder.name), daemon=True)
        with interrupts_held():
            self._process.start()
        theirs.close()

    def __enter__(self) -> _Worker:
        self.answer()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()
        self._folder.cleanup()

    def answer(self) -> float:
        """What it says next; raises what went wrong there."""
        try:
            said = self.connection.recv()
        except EOFError:
            raise DofbotError("an environment's process ended before it was asked to") from None
        if isinstance(said, Exception):
            raise said
        return float(said)

    def run(self) -> float:
        """Steps a second of one turn."""
        self.connection.send(SLICE_S)
        return self.answer()


def both(first: _Worker, second: _Worker) -> tuple[float, float]:
    """Steps a second of both, at once."""
    first.connection.send(SLICE_S)
    second.connection.send(SLICE_S)
    return first.answer(), second.answer()


def _serve(which: str, connection: Connection, folder: str) -> None:
    begin_worker(folder)
    try:
        env = _make(which)
    except ModuleNotFoundError as error:
        connection.send(DependencyError(str(error.name), "learn", "measuring environments"))
        return
    rng = np.random.default_rng(0)
    low, high = env.action_space.low, env.action_space.high
    env.reset(seed=0)
    connection.send(0.0)
    while True:
        seconds = connection.recv()
        steps, begin = 0, time.perf_counter()
        while (passed := time.perf_counter() - begin) < seconds:
            for action in rng.uniform(low, high, (10, len(low))).astype(np.float32):
                _, _, terminated, truncated, _ = env.step(action)
                if terminated or truncated:
                    env.reset()
            steps += 10
        connection.send(steps / passed)


def _make(which: str) -> Any:
    import gymnasium

    if which == PANDA:
        from dofbot_ros.sim.engine import quiet

        with quiet():
            import panda_gym  # noqa: F401

            return gymnasium.make(PANDA)
    from dofbot_ros.policy.env import environments as envs

    return envs.make_env("pick")
