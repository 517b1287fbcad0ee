"""Grasps on a desk: the arm and camera are the desk's, scenes repeat themselves, a rehearsal is refused."""

from __future__ import annotations

import numpy as np
import pytest

from dofbot_ros.errors import InputError
from dofbot_ros.grasp.planning.planar_plan import PlanarGrasp
from dofbot_ros.grasp.simulation.families import families_of
from dofbot_ros.grasp.simulation.grasp_sim import GraspSim

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


def test_the_arm_of_a_careful_owner_lifts_a_thing_that_it_knows() -> None:
    with GraspSim(families_of("kit"), desk="careful") as cell:
        outcomes = []
        for seed in range(4):
            scene = cell.make(seed)
            x, y = cell.positions(scene)[0, :2]
            outcomes.append(cell.grasp(scene, cell.plan(PlanarGrasp(float(x), float(y), 0.5 * np.pi))).outcome)
        assert outcomes.count("lifted") >= 3, outcomes


def test_a_rehearsal_has_no_desk() -> None:
    with pytest.raises(InputError, match="a rehearsal has a world of its own"):
        GraspSim(families_of("train"), rehearsal=True, desk="rough")
