"""The faster world that policies learn in: it restarts exactly, and holds blocks by friction."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.core.transforms import transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import ConfigError
from dofbot_ros.policy.env.sim_robot import BLOCK, SimRobot, SimRobotConfig
from dofbot_ros.sim.arm import SimArm
from dofbot_ros.sim.config import CameraConfig, PhysicsConfig, WorldConfig
from dofbot_ros.sim.randomization import RandomizationRanges
from dofbot_ros.sim.world import World


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
