"""Grasps on a desk: the arm and camera are the desk's, scenes repeat themselves, a rehearsal is refused."""

from __future__ import annotations

import numpy as np
import pytest

from dofbot_ros.errors import InputError
from dofbot_ros.grasp.learning.collect import CollectConfig, try_one
from dofbot_ros.grasp.planning.planar_plan import PlanarGrasp
from dofbot_ros.grasp.simulation.families import families_of
from dofbot_ros.grasp.simulation.grasp_sim import GraspSim
from dofbot_ros.grasp.simulation.scenes import SceneRules

pytest.importorskip("pybullet")


def test_each_scene_is_on_an_installation_of_its_own_and_repeats_itself() -> None:
    with GraspSim(families_of("train"), desk="typical") as cell:
        first = cell.make(11)
        arm, blocks = cell.maker.world.config.arm, cell.maker.world.config.blocks
        places = cell.positions(first)
        cell.make(12)
        assert cell.maker.world.config.arm != arm
        again = cell.make(11)
        assert cell.maker.world.config.arm == arm
        assert cell.maker.world.config.blocks == blocks
        assert np.array_equal(cell.positions(again), places)
        assert np.array_equal(first.image, again.image)


@pytest.mark.slow
def test_the_arm_of_a_careful_owner_lifts_a_thing_that_it_knows() -> None:
    with GraspSim(families_of("kit"), desk="careful") as cell:
        outcomes = []
        for seed in range(4):
            scene = cell.make(seed)
            x, y = cell.positions(scene)[0, :2]
            outcomes.append(cell.grasp(scene, cell.plan(PlanarGrasp(float(x), float(y), 0.5 * np.pi))).outcome)
        assert outcomes.count("lifted") >= 3, outcomes


@pytest.mark.slow
def test_several_pictures_show_one_scene_over_other_tables() -> None:
    rules = SceneRules(looks=3)
    with GraspSim(families_of("kit"), rules, desk="typical:calibrated") as cell:
        config = CollectConfig("kit", rules=rules, desk="typical:calibrated")
        scene, action, success, _ = try_one(cell, config, None, 0)
        again, *others = try_one(cell, config, None, 0)
    assert len(scene.others) == 2
    assert not np.array_equal(scene.image, scene.others[0])
    assert all(np.array_equal(a, b) for a, b in zip(scene.others, again.others, strict=True))
    assert (action, success) == tuple(others[:2])
    assert config.meta()["desk"] == "typical:calibrated"
    with pytest.raises(InputError, match="whose cameras are not where they are believed"):
        GraspSim(families_of("kit"), rules, desk="typical")


def test_a_rehearsal_has_no_desk() -> None:
    with pytest.raises(InputError, match="a rehearsal has a world of its own"):
        GraspSim(families_of("train"), rehearsal=True, desk="rough")
