"""The fingers' place from rendered pictures of the hand, on desks whose fingers are off by a hidden amount."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.arm.calibration import load_calibration
from dofbot_ros.arm.robot import Robot
from dofbot_ros.calibration.hand.fingers import FingerFit, HandViews, hand_poses
from dofbot_ros.calibration.hand.result import write_gripper
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.desks.config import load_desk
from dofbot_ros.desks.installation import Installation, calibrated, install
from dofbot_ros.errors import CalibrationError
from dofbot_ros.grasp.sight.fit import OutlineCamera
from dofbot_ros.sim.config import load_world_config
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.world import World


def off_by(desk: str, mm: float, seed: int) -> Installation:
    """A calibrated installation whose fingers are off by so much across and along."""
    config = load_desk(desk)
    bare = replace(load_world_config(), marked=(), plain=())
    return calibrated(install(replace(config, arm=replace(config.arm, finger_mm=mm)), seed, bare))


def measured(made: Installation, robot: Robot) -> FingerFit:
    """What the pictures of the installation's hand tell, its servos read and its links bent as they truly are."""
    belief, world = made.belief, World(made.world, 0)
    camera = SimCamera(world)
    views = HandViews(robot.kinematics, OutlineCamera(belief.intrinsics, belief.T_base_camera))

    def shown(q: FloatArray) -> tuple[ImageArray, FloatArray]:
        ticks = belief.calibration.rad_to_ticks(q)
        true = made.calibration.ticks_to_rad(ticks)
        world.arm.teleport(true + made.world.arm.flex_rad * np.array(world.arm.load(true.tolist())))
        return camera.render(), belief.calibration.ticks_to_rad(ticks)

    try:
        bare, upright = shown(np.array([0.0, 0.0, 0.0, 0.0, 0.0, 1.0]))
        for q in hand_poses(robot.kinematics):
            image, position = shown(q)
            views.take(bare, upright, image, position)
        return views.fit()
    finally:
        world.close()


@pytest.mark.slow
@pytest.mark.parametrize(("desk", "mm", "seed"), [("careful", 1.0, 8), ("typical", 2.0, 4), ("rough", 3.0, 8)])
def test_the_fingers_are_found_where_they_truly_are(desk: str, mm: float, seed: int, tmp_path: Path) -> None:
    made = off_by(desk, mm, seed)
    truth, stored = made.world.arm, made.belief.calibration
    found = measured(made, Robot.calibrated(stored))
    assert abs(found.across - truth.finger_across_m) < 0.0004
    assert abs(found.along - truth.finger_along_m) < 0.0010
    out = tmp_path / "arm.yaml"
    told = write_gripper(stored, found, out, force=False)
    assert told["held_out_mm"] < told["stored_mm"]
    written = load_calibration(out)
    assert (written.finger_across_m, written.finger_along_m) == (found.across, found.along)
    assert written.joint1 == stored.joint1
    if desk == "typical":
        again = measured(made, Robot.calibrated(written))
        assert abs(again.across - found.across) < 0.0003, "what is told already is not found once more"
        assert abs(again.along - found.along) < 0.0005


def fit_with(held_out: list[float], stored: list[float]) -> FingerFit:
    nothing: object = type("Fit", (), {"found": 0.9})()
    return FingerFit(0.001, 0.001, np.full(2, 3e-4), np.array(held_out), np.array(stored), nothing)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("held_out", "says"),
    [([5.0] * 12, "held-out error 5.00 mm"), ([2.0, 2.1] * 6, "the stored one is better on the same data")],
)
def test_a_bad_result_never_replaces_a_good_file(held_out: list[float], says: str, tmp_path: Path) -> None:
    out = tmp_path / "arm.yaml"
    out.write_text("base_height_m: 0.11\n")
    with pytest.raises(CalibrationError, match=says):
        write_gripper(load_calibration(out), fit_with(held_out, [1.0, 1.1] * 6), out, force=False)
    assert out.read_text() == "base_height_m: 0.11\n"
    assert [p.name for p in tmp_path.iterdir()] == ["arm.yaml"]


def test_too_few_views_are_refused() -> None:
    made = off_by("own", 0.0, 0)
    views = HandViews(Robot.drawn().kinematics, OutlineCamera(made.belief.intrinsics, made.belief.T_base_camera))
    with pytest.raises(CalibrationError, match="0 views of the hand, 8 are needed"):
        views.fit()
