"""The scripted teacher does every task, in the world it is drawn for and in the widest ones, in both physics."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.errors import ConfigError
from dofbot_ros.policy.env.environments import make_env
from dofbot_ros.policy.evaluation.evaluate import rollout
from dofbot_ros.policy.learning.expert import MAX_SLANT, Expert, hand_turn

ANGLE = st.floats(-3.0, 3.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "ranges", "node_physics", "episodes"),
    [
        ("reach", "wide", False, 20),
        ("pick", "wide", False, 20),
        ("pick", "none", True, 6),
        ("place", "mild", False, 8),
    ],
)
def test_the_teacher_does_what_is_asked_for(task: str, ranges: str, node_physics: bool, episodes: int) -> None:
    env = make_env(task, ranges=ranges, node_physics=node_physics)
    try:
        teacher = Expert(env)
        done = [rollout(env, teacher, seed).success for seed in range(episodes)]
    finally:
        env.close()
    assert sum(done) >= episodes - 1


@pytest.mark.slow
def test_it_does_it_from_what_a_policy_sees_too() -> None:
    env = make_env("pick", ranges="mild")
    try:
        assert sum(rollout(env, Expert(env, privileged=False), seed).success for seed in range(6)) >= 5
    finally:
        env.close()


def test_joint_control_is_refused() -> None:
    env = make_env("reach", control="joints")
    try:
        with pytest.raises(ConfigError, match="tool"):
            Expert(env)
    finally:
        env.close()


@given(ANGLE, ANGLE, st.floats(0.0, 1.2), st.floats(-1.5, 1.5))
def test_the_hand_turns_to_the_blocks_sides_until_the_closing_line_slants_too_much(
    yaw: float, azimuth: float, tilt: float, near: float
) -> None:
    turn = hand_turn(yaw, azimuth, tilt, near)
    slant = math.asin(math.sin(turn) * math.sin(tilt))
    assert abs(slant) <= MAX_SLANT + 1e-9
    # Seen from above the closing line lies at this angle to the arm's side.
    side = math.atan2(-math.sin(turn) * math.cos(tilt), math.cos(turn)) if tilt < 1e-9 else None
    if side is not None:
        assert math.remainder(side - (yaw - azimuth), 0.5 * math.pi) == pytest.approx(0.0, abs=1e-6)
