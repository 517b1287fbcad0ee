"""Named columns as whole joint vectors."""

from __future__ import annotations

import numpy as np
import pytest

from dofbot_ros.core.types import JOINT_NAMES
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.motion.joint_columns import joint_columns
from dofbot_ros.motion.trajectory_bounds import MAX_POINTS

REST = np.arange(6) / 10.0


def test_columns_go_where_their_names_say_and_the_others_rest() -> None:
    full = joint_columns([[1.0, 2.0], [3.0, 4.0]], ["grip_joint", "joint2"], REST)
    assert full.tolist() == [[0.0, 2.0, 0.2, 0.3, 0.4, 1.0], [0.0, 4.0, 0.2, 0.3, 0.4, 3.0]]


def test_all_joints_in_their_order_are_taken_as_they_are() -> None:
    values = np.arange(12.0).reshape(2, 6)
    assert joint_columns(values, JOINT_NAMES, REST).tolist() == values.tolist()


@pytest.mark.parametrize(
    ("values", "joints", "message"),
    [
        ([[0.0]], ["joint7"], "joint 'joint7' is not one of joint1, .*did you mean"),
        ([[0.0, 0.0]], ["joint1", "joint1"], "a joint is named twice in joint1, joint1"),
        ([[0.0, 0.0]], ["joint1"], r"1 joints are named, but the points have \(2,\) values"),
        ([0.0], ["joint1"], "1 joints are named"),
        ([[0.0], [0.0, 1.0]], ["joint1"], "the points are no table of numbers"),
        ([["x"]], ["joint1"], "the points are no table of numbers"),
        ([[10**400]], ["joint1"], "the points are no table of numbers"),
        (np.zeros((MAX_POINTS + 1, 1)), ["joint1"], "the trajectory has 2001 points; at most 2000 are taken"),
    ],
)
def test_what_does_not_fit_is_refused(values: object, joints: list[str], message: str) -> None:
    with pytest.raises(CommandRefusedError, match=message):
        joint_columns(values, joints, REST)  # type: ignore[arg-type]


def test_as_many_rows_as_a_trajectory_may_have_are_taken() -> None:
    assert joint_columns(np.zeros((MAX_POINTS, 1)), ["joint1"], REST).shape == (MAX_POINTS, 6)
