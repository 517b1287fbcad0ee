"""How fast the simulation runs with its control loop, and how long its camera takes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.arm.robot import DRAWN
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.transforms import transform
from dofbot_ros.core.types import FloatArray, ToolPose
from dofbot_ros.sim.arm import SimArm
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.world import World

CONTROL_HZ = 50.0
SIZES = ((64, 64), (224, 224), (640, 480))


def measure(seconds: float = 10.0, renders: int = 20) -> dict[str, Any]:
    """Run the arm with servo models and a 50 Hz loop that reads and writes all joints; then render.

    Args:
        seconds: simulated time of each run [s].
        renders: pictures of each size.

    Returns:
        `step_hz`; `moving` (free motion above the table) and `holding` (with a block between the fingers), each with
        `steps_per_s` and `real_time_factor`; `render_ms`, the median of each size, with the shipped supersampling.
    """
    world = World()
    moving = _pace(world, seconds, np.array([0.0, 0.3, 0.6, 0.8, 0.0, 0.5]))
    holding = _pace(world, seconds, _grasp(world))
    return {
        "step_hz": world.config.physics.step_hz,
        "moving": moving,
        "holding": holding,
        "render_ms": {f"{width}x{height}": _render_ms(world, width, height, renders) for width, height in SIZES},
    }


def _pace(world: World, seconds: float, around: FloatArray) -> dict[str, float]:
    """Swing to and fro around a pose."""
    arm = SimArm(world)
    arm.connect()
    rate, start, wall = Rate(arm.clock, CONTROL_HZ), arm.clock.now(), time.perf_counter()
    while (t := arm.clock.now() - start) < seconds:
        arm.read()
        swing = np.sin(2.0 * t) * np.array([0.4, 0.1, 0.1, 0.1, 0.0, 0.0])
        arm.write(around + swing, rate.period_s)
        rate.wait()
    factor = seconds / (time.perf_counter() - wall)
    return {"steps_per_s": factor * world.config.physics.step_hz, "real_time_factor": factor}


def _grasp(world: World) -> FloatArray:
    """Close the fingers around a block on the table. Returns joint angles that hold it clear of the table."""
    grasp = DRAWN.kinematics.solve(ToolPose(0.2, 0.0, 0.014, np.radians(160)))
    world.arm.teleport(np.append(grasp, gap_to_joint(0.055)))
    world.place(world.block_names[0], transform(None, (0.2, 0.0, 0.015)))
    arm = SimArm(world)
    arm.connect()
    closed = np.append(grasp, gap_to_joint(0.026))
    arm.write(closed, 0.4)
    arm.clock.sleep_until(arm.clock.now() + 0.8)
    lifted = closed - [0.0, 0.5, 0.0, 0.0, 0.0, 0.0]
    arm.write(lifted, 0.5)
    arm.clock.sleep_until(arm.clock.now() + 0.7)
    return lifted


def _render_ms(world: World, width: int, height: int, renders: int) -> float:
    camera = SimCamera(world, world.config.camera.sized(width, height))
    times = []
    for _ in range(renders):
        start = time.perf_counter()
        camera.render()
        times.append(time.perf_counter() - start)
    return 1000.0 * float(np.median(times))
