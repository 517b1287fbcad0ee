"""A twist in the closed loop: the tool never moves against the commanded direction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.core.types import FloatArray, ToolPose
from dofbot_ros.motion.twist import AT_LIMIT

from .twist_loop import ARM, PERIOD_S, WORKSPACE, against, astray, drive

MILLIMETRE = 1e-3
ZERO = np.zeros(3)


@st.composite
def poses(draw: st.DrawFn) -> FloatArray:
    """Allowed joint angles (5,) [rad], often with a joint at its limit."""
    box = np.array(draw(st.lists(st.sampled_from([0.0, 1.0]) | st.floats(0.0, 1.0), min_size=5, max_size=5)))
    q: FloatArray = ARM.lower + box * (ARM.upper - ARM.lower)
    allowed = not WORKSPACE.violation(np.append(q, 0.0))
    return q if allowed else np.array(draw(st.sampled_from(_FALLBACK)))


_FALLBACK = [[0.0, 0.2, 0.6, 1.2, 0.0], [0.8, -0.3, 1.0, 1.5, 0.5], [-1.2, 0.9, 0.5, 0.3, -1.0]]


@st.composite
def twists(draw: st.DrawFn) -> tuple[FloatArray, FloatArray]:
    """A linear velocity of 3 mm/s to 1 m/s, with or without rotation."""
    direction = np.array(draw(st.tuples(*[st.floats(-1.0, 1.0)] * 3)))
    length = float(np.linalg.norm(direction))
    direction = direction / length if length > 1e-3 else np.array([0.0, 0.0, -1.0])
    speed = 10.0 ** draw(st.floats(-2.5, 0.0))
    turning = draw(st.sampled_from([0.0, 0.1, 1.0]))
    return speed * direction, turning * np.array(draw(st.tuples(*[st.floats(-1.0, 1.0)] * 3)))


def _keeps_its_direction(tool: FloatArray, linear: FloatArray, angular: FloatArray = ZERO) -> None:
    """Within a millimetre; a tip that turns as well swings by about one more where a joint comes to its limit."""
    direction = linear / np.linalg.norm(linear)
    bound = MILLIMETRE * (1.0 + float(np.linalg.norm(angular)))
    assert against(tool, direction) <= bound
    assert astray(tool, direction) <= bound


@pytest.mark.slow
@settings(max_examples=60)
@given(poses(), twists())
def test_the_tool_goes_in_the_commanded_direction_or_stands(
    start: FloatArray, twist: tuple[FloatArray, FloatArray]
) -> None:
    run = drive(start, lambda _: twist, 3.0)
    _keeps_its_direction(run.tool[: run.first_workspace_stop + 1], *twist)


def test_it_keeps_its_direction_where_the_workspace_ends_too() -> None:
    linear = np.array([-0.0182, -0.014, -0.0013])
    run = drive(np.array([0.801, -1.16, -0.936, 1.489, 2.232]), lambda _: (linear, ZERO), 3.0)
    assert run.first_workspace_stop < len(run.reasons)
    _keeps_its_direction(run.tool, linear)


def test_a_tool_that_sinks_while_a_joint_comes_to_its_limit_goes_on_down_to_the_table() -> None:
    start = ARM.solve(ARM.nearest(ToolPose(0.2, 0.0, 0.1, np.pi)))
    run = drive(start, lambda _: (np.array([0.0, 0.0, -0.05]), ZERO), 4.0)
    assert ARM.upper[2] - run.joints[-1, 2] < AT_LIMIT
    assert run.tool[0, 2] - run.tool[-1, 2] > 0.1
    assert "finger too near the table" in run.reasons[-1][0]
    _keeps_its_direction(run.tool, np.array([0.0, 0.0, -0.05]))


def test_where_it_cannot_go_on_it_stops_and_says_which_joint_is_at_its_limit() -> None:
    start = np.array([1.3, 0.3, 0.7, 1.2, 0.0])
    run = drive(start, lambda _: (np.array([-0.1, 0.0, 0.0]), ZERO), 3.0)
    assert run.limited[0] == ""
    assert run.limited[-1] == "joint1 is at its limit: the tool cannot go on in this direction"
    assert run.tool[0, 0] - run.tool[-1, 0] > 0.04
    assert run.tool[-1] == pytest.approx(run.tool[-50], abs=1e-9)
    _keeps_its_direction(run.tool, np.array([-0.1, 0.0, 0.0]))


@pytest.mark.slow
@pytest.mark.parametrize("reversed_after_s", [4.0, 4.26, 4.5, 4.74, 5.02])
def test_an_arm_at_the_edge_of_its_workspace_comes_back(reversed_after_s: float) -> None:
    start = np.array([0.0, -0.55, -0.8, -0.9, 0.0])
    run = drive(start, lambda t: (np.array([0.03 if t < reversed_after_s else -0.03, 0.0, 0.0]), ZERO), 8.0)
    turned = round(reversed_after_s / PERIOD_S)
    assert any("workspace" in reason for why in run.reasons[:turned] for reason in why)
    assert run.tool[turned, 0] - run.tool[turned - 50, 0] < MILLIMETRE
    assert run.tool[turned, 0] - run.tool[turned + 100, 0] > 0.04


def test_the_tool_starts_and_stops_in_the_commanded_direction() -> None:
    linear = np.array([0.02, -0.03, 0.01])
    run = drive(np.array([0.1, 0.3, 0.7, 1.2, 0.0]), lambda t: (linear if t < 1.0 else ZERO, ZERO), 2.0)
    steps = np.diff(run.tool, axis=0)
    moved = np.linalg.norm(steps, axis=1) > 1e-7
    assert moved[:52].all()
    assert not moved[-20:].any()
    cosine = steps[moved] @ linear / np.linalg.norm(linear) / np.linalg.norm(steps[moved], axis=1)
    assert cosine.min() > np.cos(np.radians(8.0))
