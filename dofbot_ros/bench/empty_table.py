"""How likely the best grasp is to hold, by the networks, on bare tables and with objects: where to draw the line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.progress import track

from dofbot_ros.core.console import console
from dofbot_ros.core.types import FloatArray, ImageArray

if TYPE_CHECKING:
    from dofbot_ros.grasp.detection.view import TopDownView
    from dofbot_ros.sim.world import World

TABLES = {
    "bare, plain": (0, 0.0),
    "bare, textured": (0, 1.0),
    "one object": (1, 0.5),
    "five objects": (5, 0.5),
}
"""Kind of table -> objects on it, and share of the tables with a texture."""


def measure(scenes: int = 200, seed: int = 0, model: Path | None = None) -> dict[str, Any]:
    """Draw tables with everything random that training draws at random; objects of the training and held-out families.

    Args:
        scenes: of each kind of table.
        seed: of the first.
        model: a training run's folder or an .onnx file; None for the shipped network.

    Returns:
        For each kind the 0th, 1st, 50th, 99th and 100th percentile of the best grasp's chance, 0..1, and the share of
        tables taken for one with an object at the line that grasp_node draws by default (`line`).
    """
    from dofbot_ros.grasp.detection.detector import MIN_CHANCE
    from dofbot_ros.grasp.detection.model_io import load_model
    from dofbot_ros.grasp.detection.planner import NetworkPlanner
    from dofbot_ros.grasp.simulation.families import SPLITS
    from dofbot_ros.grasp.simulation.scenes import SceneMaker, SceneRules

    planner = NetworkPlanner(load_model(model))
    families, view = {**SPLITS["train"], **SPLITS["heldout"]}, planner.model.info.view
    result: dict[str, Any] = {"line": MIN_CHANCE, "scenes": scenes}

    def look(kind: str, take: Callable[[int], ImageArray]) -> None:
        found = []
        for number in track(range(scenes), kind, console=console, transient=True):
            found.append(planner.candidates(take(seed + number), view)[0].chance)
        result[kind] = _summary(np.array(found), MIN_CHANCE)

    for kind, (objects, texture) in TABLES.items():
        rules = SceneRules(objects=objects, view=view)
        maker = SceneMaker(families, replace(rules, ranges=replace(rules.ranges, table_texture=texture)))
        look(kind, lambda number: maker.make(number).image)  # noqa: B023
        maker.close()
    look("bare, arm in view", partial(_with_arm, _bare_world(), view))
    return result


def _bare_world() -> World:
    from dofbot_ros.sim.config import WorldConfig
    from dofbot_ros.sim.world import World

    return World(WorldConfig(marked=()))


def _with_arm(world: World, view: TopDownView, seed: int) -> ImageArray:
    """The view of a bare table with the arm in some pose that covers a part of it."""
    from dofbot_ros.arm.robot import DRAWN
    from dofbot_ros.grasp.detection.clear_view import arm_hides
    from dofbot_ros.safety.workspace import Workspace
    from dofbot_ros.sim.rendering.camera import SimCamera

    rng, kinematics, camera = np.random.default_rng(seed), DRAWN.kinematics, SimCamera(world)
    workspace = Workspace(kinematics)
    while True:
        q = np.append(rng.uniform(kinematics.lower, kinematics.upper), rng.uniform(0.0, 0.5 * np.pi))
        if workspace.clearances(q).min() >= 0.0 and arm_hides(kinematics, q, view, camera.pose()):
            world.arm.teleport(q)
            return view.rectify(camera.render(), camera.intrinsics, camera.pose())


def _summary(chance: FloatArray, line: float) -> dict[str, Any]:
    percentiles = np.percentile(chance, [0, 1, 50, 99, 100])
    names = ("min", "p1", "median", "p99", "max")
    return {
        **{name: float(value) for name, value in zip(names, percentiles, strict=True)},
        "taken_for_occupied": float((chance >= line).mean()),
    }
