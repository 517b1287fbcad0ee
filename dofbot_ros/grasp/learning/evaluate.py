"""Measures grasp planners by grasps that are carried out: success rate, interval, families, ways to fail."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.config.loader import from_mapping, to_mapping
from dofbot_ros.core.result_file import Interrupted, ResultFile
from dofbot_ros.core.statistics import wilson
from dofbot_ros.desks.config import OWN
from dofbot_ros.grasp.detection.misses import Misses
from dofbot_ros.grasp.detection.model_io import digest, load_model, shipped_model
from dofbot_ros.grasp.detection.planner import GraspPlanner, NetworkPlanner
from dofbot_ros.grasp.execution.attempt import Outcome, Verdict
from dofbot_ros.grasp.learning.baselines import ArucoPlanner, MomentsPlanner, RandomPixelPlanner
from dofbot_ros.grasp.learning.collect import scene_seed
from dofbot_ros.grasp.learning.workers import Workers, parallel
from dofbot_ros.grasp.simulation.families import KIT, families_of
from dofbot_ros.grasp.simulation.grasp_sim import GraspSim
from dofbot_ros.grasp.simulation.scenes import Randomisation, SceneRules

SALT = 0xE7A1
"""Keeps the scenes of an evaluation apart from those of a collection with the same seed."""

TRIED = 5
"""Candidates that are looked at until one is within reach."""

BASELINES = ("random", "moments")
ORACLE = "aruco"
"""Reads the markers of the kit's cubes: one more baseline where all objects are such."""


def baselines_for(objects: str) -> tuple[str, ...]:
    """The baselines that apply to these objects."""
    return (*BASELINES, ORACLE) if set(families_of(objects)) == {KIT} else BASELINES


REHEARSAL = Randomisation(
    object_friction=(0.45, 0.6),
    table_friction=(0.3, 0.5),
    camera_shift=0.025,
    ambient=(0.30, 0.45),
    light_lean=1.4,
    noise=(4.0, 8.0),
)
"""Another world than the one that was trained on: less friction, dimmer and lower light, camera further off, noise."""


@dataclass(frozen=True)
class EvaluateConfig:
    """What is measured.

    Attributes:
        objects: a split or family names, see families.py.
        attempts: of each planner; all planners get the same scenes.
        seed: of the scenes.
        model: a run's folder or an .onnx file; None for the shipped network.
        rules: of the scenes; the view is the model's.
        baselines: planners that are measured beside the network.
        rehearsal: over an emulated serial line in real time, in a world outside of what was trained on.
        desk: errors of arm, camera and table that the planners are not told; each scene on an installation of its own.
        sight: on a desk the arm looks at its own hand first, and aims by that.
        tries: grasps in a scene, as long as the fingers tell that they hold nothing: the arm looks again, and grasps
            otherwise.
    """

    objects: str = "heldout"
    attempts: int = 500
    seed: int = 0
    model: Path | None = None
    rules: SceneRules = field(default_factory=SceneRules)
    baselines: tuple[str, ...] = BASELINES
    rehearsal: bool = False
    desk: str = OWN
    sight: bool = True
    tries: int = 1


@dataclass(frozen=True)
class Attempted:
    """One attempt of one planner.

    Attributes:
        number: of the scene.
        planner: its name.
        family: of the object nearest to the grasp.
        outcome: how it ended.
        plan_ms: image in, best grasp out [ms].
        seconds: wall time of the attempt [s].
        tries: grasps that it took.
    """

    number: int
    planner: str
    family: str
    outcome: Outcome
    plan_ms: float
    seconds: float
    tries: int = 1


def attempt_scene(sim: GraspSim, planner: GraspPlanner, config: EvaluateConfig, number: int) -> Attempted:
    """Let `planner` grasp in scene `number`."""
    begin = time.perf_counter()
    scene = sim.make(scene_seed(config.seed ^ SALT, number))
    if config.sight and config.desk != OWN:
        sim.look_at_hand()
    view, misses, plan_s, thing, tries = sim.maker.rules.view, Misses(), 0.0, 0, 0
    verdict = Verdict("unreachable", 0)
    while tries < config.tries:
        looked = time.perf_counter()
        candidates = misses.ordered(planner.candidates(scene.image, view))
        plan_s = plan_s or time.perf_counter() - looked
        chosen = next(((c.pinch, plan) for c in candidates[:TRIED] if (plan := sim.plan(c.pinch)) is not None), None)
        if chosen is None and tries:
            break  # what the last grasp came to stands
        pinch, plan = chosen or (candidates[0].pinch if candidates else None, None)
        thing = 0 if pinch is None else sim.nearest(scene, pinch)
        verdict = sim.grasp(scene, plan)
        tries += 1
        if pinch is None or plan is None or not verdict.empty or tries == config.tries:
            break
        misses.add(pinch, scene.image)
        scene = sim.look_again(scene, plan)
        misses.look(view, scene.image)
    thing = verdict.thing if verdict.outcome == "lifted" else thing
    return Attempted(
        number,
        planner.name,
        scene.things[thing].family,
        verdict.outcome,
        1e3 * plan_s,
        time.perf_counter() - begin,
        max(tries, 1),
    )


_bench: tuple[GraspSim, list[GraspPlanner]] | None = None
"""World and planners of this worker process."""


def attempt_share(config: EvaluateConfig, numbers: list[int]) -> list[Attempted]:
    """All planners in the scenes `numbers`, in this process's own world."""
    global _bench
    if _bench is None:
        rules = replace(config.rules, ranges=REHEARSAL) if config.rehearsal else config.rules
        sim = GraspSim(families_of(config.objects), rules, rehearsal=config.rehearsal, desk=config.desk)
        network = NetworkPlanner(load_model(config.model))
        _bench = sim, [network, *(_baseline(name, network, sim) for name in config.baselines)]
    sim, planners = _bench
    rows = []
    for number in numbers:
        for planner in planners:
            if isinstance(planner, RandomPixelPlanner):
                planner.reseed(scene_seed(config.seed, number))
            rows.append(attempt_scene(sim, planner, config, number))
    return rows


def _baseline(name: str, network: NetworkPlanner, sim: GraspSim) -> GraspPlanner:
    if name == "moments":
        return MomentsPlanner()
    if name == "aruco":
        return ArucoPlanner(sim.maker)
    return RandomPixelPlanner(network.model.info.network.rotations)


def evaluate(
    config: EvaluateConfig,
    workers: Workers,
    report: Callable[[int, int], None] | None = None,
    state: Path | None = None,
) -> dict[str, Any]:
    """Carry out all attempts and sum them up.

    Args:
        config: what to measure.
        workers: who does the work; that changes nothing in the result but the times.
        report: called with the number of scenes done and of the network's successes in them.
        state: file that keeps every attempt; what it holds is not tried again.

    Raises:
        InputError: the file is none of such a measurement, or one of other conditions.
        Interrupted: by Ctrl-C, once anything has been measured.
    """
    file = ResultFile(state, "dofbot grasp evaluate", _conditions(config), to_mapping, _read)
    rows = [row for row in file.results if row.number < config.attempts]
    done = {row.number for row in rows}
    left = [number for number in range(config.attempts) if number not in done]
    shares = [left[i : i + 5] for i in range(0, len(left), 5)]
    try:
        _report(rows, report)
        with closing(parallel(partial(attempt_share, config), shares, workers)) as results:
            for _, share in results:
                file.add(*share)
                rows += share
                _report(rows, report)
    except KeyboardInterrupt:
        if not rows:
            raise
        raise Interrupted(_sorted_summary(rows, config)) from None
    return _sorted_summary(rows, config)


def _report(rows: list[Attempted], report: Callable[[int, int], None] | None) -> None:
    network = [row for row in rows if row.planner == NetworkPlanner.name]
    if report is not None and network:
        report(len(network), sum(row.outcome == "lifted" for row in network))


def _sorted_summary(rows: list[Attempted], config: EvaluateConfig) -> dict[str, Any]:
    return summarise(sorted(rows, key=lambda row: row.number), config)


def _conditions(config: EvaluateConfig) -> dict[str, Any]:
    """What makes attempts comparable: all but how many there are."""
    plain = to_mapping(config)
    del plain["attempts"]
    return plain | {"model": digest(config.model or shipped_model())}


def _read(data: Any) -> Attempted:
    return from_mapping(Attempted, data, "an attempt")


def summarise(rows: list[Attempted], config: EvaluateConfig) -> dict[str, Any]:
    """The result of an evaluation as plain data; rows in the order of their scenes."""
    network = [row for row in rows if row.planner == NetworkPlanner.name]
    families = sorted({row.family for row in network})
    return {
        **rate([row.outcome for row in network]),
        "by_family": {f: rate([row.outcome for row in network if row.family == f]) for f in families},
        "first_try": rate([row.outcome if row.tries == 1 else "missed" for row in network]),
        "failures": dict(Counter(row.outcome for row in network if row.outcome != "lifted")),
        "baselines": {name: rate([row.outcome for row in rows if row.planner == name]) for name in config.baselines},
        "planning_ms": {
            "median": float(np.median([row.plan_ms for row in network])),
            "p95": float(np.percentile([row.plan_ms for row in network], 95)),
        },
        "seconds_per_attempt": float(np.mean([row.seconds for row in network])),
        "desk": config.desk,
        "sight": config.sight and config.desk != OWN,
        "tries": config.tries,
        "objects": config.objects,
        "objects_per_scene": config.rules.objects,
        "rehearsal": config.rehearsal,
        "seed": config.seed,
        "failed_scenes": [asdict(row) for row in network if row.outcome != "lifted"],
    }


def rate(outcomes: list[Outcome]) -> dict[str, Any]:
    """Share of `lifted` with its 95 % Wilson interval."""
    successes, n = sum(outcome == "lifted" for outcome in outcomes), len(outcomes)
    low, high = wilson(successes, n)
    return {"success_rate": successes / n if n else math.nan, "interval": [low, high], "attempts": n}
