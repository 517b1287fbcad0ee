from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.core.transforms import exp_so3, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.vision.markers.pose_fit import FREE, MarkerObservation, fit_pose, project

POINTS = 0.02 * np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)
turns = st.tuples(*[st.floats(-1.5, 1.5)] * 3)
places = st.tuples(st.floats(-0.15, 0.15), st.floats(-0.15, 0.15), st.floats(0.3, 0.8))
nudges = st.tuples(*[st.floats(-0.02, 0.02)] * 3, *[st.floats(-0.2, 0.2)] * 3)


def nudged(T: FloatArray, step: FloatArray) -> FloatArray:
    return transform(exp_so3(step[3:]) @ T[:3, :3], T[:3, 3] + step[:3])


@given(turns, places, nudges)
def test_finds_back_to_the_pose_that_was_seen(
    turn: tuple[float, ...], place: tuple[float, ...], nudge: tuple[float, ...]
) -> None:
    T = transform(exp_so3(turn), place)
    seen = MarkerObservation(POINTS, project(T, POINTS), np.ones(len(POINTS)))

    found = fit_pose(nudged(T, np.array(nudge)), seen)

    assert seen.error(found) < 1e-6
    np.testing.assert_allclose(found, T, atol=1e-4)


@given(turns, places, nudges, st.integers(1, 63))
def test_moves_only_along_the_basis_and_never_for_the_worse(
    turn: tuple[float, ...], place: tuple[float, ...], nudge: tuple[float, ...], allowed: int
) -> None:
    T = transform(exp_so3(turn), place)
    seen = MarkerObservation(POINTS, project(T, POINTS), np.ones(len(POINTS)))
    start = nudged(T, np.array(nudge))
    free = np.array([bool(allowed >> i & 1) for i in range(6)])

    found = fit_pose(start, seen, FREE[:, free])

    assert seen.error(found) <= seen.error(start)
    np.testing.assert_allclose(found[:3, 3][~free[:3]], start[:3, 3][~free[:3]], atol=1e-12)
    if not free[3:].any():
        np.testing.assert_allclose(found[:3, :3], start[:3, :3], atol=1e-12)


def test_what_weighs_nothing_has_no_say() -> None:
    T = transform(exp_so3([0.3, -0.2, 0.1]), (0.02, -0.01, 0.5))
    rays, weights = project(T, POINTS), np.ones(len(POINTS))
    rays[:2] += 0.01
    weights[:2] = 0.0

    found = fit_pose(nudged(T, np.full(6, 0.01)), MarkerObservation(POINTS, rays, weights))

    np.testing.assert_allclose(found, T, atol=1e-4)
