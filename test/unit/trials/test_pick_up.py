"""Picking up and putting back with the daemon and the simulated arm: by friction, judged by the block's true place."""

from __future__ import annotations

import numpy as np
import pytest

from dofbot_ros.core.transforms import rot_z, transform
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.grasp.execution.pick import EmptyHandError, PickPlan, bring_back, pick_up, plan_pick, put_back
from dofbot_ros.grasp.planning.planar_plan import GraspMotionPlanner, PlanarGrasp
from dofbot_ros.safety.workspace import Workspace

from .conftest import DirectArm

PLACE = (0.20, 0.02)


@pytest.fixture
def plan(arm: DirectArm) -> PickPlan:
    arm.prepare()
    for number, name in enumerate(arm.world.block_names):
        arm.world.place(name, transform(translation=(0.3, 0.2 + 0.1 * number, 0.015)))
    robot = arm.daemon.robot
    pinches = GraspMotionPlanner(robot.kinematics, DriverConfig().motion_limits(robot), Workspace(robot.kinematics))
    return plan_pick(pinches, np.zeros(5), PlanarGrasp(*PLACE, 0.5 * np.pi))


def height(arm: DirectArm) -> float:
    return float(arm.world.truth()["red"][2, 3])


@pytest.mark.slow
def test_a_block_is_lifted_held_and_put_back_where_it_was(arm: DirectArm, plan: PickPlan) -> None:
    arm.world.place("red", transform(rot_z(0.1), (*PLACE, 0.015)))
    held = bring_back(arm, pick_up(arm, plan))
    assert held.gap == pytest.approx(0.030, abs=0.004)
    assert height(arm) > 0.3
    put_back(arm, held)
    at = arm.world.truth()["red"]
    assert np.hypot(*(at[:2, 3] - PLACE)) < 0.006
    assert at[2, 3] == pytest.approx(0.015, abs=0.001)
    assert arm.gap > 0.055


@pytest.mark.slow
def test_fingers_that_close_on_nothing_say_so_and_the_arm_is_back(arm: DirectArm, plan: PickPlan) -> None:
    with pytest.raises(EmptyHandError, match=r"missed: the fingers closed on nothing at x 0\.200 y 0\.020 m"):
        pick_up(arm, plan)
    assert arm.gap > 0.055
    np.testing.assert_allclose(arm.world.arm.positions()[:5], 0.0, atol=0.05)


def test_a_refused_motion_ends_it_there(arm: DirectArm, plan: PickPlan) -> None:
    arm.refusals = 1
    with pytest.raises(CommandRefusedError, match="refused for a test"):
        pick_up(arm, plan)
    np.testing.assert_allclose(arm.world.arm.positions()[:5], 0.0, atol=0.05)


@pytest.mark.slow
def test_what_is_lost_on_the_way_up_is_told(arm: DirectArm, plan: PickPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    arm.world.place("red", transform(rot_z(0.1), (*PLACE, 0.015)))
    follow = arm.follow

    def lose(path: object) -> None:
        if path is plan.back:
            arm.world.place("red", transform(translation=(0.3, -0.3, 0.015)))
        follow(path)  # type: ignore[arg-type]

    monkeypatch.setattr(arm, "follow", lose)
    held = pick_up(arm, plan)
    with pytest.raises(EmptyHandError, match=r"slipped: the fingers had \d\d mm between them"):
        bring_back(arm, held)
