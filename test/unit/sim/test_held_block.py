"""A block that somebody fixed between the fingers goes where the hand goes, and touches nothing of the arm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("pybullet")

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.core.transforms import exp_so3, invert, log_so3, transform
from dofbot_ros.errors import ConfigError
from dofbot_ros.sim.arm import SimArm
from dofbot_ros.sim.config import HeldBlock, WorldConfig
from dofbot_ros.sim.world import World

GRIP = float(gap_to_joint(0.030))
HELD = HeldBlock("red", (0.001, -0.001, 0.0005), (0.01, 0.03, -0.01))
HOLDING = WorldConfig(marked=("red", "blue"), held=HELD, start=(0.0, 0.0, 0.0, 0.0, 0.0, GRIP))


def astray(world: World) -> tuple[float, float]:
    """How far the block is from where it was fixed [m], [rad]."""
    wanted = world.arm.link_pose("tool_link") @ transform(exp_so3(np.array(HELD.turn)), HELD.position)
    apart = invert(wanted) @ world.truth()["red"]
    return float(np.linalg.norm(apart[:3, 3])), float(np.linalg.norm(log_so3(apart[:3, :3])))


def test_it_goes_where_the_hand_goes() -> None:
    world = World(HOLDING)
    arm = SimArm(world)
    arm.connect()
    here = np.array([*np.zeros(5), GRIP])
    try:
        for goal in (np.array([0.6, 0.5, -0.4, 0.3, 0.7, GRIP]), np.array([-0.7, 0.2, 0.6, 0.4, -0.5, GRIP])):
            for share in np.linspace(0.0, 1.0, 60):
                arm.write(here + share * (goal - here), 0.02)
                arm.clock.sleep_until(arm.clock.now() + 0.02)
                assert astray(world)[0] < 2e-4
            here = goal
            arm.clock.sleep_until(arm.clock.now() + 0.5)
            metres, radians = astray(world)
            assert metres < 5e-5
            assert radians < 2e-4
            # Fixed to the hand it does not push the arm away: the servos' steps and play alone keep it off its goal.
            assert np.abs(arm.read().position - goal).max() < 0.012
        world.reset(1)
        assert astray(world)[0] < 1e-6
        world.rewind(2)
        assert astray(world)[0] < 1e-6
        assert world.truth()["blue"][2, 3] == pytest.approx(0.015, abs=1e-3)
    finally:
        world.close()


def test_a_block_that_is_not_there_cannot_be_held() -> None:
    with pytest.raises(ConfigError, match="held block 'green' is not one of red, blue"):
        replace(HOLDING, held=replace(HELD, name="green"))
