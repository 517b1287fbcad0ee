"""Lifts what the grasp network thinks best, by the camera's image alone: what grasp_node does, as a trial's planner."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from dofbot_ros.arm.robot import Robot
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.detection.detector import GraspDetector, NothingToGraspError
from dofbot_ros.grasp.detection.model_io import load_model
from dofbot_ros.grasp.detection.planner import NetworkPlanner
from dofbot_ros.grasp.execution.grip import grasp_and_lift
from dofbot_ros.grasp.execution.pick import PickPlan
from dofbot_ros.grasp.planning.planar_plan import GraspMotionPlanner
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.trials.arm import Look, TrialArm
from dofbot_ros.trials.protocol import NoGraspError
from dofbot_ros.trials.strategies.strategy import START, Attempt


class NetworkStrategy:
    """Takes the best candidate within reach, whatever object that is.

    Args:
        robot: the arm that takes it.
        model: a run's folder or an .onnx file; None for the shipped network.
    """

    name = "cnn"

    def __init__(self, robot: Robot, model: Path | None = None) -> None:
        pinches = GraspMotionPlanner(robot.kinematics, DriverConfig().motion_limits(robot), Workspace(robot.kinematics))
        self._detector = GraspDetector(NetworkPlanner(load_model(model)), pinches, START)
        self._plan: PickPlan

    def check(self, arm: TrialArm) -> None:
        """See PickStrategy.check: every motion is planned within the arm's limits, and checked by the driver."""

    def plan(self, arm: TrialArm, look: Look, target: str) -> dict[str, Any]:  # noqa: ARG002
        """See PickStrategy.plan."""
        camera = arm.view
        try:
            detection = self._detector.detect(look.image, camera.intrinsics, camera.T_base_camera)
            plan = self._plan = detection.best()
        except (InputError, NothingToGraspError) as error:
            raise NoGraspError(str(error)) from error
        rank, offer = next((rank, offer) for rank, offer in enumerate(detection.offers) if offer.plan is plan)
        pose = plan.motions.pose
        return {
            "x": plan.pinch.x,
            "y": plan.pinch.y,
            "yaw_deg": math.degrees(plan.pinch.yaw),
            "tilt_deg": math.degrees(pose.tilt),
            "roll_deg": math.degrees(pose.roll),
            "score": offer.candidate.score,
            "rank": rank,
        }

    def pick(self, arm: TrialArm) -> Attempt:
        """See PickStrategy.pick."""
        motions, carry = self._plan.motions, self._plan.back
        way = self._plan.approach
        grip = grasp_and_lift(arm, [way], motions.lift)
        return Attempt(grip.held, grip.gap, carry, (motions.lift.reversed(),), way.reversed())
