"""Trials on an arm that its calibration file makes another one than the vendor's drawing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration
from dofbot_ros.arm.robot import Robot
from dofbot_ros.cli.trials import PlannerName, _strategy
from dofbot_ros.config.loader import save_yaml
from dofbot_ros.core.types import N_ARM, FloatArray
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.sim.config import load_world_config
from dofbot_ros.trials.arm import Look
from dofbot_ros.trials.judge import TruthJudge
from dofbot_ros.trials.log import PickLog, PickSeries, open_log
from dofbot_ros.trials.placement import PickProtocol
from dofbot_ros.trials.runner import missing, run_picks
from dofbot_ros.trials.strategies.policy import PolicyStrategy
from dofbot_ros.trials.strategies.strategy import PickStrategy

from .conftest import TRIALS_DRIVER, DirectArm

RAISED = replace(DEFAULT_CALIBRATION, base_height_m=0.1145)
"""The arm on its suction cups."""
NARROW = replace(DEFAULT_CALIBRATION, joint4=replace(DEFAULT_CALIBRATION.joint4, zero_ticks=2340))
"""Joint 4 ends at 62 degrees."""


@pytest.fixture
def log(tmp_path: Path, kit: PickProtocol) -> Iterator[PickLog]:
    with open_log(tmp_path / "log", PickSeries("aruco", "sim", 0, "truth", "", kit)) as opened:
        yield opened


def picker_of(planner: PlannerName, calibration: Calibration, folder: Path) -> PickStrategy:
    """The strategy that `dofbot trials run --planner ... calibration_file:=...` makes."""
    path = folder / "calibration.yaml"
    save_yaml(calibration, path)
    return _strategy(planner, None, {"calibration_file": str(path)})[0]


def planned(strategy: PickStrategy, arm: DirectArm, look: Look) -> FloatArray:
    """The joints (n, 5) [rad] on the way to the grasp."""
    strategy.plan(arm, look, "yellow")
    arm.refusals = 1
    with pytest.raises(CommandRefusedError, match="refused for a test"):
        strategy.pick(arm)
    return arm.paths[-1].positions


@pytest.mark.parametrize("planner", [PlannerName.aruco, PlannerName.cnn])
def test_grasps_are_planned_at_the_calibrated_height(
    planner: PlannerName, pick_arm: DirectArm, kit: PickProtocol, log: PickLog, tmp_path: Path
) -> None:
    if planner is PlannerName.cnn:
        pytest.importorskip("onnxruntime")
    pick_arm.prepare()
    pick_arm.arrange(missing(log, kit, 1)[0].arrangement(kit))
    look = pick_arm.look()
    lowest = {}
    for name, calibration in (("nominal", DEFAULT_CALIBRATION), ("raised", RAISED)):
        path = planned(picker_of(planner, calibration, tmp_path), pick_arm, look)
        kinematics = Robot.calibrated(calibration).kinematics
        lowest[name] = min(kinematics.forward(q[:N_ARM]).z for q in path)
    assert lowest["raised"] == pytest.approx(lowest["nominal"], abs=0.002)


@pytest.mark.slow
def test_a_block_is_lifted_within_the_calibrated_limits(kit: PickProtocol, log: PickLog, tmp_path: Path) -> None:
    """The driver of this arm refuses what a planner for the nominal one asks of it."""
    pytest.importorskip("pybullet")
    arm = DirectArm(kit.world(load_world_config()), TRIALS_DRIVER, NARROW)
    placement = missing(log, kit, 1)[0]

    def run(strategy: PickStrategy) -> tuple[str, str]:
        run_picks(arm, strategy, TruthJudge(kit.lift), log, [placement], set_up=set_up)
        return log.records[-1].outcome, log.records[-1].reason

    def set_up(_: object) -> bool:
        arm.arrange(placement.arrangement(kit))
        return True

    try:
        outcome, reason = run(picker_of(PlannerName.aruco, DEFAULT_CALIBRATION, tmp_path))
        assert outcome == "refused", reason
        assert "joint4" in reason
        arm.paths.clear()
        assert run(picker_of(PlannerName.aruco, NARROW, tmp_path)) == ("lifted", "")
        assert max(path.positions[:, 3].max() for path in arm.paths) <= arm.daemon.robot.upper[3] + 1e-9
    finally:
        arm.close()


class Untouched:
    """A policy that must not be asked."""

    def __init__(self, spec: Any) -> None:
        self.spec = spec

    def act(self, _: object) -> Any:
        return np.zeros(len(self.spec.action), np.float32)


@pytest.mark.parametrize(
    ("built", "why"),
    [
        ((DriverConfig(), DEFAULT_CALIBRATION), "max_velocity is 1.6, the policy needs 2"),
        ((TRIALS_DRIVER, RAISED), r"base height is 114\.5 mm, the policy's 107\.5 mm"),
        ((TRIALS_DRIVER, NARROW), r"joint4 goes from -1\.57 to 1\.09 rad"),
    ],
)
def test_a_policy_that_does_not_fit_the_arm_runs_no_trial(
    built: tuple[DriverConfig, Calibration], why: str, kit: PickProtocol, log: PickLog, straight_policy: Any
) -> None:
    pytest.importorskip("pybullet")
    arm = DirectArm(kit.world(load_world_config()), *built)
    strategy = PolicyStrategy(Untouched(straight_policy.spec("pick", "tool")), arm.daemon.robot)
    try:
        with pytest.raises(CommandRefusedError, match=f"the policy does not fit this arm: .*{why}"):
            run_picks(arm, strategy, TruthJudge(kit.lift), log, missing(log, kit, 1)[:1], set_up=lambda _: True)
        assert not arm.paths
        assert not log.records
    finally:
        arm.close()
