"""The grasp executor that looks at its hand before the first grasp."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("pybullet")
pytest.importorskip("onnxruntime")

from dofbot_ros.core.transforms import transform
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.grasp.detection.detector import GraspDetector
from dofbot_ros.grasp.detection.model_io import load_model
from dofbot_ros.grasp.detection.planner import Candidate, NetworkPlanner
from dofbot_ros.grasp.execution.executor import START, CameraSnapshot, GraspExecutor
from dofbot_ros.grasp.execution.pick import EmptyHandError
from dofbot_ros.grasp.planning.planar_plan import GraspMotionPlanner
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.sim.arrangement import Arrangement
from dofbot_ros.trials.direct import DirectArm


class Thief(DirectArm):
    """An arm whose blocks are taken away while it reaches for one, as often as it is told."""

    thefts = 0

    def gripper(self, gap: float) -> None:
        """Open the fingers before a grasp."""
        if self.thefts:
            self.thefts -= 1
            for number, name in enumerate(self.world.block_names):
                self.world.place(name, transform(translation=(-0.3, 0.1 * number, 0.015)))
        super().gripper(gap)


@pytest.mark.slow
def test_it_looks_at_its_hand_lifts_a_block_and_remembers_what_it_missed() -> None:
    arm = Thief()
    try:
        arm.prepare()
        blocks = Arrangement({"red": (0.195, 0.01, 0.3), "blue": (0.16, -0.13, 0.0)})
        arm.arrange(blocks)
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
        executor.put_back()

        planned = executor.detect(look()).best().pinch
        arm.thefts = 1
        with pytest.raises(EmptyHandError, match="closed on nothing"):
            executor.execute()
        assert detector.registration is None, "another look"
        executor.detect(look())
        proposed = [Candidate(planned, 1.0), Candidate(replace(planned, y=planned.y + 0.07), 0.5)]
        assert detector.misses.ordered(proposed) == proposed[::-1]
        arm.arrange(blocks)
        assert executor.execute().startswith("lifted and held")
        assert detector.misses.ordered(proposed) == proposed, "forgotten"
    finally:
        arm.close()
