from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.core.transforms import rot_axis
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import ConfigError
from dofbot_ros.teleop.config import CameraConfig, HandConfig, Sign
from dofbot_ros.teleop.input.landmarks import Landmarks, Observation
from dofbot_ros.teleop.retargeting.hand import hand_opening, hand_pose, hand_sign

from ..synthetic_operator import FIST, FOV_DEG, OPEN, PINCH, Operator, recorded

CAMERA = CameraConfig(horizontal_fov_deg=FOV_DEG)


def pose_at(forward: float, left: float, up: float, mirrored: bool = False) -> FloatArray:
    seen = Operator(noise=0.0).at(forward, left, up, 0.0)
    assert seen.hand is not None
    camera = replace(CAMERA, mirrored=mirrored)
    return hand_pose(seen.hand, seen.width, seen.height, camera, 0.095).position


@pytest.mark.slow
@settings(deadline=None)
@given(st.floats(-1.5, -0.6), st.floats(-0.15, 0.15), st.floats(-0.12, 0.12))
def test_motion_across_the_view_is_measured_in_metres(forward: float, left: float, up: float) -> None:
    """To 15 % within some 15 degrees of the axis; farther out perspective stretches the palm."""
    a, b = pose_at(forward, 0.0, 0.0), pose_at(forward, left, up)
    assert b[1:] - a[1:] == pytest.approx([left, up], rel=0.15, abs=0.01)


@pytest.mark.slow
@settings(deadline=None)
@given(st.floats(-1.5, -0.4), st.floats(-1.5, -0.4))
def test_distances_keep_their_ratio(one: float, other: float) -> None:
    a, b = pose_at(one, 0.0, 0.0), pose_at(other, 0.0, 0.0)
    assert a[0] / b[0] == pytest.approx(one / other, rel=0.06)


def test_a_mirrored_image_swaps_left_and_right() -> None:
    plain, mirrored = pose_at(-0.7, 0.1, 0.05), pose_at(-0.7, 0.1, 0.05, mirrored=True)
    assert mirrored == pytest.approx(plain * (1, -1, 1))


def turned(hand: Landmarks, axis: tuple[float, float, float], angle: float) -> Landmarks:
    return replace(hand, world=hand.world @ rot_axis(axis, angle).T)


@pytest.mark.parametrize("angle", [-0.6, -0.2, 0.3, 0.8])
def test_turning_the_hand_turns_pitch_or_roll(angle: float) -> None:
    hand = recorded(OPEN)
    upright = hand_pose(hand, 640, 480, CAMERA, 0.095)
    # About the camera's x axis, fingers towards the camera; about its y axis (down), seen from above clockwise.
    nodded = hand_pose(turned(hand, (1.0, 0.0, 0.0), angle), 640, 480, CAMERA, 0.095)
    twisted = hand_pose(turned(hand, (0.0, 1.0, 0.0), angle), 640, 480, CAMERA, 0.095)
    assert nodded.pitch - upright.pitch == pytest.approx(angle, rel=0.15)
    assert twisted.roll - upright.roll == pytest.approx(-angle, rel=0.15)
    assert abs(twisted.pitch - upright.pitch) < 0.45 * abs(angle)


@pytest.mark.parametrize(
    ("frame", "sign"), [(OPEN, "open palm"), (100, "open palm"), (450, "open palm"), (FIST, "fist"), (PINCH, "none")]
)
def test_signs_of_recorded_hands(frame: int, sign: Sign) -> None:
    assert hand_sign(recorded(frame)) == sign


def test_pinch_and_opening_tell_recorded_hands_apart() -> None:
    pinch = {f: hand_pose(recorded(f), 640, 480, CAMERA, 0.095).pinch for f in (OPEN, PINCH)}
    assert pinch[PINCH] < 0.35
    assert pinch[OPEN] > 0.9
    assert hand_opening(recorded(FIST)) < 0.15
    assert hand_opening(recorded(OPEN)) > 0.85


def test_a_hand_shrunk_to_a_point_gives_no_number_that_passes_for_one() -> None:
    nothing = Observation(0.0, 640, 480, Landmarks(np.zeros((21, 3)), np.zeros((21, 3)), 1.0, "right"))
    assert nothing.hand is not None
    pose = hand_pose(nothing.hand, 640, 480, CAMERA, 0.095)
    assert pose.distance > 1e6
    assert math.isfinite(pose.roll)


def test_axes_must_span_space() -> None:
    with pytest.raises(ConfigError, match="one of forward/back"):
        HandConfig(axes=("forward", "back", "up"))
