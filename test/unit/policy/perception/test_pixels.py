"""Small pictures are those of the camera made small, and their looks are drawn, logged and repeatable."""

from __future__ import annotations

import numpy as np

from dofbot_ros.policy.env.sim_robot import SimRobotConfig
from dofbot_ros.policy.perception.pixels import WIDTH, PolicyCamera, shrunk
from dofbot_ros.sim.config import WorldConfig
from dofbot_ros.sim.randomization import RandomizationRanges, load_level
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.world import World


def test_the_policys_picture_is_the_cameras_made_small() -> None:
    world = World(WorldConfig(marked=("red",)), seed=1)
    large = SimCamera(world).render()
    small = PolicyCamera(world, None).render()
    assert small.shape == (96, WIDTH, 3)
    difference = np.abs(shrunk(large, WIDTH).astype(float) - small)
    # The same light and shapes; edges and the table's fine grid are sampled differently.
    assert difference.mean() < 3.0
    assert np.mean(difference > 40) < 0.02
    world.close()


def test_looks_are_drawn_and_repeat_themselves() -> None:
    ranges = RandomizationRanges(
        table_texture=(0.5, 0.5), picture_noise=(4.0, 4.0), other_block=(1.0, 1.0), block_size=(0.034, 0.034)
    )
    base = SimRobotConfig(marked="red").world()
    draws = [ranges.draw(np.random.default_rng(seed)) for seed in range(12)]
    worlds = [draw.world(base) for draw in draws]
    assert {world.marked for world in worlds} >= {()}
    assert len({world.marked for world in worlds}) >= 3
    assert len({world.plain[0].colour for world in worlds if world.plain}) >= 3
    assert all(world.marked_size == 0.034 for world in worlds if world.marked)
    assert all(world.plain[0].size == 0.034 for world in worlds if world.plain)
    textures = [draw.texture() for draw in draws]
    first = draws[0].texture()
    assert first is not None
    assert textures[0] is not None
    assert textures[1] is not None
    assert np.array_equal(first, textures[0])
    assert not np.array_equal(textures[0], textures[1])
    assert draws[0].to_log()["table_texture"] == 0.5


def test_without_randomisation_pictures_are_clean() -> None:
    draw = load_level("none").draw(np.random.default_rng(0))
    base = SimRobotConfig(marked="red").world()
    world = draw.world(base)
    assert (world.marked, world.plain, world.marked_size) == (("red",), (), 0.030)
    assert draw.texture() is None
    assert draw.camera(base.camera).noise == 0.0


def test_new_looks_leave_the_physics_of_an_episode_as_they_were() -> None:
    plain, dressed = (
        RandomizationRanges(table_texture=(0.0, texture)).draw(np.random.default_rng(3)) for texture in (0.0, 0.5)
    )
    assert plain.seed == dressed.seed
    assert plain.block_density == dressed.block_density
