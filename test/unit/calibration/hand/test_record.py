"""What was seen of the hand, as a file: read back as it was, refused where it belongs to something else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.arm.gripper import joint_to_gap
from dofbot_ros.arm.robot import Robot
from dofbot_ros.calibration.hand.fingers import hand_poses
from dofbot_ros.calibration.hand.gap import Closing
from dofbot_ros.calibration.hand.record import HandPicture, HandRecord, load_record
from dofbot_ros.core.types import GRIP, N_ARM
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.planning.block_plan import joint_line
from dofbot_ros.safety.workspace import Workspace


def picture(level: int) -> HandPicture:
    bare = np.full((6, 8, 3), level, np.uint8)
    return HandPicture(bare, np.zeros(6), bare + 1, np.arange(6.0))


def test_what_was_written_after_each_motion_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "hand.npz"
    seen = HandRecord(path, "told")
    seen.closed(Closing(0.03, 1234.5))
    assert load_record(path, "told").closings == [Closing(0.03, 1234.5)]
    seen.shown(picture(3))
    seen.shown(picture(5))
    again = load_record(path, "told")
    assert (again.closings, len(again.pictures)) == (seen.closings, 2)
    np.testing.assert_array_equal(again.pictures[1].image, picture(5).image)
    again.closed(Closing(0.03, 1230.0))
    assert len(load_record(path, "told").closings) == 2


def test_another_arms_readings_and_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "hand.npz"
    HandRecord(path, "told").closed(Closing(0.03, 1234.5))
    with pytest.raises(InputError, match="another calibration, camera or block"):
        load_record(path, "told otherwise")
    with pytest.raises(InputError, match="does not exist"):
        load_record(tmp_path / "none.npz", "told")
    np.savez(path, told=np.array("told"), closings=np.zeros((1, 3)))
    with pytest.raises(InputError, match="is no record of the hand"):
        load_record(path, "told")


def test_each_pose_of_the_hand_can_be_gone_to_from_upright() -> None:
    kinematics = Robot.calibrated().kinematics
    workspace = Workspace(kinematics)
    for q in hand_poses(kinematics):
        assert joint_to_gap(float(q[GRIP])) > 0.0
        way = joint_line(np.zeros(N_ARM), q[:N_ARM])
        clear = workspace.clearances(np.column_stack([way, np.full(len(way), q[GRIP])]))
        assert clear.min() > 0.0
