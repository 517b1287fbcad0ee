"""Joint velocities of a tool velocity, one pose at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import FloatArray, ToolPose
from dofbot_ros.errors import CommandRefusedError
from dofbot_ros.motion.singular_exit import singular_exit
from dofbot_ros.motion.twist import (
    AT_LIMIT,
    CRAWL,
    DAMPING,
    LEVER,
    MAX_DEVIATION,
    MAX_DEVIATION_AHEAD,
    MAX_DRIFT,
    MIN_PROGRESS,
    NEAR_SINGULAR,
    TwistSolution,
    _solve_locked,
    _task,
    solve_twist,
)

ARM = Kinematics()
LIMIT = np.full(5, 1.6)
ACCELERATION = np.full(5, 8.0)
ZERO = np.zeros(3)
vectors = arrays(np.float64, 3, elements=st.floats(-0.5, 0.5))
unit_boxes = arrays(np.float64, 5, elements=st.floats(0.0, 1.0))


def solve(q: FloatArray, linear: object, angular: object = ZERO, moving: FloatArray | None = None) -> TwistSolution:
    return solve_twist(ARM, q, np.array(linear), np.array(angular), LIMIT, acceleration=ACCELERATION, moving=moving)


def within(box: FloatArray) -> FloatArray:
    return ARM.lower + box * (ARM.upper - ARM.lower)


def smallest(q: FloatArray) -> float:
    """Smallest singular value of the task."""
    rows = [*ARM.jacobian(q)[:3], [0, LEVER, LEVER, LEVER, 0], [0, 0, 0, 0, LEVER]]
    return float(np.linalg.svd(np.array(rows), compute_uv=False)[-1])


def over_the_table(y: float = 0.0, pitch_deg: float = 145.0) -> FloatArray:
    return ARM.solve(ToolPose(0.19, y, 0.05, np.radians(pitch_deg)))


@pytest.mark.slow
@given(unit_boxes, vectors, vectors)
def test_no_joint_is_asked_for_more_than_its_limit_nor_beyond_its_position(
    box: FloatArray, linear: FloatArray, angular: FloatArray
) -> None:
    q = within(box)
    velocity = solve(q, linear, angular).velocity
    assert np.abs(velocity).max() <= 1.6 + 1e-9
    room = np.where(velocity > 0.0, ARM.upper - q, q - ARM.lower)
    assert (np.abs(velocity)[room < AT_LIMIT] <= 1e-9).all()
    # Braking with a quarter of the acceleration limit ends before the joint limit.
    assert (velocity**2 <= CRAWL**2 + 2.0 * 2.0 * np.maximum(room - AT_LIMIT, 0.0) + 1e-9).all()


@given(unit_boxes, vectors, vectors)
def test_the_tool_goes_in_the_direction_asked_for_or_stands_and_says_why(
    box: FloatArray, linear: FloatArray, angular: FloatArray
) -> None:
    q = within(box)
    solution = solve(q, linear, angular)
    achieved = ARM.jacobian(q)[:3] @ solution.velocity
    if solution.limited:
        assert not solution.velocity.any()
    elif smallest(q) < NEAR_SINGULAR:
        return  # the direction is that of a step ahead: test_singular_exit.py holds it in the closed loop
    elif np.abs(linear).max() > 1e-9:
        cosine = achieved @ linear / np.linalg.norm(linear) / np.linalg.norm(achieved)
        assert cosine >= np.cos(MAX_DEVIATION) - 1e-9
    else:
        assert np.linalg.norm(achieved) <= MAX_DRIFT * 0.1 * np.linalg.norm(angular) + 1e-9


@pytest.mark.parametrize("pitch", [150, 145])
@pytest.mark.parametrize("direction", [[0.02, 0, 0], [0, 0.03, 0], [0, 0, 0.02], [-0.02, 0, 0], [0.01, -0.02, -0.01]])
def test_over_the_table_the_tool_moves_as_asked(pitch: float, direction: list[float]) -> None:
    q = over_the_table(0.05, pitch)
    velocity = solve(q, direction).velocity
    np.testing.assert_allclose(ARM.jacobian(q)[:3] @ velocity, direction, atol=1e-6)
    assert velocity[1:4].sum() == pytest.approx(0, abs=1e-6)


def test_pitch_and_roll_are_followed() -> None:
    q = over_the_table(0.08)
    along = ARM.tool_transform(q)[:3, 2]
    across = np.array([-np.sin(q[0]), np.cos(q[0]), 0.0])
    pitch = solve(q, ZERO, 0.2 * across).velocity
    assert pitch[1:4].sum() == pytest.approx(0.2, abs=1e-6)
    assert np.abs(ARM.jacobian(q)[:3] @ pitch).max() < 1e-6
    roll = solve(q, ZERO, 0.3 * along).velocity
    assert roll[4] == pytest.approx(0.3, abs=1e-6)
    assert np.abs(roll[:4]).max() == pytest.approx(0, abs=1e-6)


def test_a_twist_that_is_too_fast_is_slowed_as_a_whole() -> None:
    q = over_the_table()
    slow, fast = solve(q, [0.01, 0.01, 0.01]).velocity, solve(q, [1.0, 1.0, 1.0]).velocity
    assert np.abs(fast).max() > 0.5
    np.testing.assert_allclose(fast / np.linalg.norm(fast), slow / np.linalg.norm(slow), atol=1e-9)


def test_a_joint_at_its_limit_is_locked_and_the_others_go_on_where_they_can() -> None:
    # joint1 stands at its limit: the tool can go up, outwards and turn, but not further to the left.
    q = over_the_table()
    q[0] = ARM.upper[0] - 0.5 * AT_LIMIT
    up = solve(q, [0.0, 0.0, 0.02])
    assert not up.limited
    assert np.linalg.norm(up.velocity) > 0.01
    left = solve(q, [-0.02, 0.0, 0.0])
    assert left.limited == "joint1 is at its limit: the tool cannot go on in this direction"
    assert not left.velocity.any()
    diagonal = solve(q, [-0.005, 0.0, 0.02])
    assert not diagonal.limited
    assert diagonal.velocity[0] == 0.0
    np.testing.assert_allclose((ARM.jacobian(q)[:3] @ diagonal.velocity)[1:], [0.0, 0.02], atol=1e-4)
    back = solve(q, [0.02, 0.0, 0.0])
    assert not back.limited
    assert back.velocity[0] < -0.05


def test_two_joints_at_their_limits_are_both_named() -> None:
    q = over_the_table()
    q[0], q[4] = ARM.upper[0], ARM.lower[4]
    along = ARM.tool_transform(q)[:3, 2]
    said = solve(q, [-0.02, 0.0, 0.0], -0.3 * along).limited
    assert said == "joint1 and joint5 are at their limits: the tool cannot go on in this direction"


def test_a_joint_that_stands_beyond_its_limit_may_only_come_back() -> None:
    q = over_the_table()
    q[0] = ARM.upper[0] + 0.1
    inward = np.array([np.sin(q[0]), -np.cos(q[0]), 0.0])
    assert solve(q, 0.02 * inward).velocity[0] < -0.05
    assert solve(q, -0.02 * inward).limited


def test_a_stretched_arm_says_that_it_is_stretched() -> None:
    upright = np.zeros(5)
    said = solve(upright, [0.0, 0.0, 0.05])
    assert said.limited == "the arm is stretched or folded as far as it goes: the tool cannot go on in this direction"
    assert not said.velocity.any()


def test_the_others_wait_until_a_joint_that_is_to_be_locked_stands() -> None:
    q = over_the_table()
    q[0] = ARM.upper[0] - 0.5 * AT_LIMIT
    moving = np.array([0.1, 0.0, 0.0, 0.0, 0.0])
    diagonal = [-0.005, 0.0, 0.02]
    waiting = solve(q, diagonal, moving=moving)
    assert not waiting.velocity.any()
    assert not waiting.limited
    assert solve(q, diagonal, moving=0.1 * moving).velocity.any()
    assert solve(q, diagonal, moving=np.array([0.0, 0.1, 0.1, 0.1, 0.1])).velocity.any()


def test_speed_is_lowered_before_a_joint_limit() -> None:
    q = over_the_table()
    speeds = []
    for room in (1.0, 0.2, 0.05, 0.01):
        q[0] = ARM.upper[0] - room
        tangent = np.array([-np.sin(q[0]), np.cos(q[0]), 0.0])
        speeds.append(float(solve(q, 0.3 * tangent).velocity[0]))
    # sqrt(crawl^2 + 2 a d) with a quarter of 8 rad/s^2.
    expected = [1.569, *(np.sqrt(CRAWL**2 + 4.0 * (room - AT_LIMIT)) for room in (0.2, 0.05, 0.01))]
    assert speeds[1:] == pytest.approx(expected[1:], rel=1e-3)
    assert speeds[0] > speeds[1]


def test_speed_is_lowered_before_the_arm_is_stretched() -> None:
    speeds = []
    for bend in (0.6, 0.3, 0.15):
        q = np.array([0.0, 0.9, bend, bend, 0.0])
        points = ARM.link_points(q)
        outward = (points[3] - points[0]) / np.linalg.norm(points[3] - points[0])
        speeds.append(float(ARM.jacobian(q)[:3] @ solve(q, 0.3 * outward).velocity @ outward))
    assert speeds[0] > 2.0 * speeds[1]
    assert speeds[1] > 1.3 * speeds[2] > 0.0


@given(unit_boxes, vectors)
def test_an_arm_that_brakes_keeps_to_the_direction_asked_for(box: FloatArray, linear: FloatArray) -> None:
    q = within(box)
    velocity = solve(q, linear).velocity
    if np.linalg.norm(linear) < 1e-6 or not velocity.any():
        return
    # 0.1 s until the jerk limit lets it brake in full, then v^2 / 2 a.
    at_rest = q + velocity * (0.1 + 0.5 * np.abs(velocity).max() / 8.0)
    there = ARM.jacobian(at_rest)[:3] @ velocity
    assert there @ linear >= np.cos(MAX_DEVIATION_AHEAD) * np.linalg.norm(there) * np.linalg.norm(linear) - 1e-12


def test_the_speed_is_no_lower_than_that_takes() -> None:
    q = np.array([0.0, 0.9, 0.3, 0.3, 0.0])
    points = ARM.link_points(q)
    outward = (points[3] - points[0]) / np.linalg.norm(points[3] - points[0])
    velocity = 2.0 * solve(q, 0.3 * outward).velocity
    there = ARM.jacobian(q + velocity * (0.1 + 0.5 * np.abs(velocity).max() / 8.0))[:3] @ velocity
    assert there @ outward < np.cos(MAX_DEVIATION_AHEAD) * np.linalg.norm(there)


def test_no_twist_is_no_motion_and_no_complaint() -> None:
    assert solve(over_the_table(), ZERO) == TwistSolution(pytest.approx(np.zeros(5)), "")


def test_a_rotation_that_five_joints_cannot_make_is_said() -> None:
    q = over_the_table()
    along, across = ARM.tool_transform(q)[:3, 2], np.array([-np.sin(q[0]), np.cos(q[0]), 0.0])
    third = np.cross(along, across)
    assert solve(q, ZERO, 0.3 * third).limited == "five joints cannot turn the tool about this axis"


@pytest.mark.parametrize("value", [1e306, -1e306, 10.1, 1.7e308])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_linear_velocity_that_no_arm_has_is_refused_by_name(value: float, axis: int) -> None:
    linear = np.zeros(3)
    linear[axis] = value
    with pytest.raises(CommandRefusedError, match=r"the twist's linear part .* is beyond 10 m/s"):
        solve(over_the_table(), linear)


def test_the_bound_is_on_the_length_of_the_vector_and_is_itself_allowed() -> None:
    assert solve(over_the_table(), [10.0, 0.0, 0.0]).velocity.any()
    with pytest.raises(CommandRefusedError, match="linear"):
        solve(over_the_table(), [8.0, 8.0, 0.0])
    assert solve(over_the_table(), [0.01, 0.0, 0.0], [0.0, 100.0, 0.0]) is not None
    with pytest.raises(CommandRefusedError, match=r"the twist's angular part .* is beyond 100 rad/s"):
        solve(over_the_table(), ZERO, [0.0, 0.0, 1e306])
    with pytest.raises(CommandRefusedError, match="angular"):
        solve(over_the_table(), ZERO, [80.0, 0.0, 80.0])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(CommandRefusedError, match="linear part holds a number that is not finite"):
        solve(np.zeros(5), [bad, 0, 0])
    with pytest.raises(CommandRefusedError, match="angular part holds a number that is not finite"):
        solve(np.zeros(5), [0, 0, 0], [0, bad, 0])
    with pytest.raises(CommandRefusedError) as refused:
        solve(np.array([0.0, bad, 0.0, 0.0, 0.0]), [0.1, 0, 0])
    assert str(refused.value) == (f"a twist needs finite joint angles to start from, got [0.0, {bad}, 0.0, 0.0, 0.0]")


def test_a_vector_of_another_length_is_refused() -> None:
    with pytest.raises(CommandRefusedError, match=r"linear part has shape \(2,\); expected \(3,\)"):
        solve(np.zeros(5), [0.1, 0.1])


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_tool_that_shall_only_turn_stands_where_it_would_leave_its_place(sign: float) -> None:
    # joint4 stands at its limit: joints 2 and 3 alone turn the tool about a point that is not its own.
    q = over_the_table()
    q[3] = ARM.upper[3] if sign > 0.0 else ARM.lower[3]
    across = np.array([-np.sin(q[0]), np.cos(q[0]), 0.0])
    beyond = solve(q, ZERO, 0.2 * sign * across)
    assert beyond.limited == "joint4 is at its limit: the tool cannot go on in this direction"
    assert not beyond.velocity.any()
    back = solve(q, ZERO, -0.2 * sign * across)
    assert not back.limited
    assert back.velocity.any()


@pytest.mark.parametrize(
    "linear", [[-0.02, 0.0, -0.02], [-0.02, -0.01, -0.02], [-0.01, 0.01, -0.02], [-0.3, 0.0, -0.3]]
)
def test_a_stretched_arm_takes_the_way_out_for_all_that_is_asked_within_its_limits(linear: list[float]) -> None:
    q = np.array([0.2, 0.7, 0.001, 0.002, 0.1])
    along = ARM.tool_transform(q)[:3, 2]
    across = np.array([-np.sin(q[0]), np.cos(q[0]), 0.0])
    out = singular_exit(ARM, q, np.array([*linear, 0.3, 0.1]))
    assert out is not None
    velocity = solve(q, linear, 0.3 * across + 0.1 * along).velocity
    np.testing.assert_allclose(velocity / np.linalg.norm(velocity), out / np.linalg.norm(out), atol=1e-9)
    assert np.abs(velocity).max() <= 1.6 + 1e-9
    # As fast as the joints may, but no faster than is asked.
    assert np.linalg.norm(velocity) <= np.linalg.norm(out) + 1e-9
    assert np.abs(velocity).max() == pytest.approx(1.6) or velocity == pytest.approx(out)


def test_damping_grows_from_its_bound_to_its_largest_value_at_a_singular_pose() -> None:
    """What the weakest motion of the tool is answered with tells the damping: s / (s^2 + damping)."""
    seen = []
    for elbow in (1e-4, 0.1, 0.3, 0.5, 1.5):
        q = np.array([0.2, 0.5, elbow, 0.6, 0.1])
        task = _task(ARM, q)
        u, s, _ = np.linalg.svd(task)
        solution, locked = _solve_locked(ARM, q, task, u[:, -1])
        assert locked == []
        damping = s[-1] / float(np.linalg.norm(solution)) - s[-1] ** 2
        # Nakamura and Hanafusa: DAMPING (1 - (s / bound)^2) below the bound, none above.
        assert damping == pytest.approx(DAMPING * max(0.0, 1.0 - (s[-1] / NEAR_SINGULAR) ** 2), abs=1e-9)
        seen.append(damping / DAMPING)
    assert seen[0] > 0.9
    assert any(0.1 < share < 0.9 for share in seen)
    assert abs(seen[-1]) < 1e-4


def test_progress_that_is_hardly_any_is_none() -> None:
    # Nearly upright the tool can hardly go up: the damped solution would crawl at this share of the speed.
    q = np.array([0.0, 0.004, 0.004, 0.004, 0.0])
    assert solve(q, [0.0, 0.0, 0.05]).limited
    assert not solve(q, [0.0, 0.0, -0.05]).limited, "down it bends"
    assert MIN_PROGRESS == 0.05


def test_the_bounds_on_direction_and_approach_are_those_that_the_closed_loop_was_tried_with() -> None:
    assert np.degrees([MAX_DEVIATION, MAX_DEVIATION_AHEAD]) == pytest.approx([25.0, 40.0])
    assert (AT_LIMIT, CRAWL, MAX_DRIFT, MIN_PROGRESS, LEVER) == (5e-3, 0.02, 0.1, 0.05, 0.1)
