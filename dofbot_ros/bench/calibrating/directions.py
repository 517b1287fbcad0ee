"""How often a camera tells which way a joint of the simulated arm turned, rightly and wrongly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from dofbot_ros.arm.model import load_model
from dofbot_ros.calibration.directions import STEP_RAD, UPRIGHT_RAD
from dofbot_ros.core.transforms import exp_so3, transform
from dofbot_ros.core.types import GRIP, JOINT_NAMES
from dofbot_ros.grasp.sight.joint_motion import MovingArm
from dofbot_ros.sim.config import load_world_config
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.world import World

CAMERAS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "over the table": ((0.19, 0.0, 0.58), (0.19, 0.0, 0.0), (1.0, 0.0, 0.0)),
    "at a corner": ((0.5, 0.5, 0.45), (0.0, 0.0, 0.22), (0.0, 0.0, 1.0)),
}
"""Where it stands, what it looks at, what is up in its picture [m]."""
BESIDE_M, BESIDE_RAD = 0.01, 0.03
"""The camera is told at most so far beside where it is, along and about each axis."""
NOISE = 2.0
"""Of the pictures [grey levels of 255]."""


def measure(steps: int, seed: int, tell: Callable[[int], None] = lambda _: None) -> dict[str, Any]:
    """Turn joints at random, of arms that stand up to UPRIGHT_RAD from upright and are mirrored where a sign is wrong.

    Args:
        steps: of each camera.
        seed: of all draws.
        tell: called with how many steps are done.

    Returns:
        by camera: steps, and how many of them it told rightly, wrongly, and not.
    """
    rng, done, result = np.random.default_rng(seed), 0, {}
    for name, (position, target, up) in CAMERAS.items():
        config = load_world_config()
        camera = replace(config.camera, position=position, target=target, up=up, noise=NOISE)
        world = World(replace(config, camera=camera), seed)
        try:
            sim, counts = SimCamera(world), {"steps": steps, "right": 0, "wrong": 0, "silent": 0}
            for _ in range(steps):
                counts[_step(world, sim, rng)] += 1
                done += 1
                tell(done)
        finally:
            world.close()
        result[name] = counts
    return result


def _step(world: World, sim: SimCamera, rng: np.random.Generator) -> str:
    away = exp_so3(rng.uniform(-BESIDE_RAD, BESIDE_RAD, 3)), rng.uniform(-BESIDE_M, BESIDE_M, 3)
    moving = MovingArm(load_model(), sim.intrinsics, sim.pose() @ transform(*away))
    believed = np.append(rng.uniform(-UPRIGHT_RAD, UPRIGHT_RAD, GRIP), 0.5)
    signs = np.append(rng.choice([1.0, -1.0], GRIP), 1.0)
    joint, true = int(rng.integers(len(JOINT_NAMES))), signs * believed
    # Of the fingers no sign can be wrong: a horn that is mounted otherwise moves them the other way.
    sign = signs[joint] if joint != GRIP else rng.choice([1.0, -1.0])
    after = true.copy()
    after[joint] += sign * STEP_RAD
    pictures = []
    for joints in (true, after):
        world.arm.teleport(joints)
        pictures.append(sim.render())
    seen = moving.judge(pictures[0], pictures[1], believed, joint, STEP_RAD).right
    return "silent" if seen is None else "right" if seen == (sign > 0.0) else "wrong"
