"""The grasp executor that looks at its hand before the first grasp."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pybullet")
pytest.importorskip("onnxruntime")

from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.grasp.detection.detector import GraspDetector
from dofbot_ros.grasp.detection.model_io import load_model
from dofbot_ros.grasp.detection.planner import NetworkPlanner
from dofbot_ros.grasp.execution.executor import START, CameraSnapshot, GraspExecutor
from dofbot_ros.grasp.planning.planar_plan import GraspMotionPlanner
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.sim.arrangement import Arrangement
from dofbot_ros.trials.direct import DirectArm

pytestmark = pytest.mark.timeout(120)


@pytest.mark.slow
def test_it_looks_at_its_hand_and_lifts_a_block() -> None:
    arm = DirectArm()
    try:
        arm.prepare()
        arm.arrange(Arrangement({"red": (0.195, 0.01, 0.3), "blue": (0.16, -0.13, 0.0)}))
        robot = arm.daemon.robot
        limits = DriverConfig().motion_limits(robot)
        motions = GraspMotionPlanner(robot.kinematics, limits, Workspace(robot.kinematics))
        detector = GraspDetector(NetworkPlanner(load_model(None)), motions, START)

        def look() -> CameraSnapshot:
            found = arm.look()
            return CameraSnapshot(found.stamp_s, found.image, arm.view.intrinsics, arm.view.T_base_camera)

        executor = GraspExecutor(arm, look, detector, robot.kinematics, sight=True)
        assert detector.registration is None
        assert executor.execute().startswith("lifted and held")
        found = detector.registration
        assert found is not None
        assert not found.refusal
        assert not found.needed
        assert np.abs(found.hand_off(0.2, 0.0)[0]).max() < 0.002
    finally:
        arm.close()
