"""The tool follows a twist that is renewed from outside, by joint velocities that are solved anew in each period."""

from __future__ import annotations

import numpy as np
import pytest

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import FloatArray, ToolPose
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.motion.online import OnlineMotion
from dofbot_ros.motion.tool_jog import ToolJog
from dofbot_ros.motion.trajectory import MotionLimits

ARM = Kinematics()
PERIOD_S = 0.02
LIMITS = MotionLimits(np.full(6, -1.6), np.full(6, 1.6), np.full(6, 1.6), np.full(6, 8.0))
START = np.append(ARM.solve(ToolPose(0.19, 0.05, 0.05, np.radians(150))), 0.7)
TWIST = ([0.02, 0.0, 0.0], [0.0, 0.0, 0.0])
STILL = ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0])


def jog(twist: tuple[list[float], list[float]] = TWIST, start: FloatArray = START) -> tuple[ToolJog, OnlineMotion]:
    motion = OnlineMotion(PERIOD_S, np.full(6, 1.6), np.full(6, 8.0), np.full(6, 800.0))
    motion.reset(start)
    return ToolJog(ARM, motion, LIMITS, twist, 3.0), motion


def tool_speed(position: FloatArray, velocity: FloatArray) -> FloatArray:
    speed: FloatArray = ARM.jacobian(position[:5])[:3] @ velocity[:5]
    return speed


def settled(moves: ToolJog, scale: float = 1.0) -> tuple[FloatArray, FloatArray]:
    for k in range(15):
        sample = moves.setpoint(3.0 + k * PERIOD_S, scale)
    return sample.position, sample.velocity


def test_the_tool_moves_as_asked_and_the_gripper_stays() -> None:
    moves, _ = jog()
    assert (moves.kind, moves.stamp_s, moves.done, moves.limited) == ("twist", 3.0, False, "")
    position, velocity = settled(moves)
    assert tool_speed(position, velocity) == pytest.approx([0.02, 0.0, 0.0], abs=1e-3)
    assert (position[5], velocity[5]) == (0.7, 0.0)
    assert (moves.limited, moves.stamp_s, moves.done) == ("", 3.0, False)


@pytest.mark.parametrize("scale", [0.25, 0.5])
def test_a_scale_slows_it_down(scale: float) -> None:
    moves, _ = jog()
    assert tool_speed(*settled(moves, scale)) == pytest.approx([0.02 * scale, 0.0, 0.0], abs=1e-3)


def test_the_direction_is_held_over_the_whole_way_and_not_only_at_its_beginning() -> None:
    moves, _ = jog(([0.0, 0.04, 0.0], [0.0, 0.0, 0.0]))
    for k in range(75):
        sample = moves.setpoint(3.0 + k * PERIOD_S, 1.0)
    there = ARM.tool_transform(sample.position[:5])[:3, 3]
    assert there[[0, 2]] == pytest.approx([0.19, 0.05], abs=1e-3)
    assert there[1] > 0.05 + 0.05


def test_renewed_it_follows_the_newest_twist() -> None:
    moves, _ = jog()
    settled(moves)
    moves.renew(([0.0, 0.0, 0.02], [0.0, 0.0, 0.0]), 4.0)
    assert moves.stamp_s == 4.0
    assert tool_speed(*settled(moves)) == pytest.approx([0.0, 0.0, 0.02], abs=1e-3)
    moves.renew(STILL, 5.0)
    assert settled(moves)[1] == pytest.approx(np.zeros(6), abs=1e-6)


@pytest.mark.parametrize(
    "bad", [([np.nan, 0.0, 0.0], [0.0] * 3), ([1e306, 0.0, 0.0], [0.0] * 3), ([0.0] * 3, [np.inf] * 3)]
)
def test_a_twist_that_cannot_be_meant_is_refused_and_the_one_before_goes_on(
    bad: tuple[list[float], list[float]],
) -> None:
    with pytest.raises(CommandRefusedError):
        jog(bad)
    moves, _ = jog()
    with pytest.raises(CommandRefusedError):
        moves.renew(bad, 4.0)
    assert moves.stamp_s == 3.0
    assert tool_speed(*settled(moves)) == pytest.approx([0.02, 0.0, 0.0], abs=1e-3)


def test_where_the_tool_cannot_go_on_it_stops_and_says_why() -> None:
    upright = np.zeros(6)
    moves, _ = jog(([0.0, 0.0, 0.05], [0.0, 0.0, 0.0]), upright)
    _, velocity = settled(moves)
    assert velocity == pytest.approx(np.zeros(6), abs=1e-6)
    assert moves.limited != ""
    moves.renew(([0.02, 0.0, 0.0], [0.0, 0.0, 0.0]), 4.0)
    settled(moves)
    assert moves.limited == ""


@pytest.mark.parametrize(("gap", "followed"), [(0.9e-3, False), (1.1e-3, True), (-1.1e-3, True)])
def test_it_goes_on_from_what_was_commanded_where_that_differs(gap: float, followed: bool) -> None:
    moves, motion = jog()
    settled(moves)
    commanded, velocity = motion.state.position.copy(), np.full(6, 0.05)
    commanded[2] += gap
    before = motion.state.position.copy()
    moves.keep_near(commanded, velocity)
    assert motion.state.position == pytest.approx(commanded if followed else before)
    if followed:
        assert motion.state.velocity == pytest.approx(velocity)


def test_a_gripper_elsewhere_is_no_difference() -> None:
    moves, motion = jog()
    commanded = motion.state.position.copy()
    commanded[5] += 0.5
    moves.keep_near(commanded, np.zeros(6))
    assert motion.state.position == pytest.approx(START)
