"""The faster world that policies learn in: it restarts exactly, and holds blocks by friction."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.core.transforms import transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import ConfigError, InputError
from dofbot_ros.policy.env.sim_robot import BLOCK, FAST, FREE, NEAR, SimRobot, SimRobotConfig
from dofbot_ros.sim.arm import SimArm
from dofbot_ros.sim.config import CameraConfig, PhysicsConfig, WorldConfig
from dofbot_ros.sim.randomization import RandomizationRanges
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.world import World

IN_THE_WAY = transform(None, (0.24, 0.10, 0.015))
"""A place of the block that ploughed() comes by."""


@pytest.fixture
def sim() -> Iterator[SimRobot]:
    made = SimRobot(SimRobotConfig())
    yield made
    made.world.close()


def ploughed(world: World) -> FloatArray:
    """Joints and block while the arm ploughs through the table's middle."""
    arm = SimArm(world)
    arm.connect()
    rows = []
    for q4 in np.linspace(1.3, 0.6, 12):
        arm.write(np.array([0.4 * q4, 1.0, 0.7, q4, 0.3, 0.5]), 0.1)
        arm.clock.sleep_until(arm.clock.now() + 0.1)
        rows.append(np.append(world.arm.positions(), world.truth()[BLOCK][:3, 3]))
    return np.array(rows)


def test_a_rewound_world_runs_like_a_reset_one(sim: SimRobot) -> None:
    world = sim.world
    world.reset(5)
    fresh = ploughed(world)
    for other in (6, 7):
        world.rewind(other)
        ploughed(world)
        world.rewind(5)
        assert np.array_equal(ploughed(world), fresh)


@pytest.mark.slow
@pytest.mark.parametrize("radius", [0.17, 0.20, 0.24])
def test_a_block_is_held_by_friction_alone(sim: SimRobot, radius: float) -> None:
    def lift(friction: float) -> float:
        draw = RandomizationRanges(block_friction=(friction, friction)).draw(np.random.default_rng(0))

        def joints(z: float, gap: float) -> list[float]:
            q = sim.map.solve(radius, z)
            assert q is not None
            return [0.0, *q, 0.0, gap_to_joint(gap)]

        sim.reset(draw, joints(0.07, 0.06), seed=0)
        sim.world.place(BLOCK, transform(None, (radius, 0.0, 0.015)))
        for z, gap, periods in ((0.015, 0.06, 40), (0.015, 0.024, 40), (0.09, 0.024, 60)):
            for _ in range(periods):
                sim.step(joints(z, gap))
        return sim.true_block()[0][2]

    assert lift(0.8) > 0.06
    assert lift(0.002) < 0.03


def test_a_rewind_brings_the_engine_back(sim: SimRobot) -> None:
    world = sim.world
    world.reset(5)
    world.place(BLOCK, IN_THE_WAY)
    fresh = ploughed(world)
    for again in (world.rewind, world.reset):
        again(6)
        world.set_solver_iterations(FREE)
        ploughed(world)
        again(5)
        world.place(BLOCK, IN_THE_WAY)
        assert np.array_equal(ploughed(world), fresh)


def test_without_the_engine_nothing_but_the_arm_moves(sim: SimRobot) -> None:
    world = sim.world
    world.set_solver_iterations(FREE)
    world.place(BLOCK, transform(None, (0.2, 0.0, 0.1)))
    before = world.truth()[BLOCK]
    assert np.ptp(ploughed(world)[:, :6], axis=0).max() > 0.2
    assert np.array_equal(world.truth()[BLOCK], before)
    world.set_solver_iterations(NEAR)
    world.run_until(world.now_s + 0.8)
    assert world.truth()[BLOCK][2, 3] == pytest.approx(0.015, abs=1e-3)


def test_the_engine_is_set_at_a_servo_tick(sim: SimRobot) -> None:
    sim.world.step()
    with pytest.raises(InputError, match="servo tick"):
        sim.world.set_solver_iterations(FREE)


def swung(iterations: int) -> FloatArray:
    """Joints (periods, 6) [rad] of an arm that swings through the air; 0 iterations: without the engine."""
    world = World(WorldConfig(marked=(), physics=FAST, start=(0.0, 0.2, 1.0, 1.1, 0.0, 0.5)))
    world.set_solver_iterations(iterations)
    arm, rows = SimArm(world), []
    arm.connect()
    for period in range(80):
        swing = 0.4 * np.sin(0.15 * period)
        arm.write(np.array([swing, 0.2 + swing, 1.0 - swing, 1.1, swing, 0.5 + swing]), 0.04)
        world.run_until(world.now_s + 0.04)
        rows.append(world.arm.positions())
    world.close()
    return np.array(rows)


def test_through_the_air_the_arm_moves_without_the_engine_as_with_one_that_takes_its_time() -> None:
    slow = swung(2000)
    assert np.abs(swung(FREE) - slow).max() < 1e-4
    assert np.abs(swung(NEAR) - slow).max() > 0.01


def test_pictures_and_frames_follow_a_gliding_arm(sim: SimRobot) -> None:
    world = sim.world
    camera = SimCamera(world, CameraConfig().sized(64, 48))
    world.set_solver_iterations(FREE)
    arm = SimArm(world)
    arm.connect()
    arm.write(np.array([0.8, 0.4, 0.6, 0.5, 0.3, 0.8]), 0.5)
    world.run_until(world.now_s + 0.3)
    gliding = camera.render(), world.arm.link_pose("left_finger")
    world.arm.teleport(world.arm.positions())
    assert np.array_equal(camera.render(), gliding[0])
    assert np.allclose(world.arm.link_pose("left_finger"), gliding[1], atol=1e-9)


def test_the_engine_takes_over_from_a_glide_without_a_jolt(sim: SimRobot) -> None:
    draw = RandomizationRanges().draw(np.random.default_rng(0))
    sim.reset(draw, [0.0, 0.1, 1.0, 1.2, 0.0, 0.3], seed=0)
    world, speeds = sim.world, []
    arm = SimArm(world)
    arm.connect()
    arm.write(np.array([1.0, 0.1, 1.0, 1.2, 0.0, 0.3]), 1.0)
    world.set_solver_iterations(FREE)
    for period in range(20):
        if period == 10:
            world.set_solver_iterations(NEAR)
        before = world.arm.positions()
        world.run_until(world.now_s + 0.02)
        speeds.append(float((world.arm.positions() - before)[0]) / 0.02)
    assert speeds[5:] == pytest.approx([speeds[5]] * 15, rel=0.03)


def test_a_lean_arm_moves_as_the_whole_one() -> None:
    runs = []
    for lean in (False, True):
        world = World(WorldConfig(marked=(), lean=lean))
        arm = SimArm(world)
        arm.connect()
        arm.write(np.array([0.5, 0.4, 0.6, 0.5, 0.3, 0.8]), 0.8)
        arm.clock.sleep_until(arm.clock.now() + 0.5)
        runs.append(world.arm.positions())
        world.close()
    assert runs[0] == pytest.approx(runs[1], abs=2e-3)


def test_a_world_that_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="substeps"):
        PhysicsConfig(step_hz=150, servo_hz=50, substeps=2)
    with pytest.raises(ConfigError, match="wrist"):
        WorldConfig(lean=True, camera=CameraConfig(mount="wrist"))
