"""The gripper is measured by an arm in a simulated world: daemon, servos, physics and localiser as they are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION
from dofbot_ros.arm.robot import Robot
from dofbot_ros.calibration.hand.gap import Closing, fit_gap
from dofbot_ros.calibration.hand.procedure import CLOSINGS, close_on
from dofbot_ros.desks.installation import install
from dofbot_ros.errors import CalibrationError
from dofbot_ros.grasp.planning.block_plan import BlockPlan
from dofbot_ros.sim.arrangement import Arrangement
from dofbot_ros.sim.config import load_world_config
from dofbot_ros.trials.direct import DirectArm
from dofbot_ros.trials.strategies.markers import ArucoStrategy

HIDDEN_TICKS = 24


@pytest.mark.slow
def test_closing_on_a_block_tells_the_hidden_zero_of_servo_6() -> None:
    made = install("own", 0, replace(load_world_config(), marked=("red",), plain=()))
    believed = DEFAULT_CALIBRATION.grip_joint
    servo = replace(
        believed, zero_ticks=believed.zero_ticks + HIDDEN_TICKS, min_ticks=believed.min_ticks + HIDDEN_TICKS
    )
    arm = DirectArm(replace(made, calibration=replace(made.calibration, grip_joint=servo)))
    strategy = ArucoStrategy(made.belief.blocks, Robot.calibrated())

    def plan() -> BlockPlan:
        return strategy.plan_move(strategy.standing(arm.look()), "red")[1]

    def elsewhere() -> BlockPlan:
        planned = plan()
        arm.arrange(Arrangement({"red": (0.2, 0.1, 0.0)}))
        return planned

    try:
        arm.prepare()
        arm.arrange(Arrangement({"red": (0.2, 0.0, 0.4)}))
        with pytest.raises(CalibrationError, match="one face square to it"):
            close_on(arm, plan, arm.rest, DEFAULT_CALIBRATION, 0.030)
        arm.arrange(Arrangement({"red": (0.2, 0.0, 0.02)}))
        told: list[Closing] = []
        closings = close_on(arm, plan, arm.rest, DEFAULT_CALIBRATION, 0.030, times=1, closed=told.append)
        closings += close_on(arm, plan, arm.rest, DEFAULT_CALIBRATION, 0.030, times=CLOSINGS - 1, closed=told.append)
        with pytest.raises(CalibrationError, match="closed on nothing"):
            close_on(arm, elsewhere, arm.rest, DEFAULT_CALIBRATION, 0.030)
    finally:
        arm.close()
    assert len(closings) == CLOSINGS
    assert told == closings
    found = fit_gap(DEFAULT_CALIBRATION, closings)
    assert found.servo.zero_ticks == pytest.approx(servo.zero_ticks, abs=15)  # pads give by half a millimetre
    assert found.held_out_mm.max() < 0.5 < found.stored_mm.min()
