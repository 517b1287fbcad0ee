"""A block is held by friction and finger force alone: it can be lifted, shaken and dropped."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from dofbot_ros.arm.gripper import gap_to_joint, joint_to_gap
from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.transforms import invert, rot_z, transform
from dofbot_ros.core.types import GRIP, FloatArray, ToolPose
from dofbot_ros.errors import UnreachableError
from dofbot_ros.sim.arm import SimArm
from dofbot_ros.sim.config import WorldConfig
from dofbot_ros.sim.world import World

BLOCK = "red"
OPEN_M, CLOSE_M = 0.058, 0.026
GRASP_Z, LIFT_Z = 0.014, 0.10


@dataclass
class PickStrategy:
    """Moves straight ahead at one radius, tool as upright as the reach allows."""

    world: World
    arm: SimArm
    radius: float

    def solve(self, z: float) -> FloatArray:
        for tilt in np.radians(np.arange(5, 70)):
            try:
                return Kinematics().solve(ToolPose(self.radius, 0.0, z, np.pi - tilt))
            except UnreachableError:
                continue
        raise AssertionError(f"out of reach: radius {self.radius}, z {z}")

    def go(self, q: FloatArray, gap: float, seconds: float) -> None:
        self.arm.write(np.append(q, gap_to_joint(gap)), seconds)
        self.arm.clock.sleep_until(self.arm.clock.now() + seconds + 0.05)

    def path(self, start: float, end: float, gap: float) -> None:
        for z in np.linspace(start, end, 8):
            self.go(self.solve(z), gap, 0.15)

    def pick(self, close_m: float = CLOSE_M) -> None:
        self.go(self.solve(0.06), OPEN_M, 1.5)
        self.path(0.06, GRASP_Z, OPEN_M)
        self.go(self.solve(GRASP_Z), close_m, 0.6)
        self.path(GRASP_Z, LIFT_Z, close_m)
        self.go(self.solve(LIFT_Z), close_m, 0.3)

    def shake(self) -> None:
        for side in (1, -1) * 4:
            q = self.solve(LIFT_Z)
            q[0] += 0.2 * side
            self.go(q, CLOSE_M, 0.12)
        self.go(self.solve(LIFT_Z), CLOSE_M, 0.3)

    def in_hand(self) -> FloatArray:
        return invert(self.world.arm.link_pose("tool_link")) @ self.world.truth()[BLOCK]

    def height(self) -> float:
        return float(self.world.truth()[BLOCK][2, 3])


def make(radius: float = 0.2, yaw: float = 0.0, config: WorldConfig | None = None) -> PickStrategy:
    world = World(replace(config or WorldConfig(), marked=(BLOCK,)))
    world.place(BLOCK, transform(rot_z(yaw), (radius, 0.0, 0.015)))
    arm = SimArm(world)
    arm.connect()
    return PickStrategy(world, arm, radius)


@pytest.mark.slow
@pytest.mark.parametrize(("radius", "yaw"), [(0.16, 0.0), (0.2, 0.15), (0.2, np.pi / 2), (0.26, -0.1)])
def test_a_block_is_lifted_and_survives_shaking(radius: float, yaw: float) -> None:
    strategy = make(radius, yaw)
    strategy.pick()
    assert strategy.height() > 0.085
    before = strategy.in_hand()
    strategy.shake()
    moved = strategy.in_hand() - before
    assert np.linalg.norm(moved[:3, 3]) < 2e-3
    assert strategy.height() > 0.085


def test_nothing_but_gears_binds_the_arm_to_anything() -> None:
    strategy = make()
    strategy.pick()
    client, arm = strategy.world.client, strategy.world.arm.body
    for number in range(client.getNumConstraints()):
        parent, _, child, _, kind = client.getConstraintInfo(client.getConstraintUniqueId(number))[:5]
        assert (parent, child, kind) == (arm, arm, client.JOINT_GEAR)


def test_without_friction_the_block_stays_on_the_table() -> None:
    config = WorldConfig()
    strategy = make(config=replace(config, physics=replace(config.physics, block_friction=0.002)))
    strategy.pick()
    assert strategy.height() < 0.02


def test_opening_drops_the_block() -> None:
    strategy = make()
    strategy.pick()
    assert strategy.height() > 0.085
    strategy.go(strategy.solve(LIFT_Z), OPEN_M, 0.4)
    strategy.go(strategy.solve(LIFT_Z), OPEN_M, 0.5)
    assert strategy.height() == pytest.approx(0.015, abs=2e-3)


def test_fingers_stop_at_the_block_with_the_servos_force_and_stay_parallel() -> None:
    strategy = make()
    strategy.go(strategy.solve(0.06), OPEN_M, 1.5)
    strategy.path(0.06, GRASP_Z, OPEN_M)
    strategy.go(strategy.solve(GRASP_Z), CLOSE_M, 1.0)
    world = strategy.world
    assert joint_to_gap(world.arm.positions()[GRIP]) == pytest.approx(0.030, abs=1e-3)
    sides = [world.arm.link_pose(f"{side}_finger")[:3, :3] for side in ("left", "right")]
    assert sides[0] == pytest.approx(world.arm.link_pose("link5")[:3, :3], abs=2e-2)
    assert sides[1] == pytest.approx(sides[0], abs=2e-2)
    contacts = world.client.getContactPoints(world.arm.body)
    squeeze = sum(c[9] for c in contacts)
    # Virtual work: torque = 2 F 30 mm sin(q), on either side.
    expected = world.config.physics.grip_torque / (0.030 * np.sin(gap_to_joint(0.030)))
    assert squeeze == pytest.approx(expected, rel=0.15)


@pytest.mark.slow
def test_a_gripper_that_squeezes_too_hard_for_too_long_lets_go() -> None:
    strategy = make()
    strategy.pick(close_m=0.010)
    assert strategy.height() > 0.085
    strategy.go(strategy.solve(LIFT_Z), 0.010, 4.0)
    health = strategy.arm.read().health[GRIP]
    assert health.overloaded


@pytest.mark.slow
def test_a_block_askew_is_held_for_long_when_the_grip_follows_what_was_felt() -> None:
    strategy = make(yaw=0.5)
    strategy.pick()
    measured_grip = joint_to_gap(strategy.arm.read().position[GRIP])
    assert measured_grip > 0.032, "the block must sit askew, or the test shows nothing"
    strategy.go(strategy.solve(LIFT_Z), measured_grip - 0.004, 0.3)
    strategy.arm.clock.sleep_until(strategy.arm.clock.now() + 5.0)
    assert strategy.height() > 0.085
    assert not strategy.arm.read().health[GRIP].overloaded


def test_empty_fingers_close_and_their_tips_travel_along_the_tool() -> None:
    strategy = make()
    strategy.world.place(BLOCK, transform(None, (0.0, 0.25, 0.015)))
    reached = {}
    for gap in (0.060, 0.030, 0.0):
        strategy.go(strategy.solve(0.1), gap, 0.8)
        strategy.go(strategy.solve(0.1), gap, 0.3)
        tool = invert(strategy.world.arm.link_pose("link5")) @ strategy.world.arm.link_pose("left_finger")
        reached[gap] = float(tool[2, 3])
    assert reached[0.030] - reached[0.060] == pytest.approx(0.030 * np.sin(np.pi / 3), abs=1e-3)
    assert reached[0.0] - reached[0.060] == pytest.approx(0.030, abs=1e-3)
