"""Measures a policy: episodes in one domain, judged by what is true of the world."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.config.loader import from_mapping, to_mapping
from dofbot_ros.config.ranges import Checked, Count
from dofbot_ros.core.model_files import networks_digest
from dofbot_ros.core.parallel import in_processes
from dofbot_ros.core.result_file import Interrupted, ResultFile
from dofbot_ros.core.statistics import wilson
from dofbot_ros.desks.config import OWN
from dofbot_ros.policy.env.environments import DofBotEnv, make_env
from dofbot_ros.policy.interface.spec import PolicySpec
from dofbot_ros.policy.runtime.policy_runner import PolicyRunner
from dofbot_ros.sim.randomization import load_domain


class Actor(Protocol):
    """Whatever acts on what an environment shows."""

    def act(self, observation: dict[str, Any]) -> NDArray[np.float32]:
        """The action of an observation."""
        ...


@dataclass(frozen=True)
class EvaluateConfig(Checked):
    """What is measured.

    Attributes:
        model: folder of the policy.
        episodes: how many.
        domain: an entry of config/domains.yaml.
        seed: of the first episode; the others count on from it.
        node_physics: in the physics that sim_node runs; otherwise in that of the training.
        desk: errors that the policy is not told, each episode on an installation of its own.

    Raises:
        ConfigError: there is no such domain, or it is to be combined with a desk.
    """

    model: Path
    episodes: Count = 500
    domain: str = "source"
    seed: int = 0
    node_physics: bool = True
    desk: str = OWN

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        load_domain(self.domain)
        if self.desk != OWN and self.domain != "source":
            yield f"a desk is a world of its own: leave out the domain {self.domain} or the desk {self.desk}"


@dataclass(frozen=True)
class Ended:
    """An episode.

    Attributes:
        seed: of the episode.
        success: whether the goal was truly reached at its end.
        earned: sum of its rewards.
    """

    seed: int
    success: bool
    earned: float


def evaluate(
    config: EvaluateConfig,
    workers: int = 1,
    report: Callable[[int, int], None] | None = None,
    state: Path | None = None,
    show: Callable[[DofBotEnv], None] | None = None,
) -> dict[str, Any]:
    """Run the episodes.

    Args:
        config: which.
        workers: processes over which the episodes are spread; 1: this one alone. That changes nothing in the result,
            since an episode depends on its seed alone.
        report: told after each episode how many are done and how many of them succeeded.
        state: file that keeps every episode; what it holds is not run again.
        show: called after each period, where one process runs all episodes.

    Returns:
        `success_rate` (the goal is truly reached when the episode ends), `interval` (Wilson, 95 %), `episodes`,
        `mean_return`, and `task`, `obs`, `domain`, `physics`, `seed`.

    Raises:
        InputError: there is no such policy; or the file is none of such a measurement, or one of other conditions.
        Interrupted: by Ctrl-C, once anything has been measured.
    """
    spec = PolicyRunner(config.model).spec
    file = ResultFile(state, "dofbot policy evaluate", _conditions(config), to_mapping, _read)
    seeds = range(config.seed, config.seed + config.episodes)
    ends = [end for end in file.results if end.seed in seeds]
    left = [seed for seed in seeds if seed not in {end.seed for end in ends}]
    try:
        if report is not None and ends:
            report(len(ends), sum(one.success for one in ends))
        with closing(_episodes(config, left, min(workers, len(left)), show)) as episodes:
            for end in episodes:
                file.add(end)
                ends.append(end)
                if report is not None:
                    report(len(ends), sum(one.success for one in ends))
    except KeyboardInterrupt:
        if not ends:
            raise
        raise Interrupted(_summary(ends, config, spec)) from None
    return _summary(ends, config, spec)


def _summary(ended: list[Ended], config: EvaluateConfig, spec: PolicySpec) -> dict[str, Any]:
    ends = sorted(ended, key=lambda end: end.seed)
    successes = sum(end.success for end in ends)
    return {
        "success_rate": successes / len(ends),
        "interval": list(wilson(successes, len(ends))),
        "episodes": len(ends),
        "mean_return": float(np.mean([end.earned for end in ends])),
        "task": spec.task,
        "obs": spec.obs,
        "domain": config.domain,
        "desk": config.desk,
        "physics": "node" if config.node_physics else "training",
        "seed": config.seed,
    }


def rollout(env: DofBotEnv, policy: Actor, seed: int, show: Callable[[DofBotEnv], None] = lambda _: None) -> Ended:
    """One episode; `show` is called after each period."""
    observation, _ = env.reset(seed=seed)
    earned, done, info = 0.0, False, {"is_success": False}
    while not done:
        observation, reward, _, done, info = env.step(policy.act(observation))
        earned += reward
        show(env)
    return Ended(seed, bool(info["is_success"]), float(earned))


def _conditions(config: EvaluateConfig) -> dict[str, Any]:
    """What makes episodes comparable: all but which and how many they are."""
    plain = to_mapping(config)
    del plain["episodes"], plain["seed"]
    return plain | {"model": networks_digest(config.model)}


def _read(data: Any) -> Ended:
    return from_mapping(Ended, data, "an episode")


def _episodes(
    config: EvaluateConfig, seeds: Sequence[int], workers: int, show: Callable[[DofBotEnv], None] | None
) -> Generator[Ended, None, None]:
    """The ends of episodes, as they come."""
    if workers > 1:
        for _, end in in_processes(partial(_in_worker, config), seeds, workers):
            yield end
        return
    if not seeds:
        return
    bench = _Bench(config)
    try:
        for seed in seeds:
            yield bench.run(seed, show or (lambda _: None))
    finally:
        bench.close()


def make_world(config: EvaluateConfig, spec: PolicySpec) -> DofBotEnv:
    """The environment in which the policy that `spec` describes is measured."""
    options: dict[str, Any] = {} if spec.observed == "state" else {"image_size": spec.image_size}
    if spec.observed == "image":
        options["stack"] = spec.stack
    if spec.observed == "pipeline":
        options["pose"] = config.model
    return make_env(
        spec.task,
        spec.observed,
        control=spec.control,
        ranges=load_domain(config.domain),
        node_physics=config.node_physics,
        desk=config.desk,
        **options,
    )


class _Bench:
    """A policy and the world it acts in."""

    def __init__(self, config: EvaluateConfig) -> None:
        self._policy = PolicyRunner(config.model)
        self._env = make_world(config, self._policy.spec)

    def run(self, seed: int, show: Callable[[DofBotEnv], None] = lambda _: None) -> Ended:
        """One episode."""
        return rollout(self._env, self._policy, seed, show)

    def close(self) -> None:
        """Let go of the world."""
        self._env.close()


_bench: _Bench | None = None
"""That of this worker process, which lives for one evaluation."""


def _in_worker(config: EvaluateConfig, seed: int) -> Ended:
    global _bench
    _bench = _bench or _Bench(config)
    return _bench.run(seed)
