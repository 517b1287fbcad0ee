"""A stretched arm comes back: it does not stick where the tool cannot go on."""

from __future__ import annotations

import numpy as np
import pytest

from dofbot_ros.core.types import FloatArray, ToolPose
from dofbot_ros.errors import UnreachableError
from dofbot_ros.motion.singular_exit import MAX_TURN, STEP_M, _manipulability, singular_exit

from .twist_loop import ARM, PERIOD_S, WORKSPACE, against, astray, drive

ZERO = np.zeros(3)
OUT_S, BACK_S = 5.0, 2.0
"""[s]"""


@pytest.mark.parametrize("seed", range(12))
def test_where_a_twist_led_into_a_stretched_arm_its_opposite_leads_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    while True:
        start = rng.uniform([-1.4, -0.9, -1.2, -1.0, -1.0], [1.4, 0.9, 1.2, 1.0, 1.0])
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        if direction @ (ARM.link_points(start)[3] - [0.0, 0.0, ARM.base_height]) > 0.0 and not WORKSPACE.violation(
            np.append(start, 0.0)
        ):
            break
    run = drive(start, lambda t: (direction * (0.1 if t < OUT_S else -0.1), ZERO), OUT_S + BACK_S)
    turned = round(OUT_S / PERIOD_S)
    out = (run.tool[turned] - run.tool[0]) @ direction
    assert (run.tool[turned] - run.tool[-1]) @ direction > min(0.01, 0.5 * out)
    assert against(run.tool[turned + 20 :], -direction) < STEP_M
    assert astray(run.tool[turned + 20 :], -direction) < 2 * STEP_M


@pytest.mark.parametrize("elbow", [0.0, 1e-9, 0.004, -0.004, -0.05])
@pytest.mark.parametrize("tilt_deg", [0.0, 30.0, -50.0])
def test_a_stretched_arm_is_drawn_in_also_aslant(elbow: float, tilt_deg: float) -> None:
    start = np.array([0.3, 0.4, elbow, 0.5, 0.2])
    upper_arm = np.array([np.sin(0.4), np.cos(0.4)])
    tilt = np.radians(tilt_deg)
    r, h = -(np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]]) @ upper_arm)
    direction = np.array([r * np.cos(0.3), r * np.sin(0.3), h])
    run = drive(start, lambda _: (0.05 * direction, ZERO), 2.0)
    assert (run.tool[-1] - run.tool[0]) @ direction > 0.03
    assert against(run.tool, direction) < STEP_M


def test_the_step_ahead_is_where_the_joints_lead() -> None:
    q, velocity = np.array([0.3, 0.9, 0.01, -0.4, 0.2]), np.array([-0.03, -0.01, -0.02, 0.0, 0.0])
    turning = singular_exit(ARM, q, velocity)
    assert turning is not None
    seconds = STEP_M / np.linalg.norm(velocity[:3])
    moved = ARM.link_points(q + seconds * turning)[3] - ARM.link_points(q)[3]
    np.testing.assert_allclose(moved, seconds * velocity[:3], atol=1e-9)
    assert np.abs(seconds * turning).max() < MAX_TURN


def test_outward_there_is_none() -> None:
    assert singular_exit(ARM, np.array([0.3, 0.9, 0.01, -0.4, 0.2]), np.array([0.03, 0.01, 0.02, 0.0, 0.0])) is None


@pytest.mark.parametrize("seed", range(5))
def test_manipulability_is_the_volume_of_what_unit_joint_velocities_do_to_the_tool(seed: int) -> None:
    q = np.random.default_rng(seed).uniform(-1.0, 1.0, 5)

    def tool(at: FloatArray) -> FloatArray:
        pose = ARM.forward(at)
        return np.array([pose.x, pose.y, pose.z, pose.pitch, pose.roll])

    step = 1e-6
    columns = [(tool(q + step * unit) - tool(q - step * unit)) / (2.0 * step) for unit in np.eye(5)]
    assert _manipulability(ARM, q) == pytest.approx(abs(np.linalg.det(np.column_stack(columns))), rel=1e-5, abs=1e-10)


def test_the_way_out_is_a_step_or_a_turn_ahead_whichever_comes_first_within_the_same_posture() -> None:
    rng, led, turned, refused = np.random.default_rng(0), 0, 0, 0
    for _ in range(400):
        q = rng.uniform([-1.0, -1.0, -0.05, -1.0, -1.0], [1.0, 1.0, 0.05, 1.0, 1.0])
        velocity = np.append(rng.normal(size=3) * rng.choice([0.05, 1e-4]), rng.normal(size=2) * rng.choice([0.0, 0.3]))
        to_step = STEP_M / float(np.linalg.norm(velocity[:3]))
        to_turn = MAX_TURN / max(float(np.abs(velocity[3:]).max()), 1e-9)
        seconds = min(to_step, to_turn)
        pose = ARM.forward(q)
        ahead = np.array([pose.x, pose.y, pose.z, pose.pitch, pose.roll]) + seconds * velocity
        found = singular_exit(ARM, q, velocity)
        try:
            turn = ARM.solve(ToolPose(*ahead.tolist()), near=q) - q
        except UnreachableError:
            assert found is None
            continue
        if abs(np.abs(turn).max() - MAX_TURN) < 1e-6:
            # Rounding decides; joint 5 turns by all of it where the tool rolls.
            assert found is None or found == pytest.approx(turn / seconds)
            turned += found is not None
            continue
        if np.abs(turn).max() > MAX_TURN or _manipulability(ARM, q + turn) <= _manipulability(ARM, q):
            assert found is None
            refused += np.abs(turn).max() > MAX_TURN and _manipulability(ARM, q + turn) > _manipulability(ARM, q)
            continue
        assert found == pytest.approx(turn / seconds)
        led += 1
    assert led > 50
    assert turned > 5
    assert refused > 10
