"""The joint fit: exact on exact data, never far off with few views, and the chain is the arm's own."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.calibration.fitting.bundle import Noise, solve
from dofbot_ros.calibration.fitting.chain import ArmGeometry, link4_poses, tool_poses
from dofbot_ros.calibration.hand_eye_samples import LENS_PRIOR
from dofbot_ros.calibration.observations import Observations
from dofbot_ros.calibration.priors import ArmSigma, Carrier, UnknownPose
from dofbot_ros.calibration.scene import Scene
from dofbot_ros.core.transforms import rot_z, transform
from dofbot_ros.core.types import FloatArray
from dofbot_ros.errors import CalibrationError, InputError
from dofbot_ros.vision.markers.block_layout import square_corners

NOMINAL = ArmGeometry.nominal(Kinematics())
T_LINK4_CAMERA = transform(rot_z(-math.pi / 2), (-0.048, 0.0, 0.07))
angles = st.lists(st.floats(-1.5, 1.5), min_size=5, max_size=5)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(angles)
def test_the_chain_is_that_of_the_kinematics(q: list[float]) -> None:
    mine = tool_poses(NOMINAL, np.array([q]))[0]

    assert mine == pytest.approx(Kinematics().tool_transform(q), abs=1e-12)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(angles)
def test_link4_lies_one_tool_length_before_the_tool(q: list[float]) -> None:
    link4, tool = link4_poses(NOMINAL, np.array([q]))[0], tool_poses(NOMINAL, np.array([q]))[0]

    assert link4[:3, 3] + NOMINAL.tool * link4[:3, 2] == pytest.approx(tool[:3, 3], abs=1e-12)


def scene() -> Scene:
    spread = np.array([0.02, 0.02, 0.001, 0.02, 0.02, 0.3])
    targets = [
        UnknownPose(f"tag{i}", "base_link", transform(rot_z(0.3 * i), (0.2, y, 0.03)), spread)
        for i, y in enumerate((-0.02, 0.02))
    ]
    mount = UnknownPose("camera", "link4", T_LINK4_CAMERA, np.array([0.01, 0.01, 0.01, 0.05, 0.05, 0.05]))
    return Scene(NOMINAL, ArmSigma(), LENS_PRIOR, mount, targets)


def observed(count: int, seed: int, corner_px: float) -> tuple[Scene, FloatArray, Observations]:
    """A scene, a truth drawn from its priors, and what is seen from `count` poses that show both tags."""
    rng = np.random.default_rng(seed)
    made = scene()
    truth = made.parameters.nominal + made.parameters.sigma * rng.normal(0.0, 0.5, len(made.parameters.names))
    truth[made.parameters.index("k2")] = 0.0
    square = np.concatenate([square_corners(0.02), square_corners(0.02)])
    reads: list[FloatArray] = []
    pixels: list[FloatArray] = []
    while len(reads) < count:
        read = rng.uniform([-0.3, -0.7, 1.0, 0.9, -1.0], [0.3, 0.3, 1.6, 1.6, 1.0])
        one = Observations(read[None], np.zeros(8, int), np.repeat([0, 1], 4), square, np.zeros((8, 2)))
        seen = made.predict(truth, one)
        depth = np.linalg.norm(made.camera_poses(truth, one)[0, :3, 3] - [0.2, 0.0, 0.03])
        if np.all((seen > 0) & (seen < [640, 480])) and depth > 0.12:
            reads.append(read)
            pixels.append(seen)
    all_pixels = np.concatenate(pixels)
    noisy = all_pixels + rng.normal(0.0, corner_px, all_pixels.shape)
    view, target = np.repeat(np.arange(count), 8), np.tile(np.repeat([0, 1], 4), count)
    return made, truth, Observations(np.array(reads), view, target, np.tile(square, (count, 1)), noisy)


@pytest.mark.parametrize(("mount", "parent"), [("link4", "base_link"), ("base_link", "tool_link")])
def test_many_unknowns_are_predicted_as_each_alone(mount: Carrier, parent: Carrier) -> None:
    few, _, seen = observed(3, 5, 0.0)
    targets = [replace(t, parent=parent, size_sigma=0.02) for t in few.targets]
    made = Scene(NOMINAL, ArmSigma(), LENS_PRIOR, replace(few.mount, parent=mount), targets)
    spread = made.parameters.sigma * np.random.default_rng(0).normal(0.0, 0.5, (4, len(made.parameters.names)))
    many = made.parameters.nominal + spread

    alone = [made.predict(x, seen) for x in many]

    np.testing.assert_allclose(made.predict(many, seen), alone, rtol=1e-10)
    np.testing.assert_allclose(made.joints(many, seen), [made.joints(x, seen) for x in many], rtol=1e-12)


def test_the_slopes_are_those_that_scipy_takes_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _, seen = observed(4, 1, 0.5)
    noise = Noise(0.5, math.radians(0.3))
    found = solve(made, seen, noise)

    fit = scipy.optimize.least_squares
    monkeypatch.setattr(
        scipy.optimize, "least_squares", lambda *words, **options: fit(*words, **{**options, "jac": "2-point"})
    )

    np.testing.assert_array_less(np.abs(solve(made, seen, noise).x - found.x), 0.01 * found.sigma)


@pytest.mark.slow
def test_exact_pictures_are_explained_exactly() -> None:
    made, truth, seen = observed(12, 3, 0.0)

    found = solve(made, seen, Noise(0.1, 1e-6))

    assert found.rms_px < 0.02
    assert found.value("focal_x") == pytest.approx(made.parameters.value(truth, "focal_x"), rel=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_one_view_leaves_all_unknowns_near_their_priors(seed: int) -> None:
    made, _, seen = observed(1, seed, 0.5)

    found = solve(made, seen, Noise(0.5, math.radians(0.3)))

    assert np.all(np.abs(found.x - made.parameters.nominal) < 6 * made.parameters.sigma)
    assert np.all(found.sigma <= made.parameters.sigma * (1 + 1e-9))


@pytest.mark.slow
def test_the_stated_deviations_hold_the_truth() -> None:
    off = []
    for seed in range(6):
        made, truth, seen = observed(15, seed, 0.3)
        found = solve(made, seen, Noise(0.3, math.radians(0.01)))
        off.append((found.x - truth) / found.sigma)

    assert 0.5 < np.sqrt(np.mean(np.square(off))) < 1.3


def test_no_corner_and_unpaired_arrays_are_refused() -> None:
    made, _, seen = observed(2, 0, 0.0)

    with pytest.raises(CalibrationError, match="no corner was seen"):
        solve(made, seen.of_views([]), Noise(1.0, 0.01))
    with pytest.raises(InputError, match="16 pixels do not pair with 3 points"):
        Observations(seen.read, seen.view, seen.target, seen.points[:3], seen.pixels)
