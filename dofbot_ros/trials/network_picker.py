"""Lifts whatever the grasp network thinks best, by the camera's image alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.block_plan import joint_line
from dofbot_ros.grasp.model_io import load_model
from dofbot_ros.grasp.pinch_plan import OutOfReachError, PinchPlan, PinchPlanner
from dofbot_ros.grasp.planner import NetworkPlanner
from dofbot_ros.grasp.retiming import retime
from dofbot_ros.policy.limiter import driver_limits
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.trials.arm import Look, PickArm
from dofbot_ros.trials.picker import START, Attempt, NoGraspError, backwards

TRIED = 5
"""Candidates that are looked at until one is within reach."""

SHUT_M = 0.004
"""Fingers that stand no wider than this hold nothing [m]."""


class NetworkPicker:
    """Takes the best candidate within reach, whatever object that is.

    Args:
        model: a run's folder or an .onnx file; None for the shipped network.
    """

    name = "cnn"

    def __init__(self, model: Path | None = None) -> None:
        loaded = load_model(model)
        kinematics = Kinematics()
        self._view = loaded.info.view
        self._network = NetworkPlanner(loaded)
        self._limits = driver_limits()
        self._pinches = PinchPlanner(kinematics, self._limits, Workspace(kinematics))
        self._plan: PinchPlan

    def plan(self, arm: PickArm, look: Look, target: str) -> dict[str, Any]:  # noqa: ARG002
        """See Picker.plan."""
        camera = arm.view
        try:
            seen = self._view.rectify(look.image, camera.intrinsics, camera.T_base_camera)
        except InputError as error:
            raise NoGraspError(str(error)) from error
        reason = "the network proposes nothing"
        for rank, candidate in enumerate(self._network.candidates(seen, self._view)[:TRIED]):
            try:
                self._plan = self._pinches.plan(START, candidate.pinch)
            except OutOfReachError as error:
                reason = str(error)
                continue
            pinch, pose = candidate.pinch, self._plan.pose
            return {
                "x": pinch.x,
                "y": pinch.y,
                "yaw_deg": math.degrees(pinch.yaw),
                "tilt_deg": math.degrees(pose.tilt),
                "roll_deg": math.degrees(pose.roll),
                "score": candidate.score,
                "rank": rank,
            }
        raise NoGraspError(reason)

    def pick(self, arm: PickArm) -> Attempt:
        """See Picker.pick."""
        plan = self._plan
        arm.follow(plan.reach.then(plan.descend))
        arm.grip(0.0)
        arm.follow(plan.lift)
        gap = arm.gap()
        carry = retime(joint_line(plan.lift.positions[-1], START), self._limits)
        leave = backwards(plan.descend).then(backwards(plan.reach))
        return Attempt(gap > SHUT_M, gap, carry, backwards(plan.lift), leave)
