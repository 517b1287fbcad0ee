"""The arm that looks at its hand: on a desk it learns where that is, on its own desk that nothing is wrong."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pybullet")

from dofbot_ros.core.types import FloatArray
from dofbot_ros.desks.installation import install
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.grasp.planning.block_plan import BlockMove, PlannerConfig, joint_line
from dofbot_ros.grasp.planning.hand_geometry import StandingBlock
from dofbot_ros.grasp.sight.registration import shown_poses
from dofbot_ros.motion.timed_path import retime
from dofbot_ros.sim.config import CameraConfig
from dofbot_ros.sim.randomization import displaced
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.trials.direct import DirectArm
from dofbot_ros.trials.sight import ArmSight
from dofbot_ros.trials.strategies.markers import ArucoStrategy
from dofbot_ros.vision.markers.block_layout import load_blocks


class Knocked(DirectArm):
    """An arm whose camera can be put elsewhere; what is believed of it stays."""

    def displace_camera(self, camera: CameraConfig) -> None:
        self._camera = SimCamera(self.world, camera)


def _aim(sight: ArmSight, at: FloatArray) -> FloatArray:
    """Where the hand is told to go for a block that truly is there; without the tool's lean, which is of a grasp."""
    found = sight.registration
    assert found is not None
    return np.asarray(at - found.hand_off(*at.tolist())[0][:2])


MOVE = BlockMove(StandingBlock(0.2, 0.03, 0.2), (0.2, -0.08))


def looked(arm: DirectArm) -> ArmSight:
    strategy = ArucoStrategy(load_blocks(), arm.daemon.robot, PlannerConfig())
    sight = ArmSight(arm, strategy.planner)
    arm.prepare()
    sight.look_at_hand()
    return sight


@pytest.mark.slow
def test_on_a_typical_desk_the_hand_comes_to_where_the_block_truly_is() -> None:
    arm = DirectArm(install("typical", 102))
    try:
        sight = looked(arm)
        assert sight.word.endswith("corrected")
        look = arm.look()
        name, kinematics = next(iter(look.blocks)), arm.daemon.robot.kinematics
        true = arm.world.truth()[name][:2, 3]
        told = [look.blocks[name][:2, 3], _aim(sight, sight.corrected(look).blocks[name][:2, 3])]
        apart = []
        for x, y in told:
            q = shown_poses(kinematics, [(float(np.hypot(x, y)), float(np.arctan2(y, x)), 0.06)])[0]
            limits = DriverConfig().motion_limits(arm.daemon.robot)
            arm.follow(retime(joint_line(np.zeros(5), q), limits))
            apart.append(1e3 * float(np.linalg.norm(arm.world.arm.link_pose("tool_link")[:2, 3] - true)))
            arm.home()
        assert apart[0] > 10.0, apart
        assert apart[1] < 0.5 * apart[0], apart
    finally:
        arm.close()


@pytest.mark.slow
def test_on_its_own_desk_nothing_is_changed() -> None:
    arm = Knocked()
    try:
        sight = looked(arm)
        _, move = sight.aimed(MOVE)
        assert move == MOVE
        assert sight.word.endswith("left as they are")
        look = arm.look()
        assert sight.corrected(look) is look
        # Somebody knocks the camera, and nobody tells the software.
        arm.displace_camera(displaced(arm.world.config.camera, np.array([0.0, 0.015, 0.0]), np.eye(3)))
        sight.look_at_hand()
        assert "was the camera knocked?" in sight.word
        name, seen = next(iter(sight.corrected(arm.look()).blocks.items()))
        true = arm.world.truth()[name]
        off, _ = sight.registration.hand_off(*seen[:2, 3].tolist()) if sight.registration else (np.zeros(3), 0.0)
        # Seen and hand move together: the hand is told to go to where the block is.
        assert np.linalg.norm(seen[:2, 3] - off[:2] - true[:2, 3]) < 0.006
    finally:
        arm.close()
