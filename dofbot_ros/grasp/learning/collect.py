"""Collects grasps that the simulated arm tries itself, in parallel processes, until enough of them succeed.

Attempt number i depends on the seed and on i alone. Workers hand in blocks of attempts; the data end with the attempt
at which the wanted number of successes is reached, counted in order. So the number of workers, an interruption or a
resumed run change nothing in the file.

Proposals come from where the object truly is; in a second round, mostly from a network that learnt from the first: its
mistakes are then among the data.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.desks.config import OWN
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.detection.model_io import digest, load_model
from dofbot_ros.grasp.detection.planner import NetworkPlanner
from dofbot_ros.grasp.detection.view import nearest_rotation, rotation_yaw
from dofbot_ros.grasp.learning.dataset import TRAIN_FILE, VAL_FILE, GraspData, join, load, save
from dofbot_ros.grasp.learning.workers import Workers, parallel
from dofbot_ros.grasp.planning.planar_plan import PlanarGrasp
from dofbot_ros.grasp.simulation.families import families_of
from dofbot_ros.grasp.simulation.grasp_sim import GraspSim
from dofbot_ros.grasp.simulation.scenes import Scene, SceneRules

BLOCK = 25
"""Attempts that a worker makes between two reports, usually."""

STRAY_M = 0.008
"""Every fourth proposal is moved off its point by this standard deviation, so that grasps beside things are tried too
[m]."""

MODEL_SHARE = 0.6
"""Share of the proposals that a network makes, where there is one."""

SHARPEN = 4.0
"""Its logits are multiplied by this before a cell is drawn: mostly what it would choose, and what comes next."""

BARE = "nothing"
"""In place of a family's name, where the table is bare: whatever is tried there fails."""


@dataclass(frozen=True)
class CollectConfig:
    """What is collected.

    Attributes:
        objects: a split or family names, see families.py.
        rotations: closing lines that are tried, over half a turn.
        seed: of everything.
        rules: of the scenes.
        model: a run's folder or an .onnx file, whose network makes most of the proposals.
        desk: errors of arm, camera, picture and table, as SceneMaker takes it; each scene on another installation.
        block: attempts that a worker makes between two reports.
    """

    objects: str = "train"
    rotations: int = 8
    seed: int = 0
    rules: SceneRules = field(default_factory=SceneRules)
    model: Path | None = None
    desk: str = OWN
    block: int = BLOCK

    def meta(self) -> dict[str, Any]:
        """As plain data, for the file."""
        model = {} if self.model is None else {"model": digest(self.model)}
        desk = {} if self.desk == OWN else {"desk": self.desk}
        block = {} if self.block == BLOCK else {"block": self.block}
        return {
            "objects": self.objects,
            "rotations": self.rotations,
            "seed": self.seed,
            "rules": asdict(self.rules),
            **model,
            **desk,
            **block,
        }


@dataclass(frozen=True)
class Progress:
    """How far a collection has come.

    Attributes:
        wanted: successes.
        successes: so far.
        attempts: so far.
        seconds: since it began.
    """

    wanted: int
    successes: int
    attempts: int
    seconds: float


def scene_seed(seed: int, number: int) -> int:
    """Seed of scene `number` of a run; runs with different seeds share none."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def try_one(
    sim: GraspSim, config: CollectConfig, planner: NetworkPlanner | None, number: int
) -> tuple[Scene, tuple[int, int, int], bool, str]:
    """Attempt `number`: scene, action (row, column, rotation), success, family."""
    seed = scene_seed(config.seed, number)
    scene = sim.make(seed)
    rng = np.random.default_rng([seed, 0xAC7])
    if planner is not None and rng.random() < MODEL_SHARE:
        row, column, rotation = _propose(rng, planner, config, scene)
    else:
        row, column, rotation = _guess(rng, sim, config, scene)
    view = config.rules.view
    if not scene.things:
        return scene, (row, column, rotation), False, BARE
    pinch = PlanarGrasp(*view.to_table(row, column), rotation_yaw(rotation, config.rotations), view.height)
    family = scene.things[sim.nearest(scene, pinch)].family
    verdict = sim.grasp(scene, sim.plan(pinch), above=True)
    return scene, (row, column, rotation), verdict.outcome == "lifted", family


def _propose(
    rng: np.random.Generator, planner: NetworkPlanner, config: CollectConfig, scene: Scene
) -> tuple[int, int, int]:
    """One of the planner's candidates, the better ones more often; without a ranking network any cell of its map."""
    if planner.model.ranker is not None:
        view, candidates = config.rules.view, planner.candidates(scene.image, config.rules.view)
        odds = np.exp([candidate.score - candidates[0].score for candidate in candidates])
        pinch = candidates[int(rng.choice(len(odds), p=odds / odds.sum()))].pinch
        row, column = (round(v) for v in view.to_pixel(pinch.x, pinch.y))
        return row, column, nearest_rotation(pinch.yaw, config.rotations)
    logits = planner.score(scene.image)
    flat = SHARPEN * (logits.ravel() - logits.max()).astype(np.float64)
    p = np.exp(flat)
    at = np.unravel_index(int(rng.choice(len(p), p=p / p.sum())), logits.shape)
    return int(at[1]), int(at[2]), int(at[0])


def _guess(rng: np.random.Generator, sim: GraspSim, config: CollectConfig, scene: Scene) -> tuple[int, int, int]:
    """A cell anywhere on an object, or on a bare table; any rotation.

    Evenly over the object, and not about its centre: where grasps that held are frequent, they are then likely to hold,
    and the network does not learn that the middle of a thing is the place to hold it.
    """
    view = config.rules.view
    if not scene.things:
        row, column = (int(v) for v in rng.integers(view.size, size=2))
        return row, column, int(rng.integers(config.rotations))
    x, y = sim.point_on(scene, int(rng.integers(len(scene.things))), rng)
    if rng.random() < 0.25:
        x, y = np.array([x, y]) + rng.normal(0.0, STRAY_M, size=2)
    row, column = (int(np.clip(round(v), 0, view.size - 1)) for v in view.to_pixel(float(x), float(y)))
    return row, column, int(rng.integers(config.rotations))


_worker: tuple[GraspSim, NetworkPlanner | None] | None = None
"""World and network of this worker process; made by its first block."""


def collect_block(config: CollectConfig, block: int) -> GraspData:
    """Attempts block * config.block and following, in this process's own world."""
    global _worker
    if _worker is None:
        network = None if config.model is None else NetworkPlanner(load_model(config.model))
        _worker = GraspSim(families_of(config.objects), config.rules, desk=config.desk), network
    sim, planner = _worker
    rows = [try_one(sim, config, planner, number) for number in range(block * config.block, (block + 1) * config.block)]
    return GraspData(
        np.array([image for scene, *_ in rows for image in (scene.image, *scene.others)]),
        np.array([action for _, action, *_ in rows]).repeat(config.rules.looks, axis=0),
        np.array([success for *_, success, _ in rows]).repeat(config.rules.looks),
        np.array([family for *_, family in rows]).repeat(config.rules.looks),
        config.meta(),
    )


def collect(
    config: CollectConfig,
    successes: int,
    folder: Path,
    workers: Workers,
    report: Callable[[Progress], None] | None = None,
) -> GraspData:
    """All attempts up to the one that is success number `successes`. What `folder` already holds is not done again.

    Args:
        config: what to collect.
        successes: how many.
        folder: keeps the finished blocks; made where it is not there.
        workers: who does the work.
        report: called after each block.

    Raises:
        InputError: `folder` holds blocks of another configuration.
    """
    note, wanted = folder / "collect.json", json.dumps(config.meta(), sort_keys=True)
    folder.mkdir(parents=True, exist_ok=True)
    if note.exists() and note.read_text(encoding="utf-8") != wanted:
        raise InputError(f"{folder} holds attempts of another configuration: take another --out, or delete it")
    note.write_text(wanted, encoding="utf-8")
    start = time.monotonic()
    blocks: dict[int, GraspData] = {}
    with closing(_blocks(config, folder, workers)) as results:
        for block, data in results:
            blocks[block] = data
            done = sum(int(data.success.sum()) for data in blocks.values())
            if report is not None:
                report(
                    Progress(successes, min(done, successes), sum(map(len, blocks.values())), time.monotonic() - start)
                )
            in_order = sum(int(data.success.sum()) for data in _leading(blocks))
            if in_order >= successes:
                break
    data = join(_leading(blocks))
    last = int(np.searchsorted(np.cumsum(data.success), successes))
    return data.take(np.arange(last + 1))


def _leading(blocks: dict[int, GraspData]) -> list[GraspData]:
    """The blocks from the first on, up to the first that is missing."""
    leading: list[GraspData] = []
    while (data := blocks.get(len(leading))) is not None:
        leading.append(data)
    return leading


def _blocks(config: CollectConfig, folder: Path, workers: Workers) -> Generator[tuple[int, GraspData], None, None]:
    """Blocks as they become ready, for ever; those on disk first."""
    done = sorted(int(path.stem.rsplit("-", 1)[1]) for path in folder.glob("block-*.npz"))
    for number in done:
        yield number, load(_block_file(folder, number))
    missing = (number for number in itertools.count() if number not in done)
    with closing(parallel(partial(collect_block, config), missing, workers)) as results:
        for number, data in results:
            save(data, _block_file(folder, number))
            yield number, data


def _block_file(folder: Path, block: int) -> Path:
    return folder / f"block-{block:05d}.npz"


def collect_dataset(
    config: CollectConfig,
    folder: Path,
    *,
    val_objects: str,
    grasps: int,
    val_share: float,
    workers: Workers,
    failures: bool,
    report: Callable[[str, Progress], None],
) -> dict[str, Any]:
    """Collect training and validation data and write both files. Returns counts for people to read.

    Args:
        config: of the training data; the validation data take the next seed.
        folder: gets both files, and the blocks they are made of.
        val_objects: split or families of the validation data.
        grasps: successes in both together.
        val_share: part of them for validation.
        workers: who does the work.
        failures: keep the failed attempts in the files too.
        report: called with the file's name and its progress.
    """
    for objects in (config.objects, val_objects):
        families_of(objects)  # refused before anything is written
    wanted_val = round(val_share * grasps)
    result: dict[str, Any] = {}
    for name, part, successes in (
        (TRAIN_FILE, config, grasps - wanted_val),
        (VAL_FILE, replace(config, objects=val_objects, seed=config.seed + 1), wanted_val),
    ):
        if successes == 0:
            continue
        begin = time.monotonic()
        data = collect(part, successes, folder / Path(name).stem, workers, partial(report, name))
        save(data if failures else data.take(data.success), folder / name)
        result[name] = {
            "attempts": len(data),
            "successes": int(data.success.sum()),
            "success_rate": float(data.success.mean()),
            "seconds": time.monotonic() - begin,
        }
    return result
