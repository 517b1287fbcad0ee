"""The world repeats itself bit for bit, places blocks where it says, and lets them rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dofbot_ros.core.resources import share_file
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import ConfigError, InputError
from dofbot_ros.sim.arm import SimArm
from dofbot_ros.sim.config import CameraConfig, PhysicsConfig, PlainBlock, SceneConfig, WorldConfig, load_world_config
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.scene import sample_poses
from dofbot_ros.sim.world import World


def drive_into_blocks(world: World, arm: SimArm) -> FloatArray:
    """A second of motion with contact: the arm sweeps through the blocks. Everything there is to compare, flat."""
    start = arm.clock.now()
    rng = np.random.default_rng(3)
    rows = []
    for cycle in range(50):
        arm.write(np.array([np.sin(0.2 * cycle), 1.3, 0.9, 0.4, 0.3, rng.uniform(0, 1.5)]), 0.05)
        arm.clock.sleep_until(start + 0.02 * (cycle + 1))
        rows.append(np.concatenate([world.arm.positions(), *(pose.ravel() for pose in world.truth().values())]))
    return np.array(rows)


def make(seed: int) -> tuple[World, SimArm]:
    world = World(WorldConfig(plain=(PlainBlock("white", (250, 250, 250)),)), seed=seed)
    arm = SimArm(world)
    arm.connect()
    return world, arm


def test_same_seed_same_run_bit_for_bit() -> None:
    world, arm = make(4)
    first = drive_into_blocks(world, arm)
    other = drive_into_blocks(*make(4))
    assert np.ptp(first[:, 6:], axis=0).max() > 0.01, "the arm must move a block, or the test shows nothing"
    assert np.array_equal(first, other)


def test_a_reset_repeats_a_fresh_world_bit_for_bit_and_rendering_changes_nothing() -> None:
    fresh = drive_into_blocks(*make(4))
    world, arm = make(9)
    drive_into_blocks(world, arm)
    SimCamera(world, CameraConfig(width=64, height=48)).render()
    world.reset(4)
    assert np.array_equal(drive_into_blocks(world, arm), fresh)


def test_another_seed_is_another_run() -> None:
    assert not np.array_equal(drive_into_blocks(*make(4)), drive_into_blocks(*make(5)))


def test_reset_does_not_set_the_clock_back() -> None:
    world, arm = make(0)
    arm.clock.sleep_until(0.5)
    world.reset(1)
    assert world.time_s == 0.0
    assert arm.clock.now() == pytest.approx(0.5, abs=0.002)
    arm.clock.sleep_until(0.6)
    assert world.time_s == pytest.approx(0.1, abs=0.002)


def test_blocks_rest_where_they_were_put() -> None:
    world = World(seed=7)
    before = world.truth()
    world.run_until(2.0)
    for name, pose in world.truth().items():
        assert np.abs(pose - before[name]).max() < 2e-4, name


@pytest.mark.parametrize("seed", range(20))
def test_blocks_lie_apart_in_the_sector_flat_on_the_table(seed: int) -> None:
    scene = SceneConfig()
    poses = sample_poses(np.random.default_rng(seed), [0.03] * 5, scene)
    centres = np.array([pose[:2, 3] for pose in poses])
    radius, azimuth = np.hypot(*centres.T), np.arctan2(centres[:, 1], centres[:, 0])
    assert np.all((radius >= scene.radius[0]) & (radius <= scene.radius[1]))
    assert np.all(np.abs(azimuth) <= scene.azimuth)
    distances = np.linalg.norm(centres[:, None] - centres[None], axis=-1)[np.triu_indices(5, 1)]
    assert distances.min() >= scene.spacing
    for pose in poses:
        assert pose[2, 3] == 0.015
        assert np.linalg.det(pose[:3, :3]) == pytest.approx(1.0)
        assert np.sort(np.abs(pose[2, :3])) == pytest.approx([0, 0, 1], abs=1e-12)


@pytest.mark.parametrize("seed", [87, 161, 189])
def test_blocks_that_leave_no_room_for_the_last_are_put_anew(seed: int) -> None:
    scene = load_world_config(share_file("config", "sim_grasp.yaml")).scene
    centres = np.array([pose[:2, 3] for pose in sample_poses(np.random.default_rng(seed), [0.03] * 3, scene)])
    assert np.linalg.norm(centres[:, None] - centres[None], axis=-1)[np.triu_indices(3, 1)].min() >= scene.spacing


def test_every_face_and_every_yaw_comes_up() -> None:
    rng = np.random.default_rng(0)
    ups, yaws = set(), []
    for _ in range(200):
        pose = sample_poses(rng, [0.03], SceneConfig())[0]
        axis = int(np.argmax(np.abs(pose[2, :3])))
        ups.add((axis, np.sign(pose[2, axis])))
        side = pose[:2, (axis + 1) % 3]
        yaws.append(np.arctan2(side[1], side[0]))
    assert len(ups) == 6
    assert np.histogram(yaws, bins=8, range=(-np.pi, np.pi))[0].min() > 5


def test_scatter_moves_the_blocks_and_nothing_else() -> None:
    world, arm = make(0)
    arm.write(np.array([0.4, 0.1, 0.1, 0.1, 0.0, 0.5]), 0.2)
    arm.clock.sleep_until(0.4)
    joints, time_s = world.arm.positions(), world.time_s
    world.scatter(11)
    assert np.array_equal(world.arm.positions(), joints)
    assert world.time_s == time_s
    fresh = World(WorldConfig(plain=(PlainBlock("white", (250, 250, 250)),)), seed=11).truth()
    for name, pose in world.truth().items():
        assert pose == pytest.approx(fresh[name], abs=1e-12)


def test_shipped_configuration_is_the_default() -> None:
    assert load_world_config() == WorldConfig()


def test_too_many_blocks_are_refused() -> None:
    config = WorldConfig(scene=replace(SceneConfig(), spacing=0.2))
    with pytest.raises(ConfigError, match=r"do not fit.*fewer blocks"):
        World(config)


def test_unknown_names_list_the_valid_ones() -> None:
    with pytest.raises(ConfigError, match="did you mean red"):
        World(WorldConfig(marked=("rad",)))
    with pytest.raises(InputError, match="did you mean blue"):
        World().place("blu", np.eye(4))
    with pytest.raises(InputError, match="did you mean link5"):
        World().arm.link_pose("linkk5")


def test_a_closed_world_may_be_closed_again() -> None:
    world = World()
    world.close()
    world.close()


def test_worlds_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match="multiple of servo_hz"):
        PhysicsConfig(step_hz=480, servo_hz=100)
    with pytest.raises(ConfigError, match="block_friction must be at least 0"):
        PhysicsConfig(block_friction=-0.1)
    with pytest.raises(ConfigError, match="two blocks are called red"):
        WorldConfig(plain=(PlainBlock("red", (255, 0, 0)),))
    with pytest.raises(ConfigError, match="6 joint angles"):
        WorldConfig(start=(0.0,))
