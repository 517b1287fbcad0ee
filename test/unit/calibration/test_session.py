"""From a recorded session of an arm with hidden errors to its calibration files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, load_calibration
from dofbot_ros.bench.calibrating.hidden_arms import draw, observe, typical_rig
from dofbot_ros.calibration.arm_command import Inputs, calibrate_servos, measure_table
from dofbot_ros.calibration.plan_poses import Rig, plan
from dofbot_ros.calibration.session import Session, View, load_session, save_session
from dofbot_ros.calibration.targets.block_in_hand import FACES
from dofbot_ros.core.types import ARM_JOINTS, FloatArray
from dofbot_ros.errors import CalibrationError, ConfigError
from dofbot_ros.vision.extrinsics import extrinsics_of, load_extrinsics, save_extrinsics
from dofbot_ros.vision.intrinsics import Intrinsics, save_intrinsics
from dofbot_ros.vision.markers.block_layout import load_blocks
from dofbot_ros.vision.markers.sheet import SHEET


def recorded(folder: Path, poses: FloatArray | None = None) -> tuple[Inputs, Rig, FloatArray]:
    """Files of a session with an arm of hidden errors, and its truth."""
    rig, rng = typical_rig(), np.random.default_rng(4)
    truth = draw(rig.scene, rng)
    planned = plan(rig, 40, rng)
    if poses is not None:
        planned = type(planned)(poses, np.ones((len(poses), 3), dtype=bool), planned.information)
    seen = observe(rig, planned, truth, rng, sheets=2)
    block, sheet = load_blocks().blocks[0], SHEET.corners()
    ticks = DEFAULT_CALIBRATION.rad_to_ticks(np.column_stack([seen.read, np.full(len(seen.read), rig.grip)]))
    views = []
    for v in range(len(seen.read)):
        mine = np.flatnonzero(seen.view == v).reshape(-1, 4)
        names = iter(sheet)
        markers = {
            str(block.faces[FACES[seen.target[i[0]]]].id if seen.target[i[0]] < 3 else next(names)): seen.pixels[
                i
            ].tolist()
            for i in mine
        }
        assert seen.side is not None
        views.append(View(ticks[v].tolist(), markers, [round(seen.side[v, 0]), round(seen.side[v, 4])]))
    session, lens, pose = (folder / name for name in ("session.json", "lens.yaml", "pose.yaml"))
    save_session(Session(rig.size, block.name, views), session)
    fx, fy, cx, cy, k1, k2 = rig.scene.lens(truth)
    K = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    save_intrinsics(Intrinsics(*rig.size, K, np.array([k1, k2, 0, 0, 0])), lens)
    believed = rig.scene.pose(rig.scene.parameters.nominal, rig.scene.mount)
    save_extrinsics(extrinsics_of(believed, "base_link", "camera_optical_frame"), pose)
    return Inputs(session, lens, pose), rig, truth


@pytest.mark.slow
def test_a_session_becomes_the_files_of_arm_and_camera(tmp_path: Path) -> None:
    inputs, rig, truth = recorded(tmp_path)
    out = tmp_path / "arm.yaml"

    result = calibrate_servos(inputs, out, inputs.camera_pose)

    found = load_calibration(out)
    for joint in ARM_JOINTS[1:4]:
        zero = np.degrees(rig.scene.parameters.value(truth, f"{joint}.zero"))
        assert result["zeros_deg"][joint] == pytest.approx(zero, abs=0.4)
        servo = getattr(found, joint)
        assert servo.zero_ticks == pytest.approx(2000 - zero * servo.ticks_per_degree, abs=6)
    assert 1e3 * found.base_height_m == pytest.approx(1e3 * rig.scene.parameters.value(truth, "base_height"), abs=3.0)
    camera = load_extrinsics(inputs.camera_pose).matrix
    assert camera[:3, 3] == pytest.approx(rig.scene.pose(truth, rig.scene.mount)[:3, 3], abs=4e-3)
    assert result["held_out_mm"] < 2.0 < result["stored_mm"]
    assert (tmp_path / "pose.yaml.before").exists()
    assert measure_table(inputs)["base_height_mm"] == pytest.approx(1e3 * found.base_height_m, abs=2.0)


@pytest.mark.slow
def test_a_motion_that_tells_too_little_writes_nothing(tmp_path: Path) -> None:
    poses = np.tile([0.0, 0.5, 0.6, 0.4, 0.0], (14, 1))
    poses[:, 0] = np.linspace(-0.3, 0.3, 14)
    inputs, _, _ = recorded(tmp_path, poses)

    with pytest.raises(CalibrationError, match=r"is not observable from these poses|views"):
        calibrate_servos(inputs, tmp_path / "arm.yaml", tmp_path / "new.yaml")

    assert not (tmp_path / "arm.yaml").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no JSON"),
        ("[]", "expected a mapping of Session"),
        (json.dumps({"image_size": [640, 480], "held": "red", "views": [{"ticks": [1], "markers": {}}]}), "6 ticks"),
        (
            json.dumps({"image_size": [640, 480], "held": "red", "views": [{"ticks": [1] * 6, "markers": {"x": []}}]}),
            "marker 'x' has a number as its id and four corners",
        ),
    ],
)
def test_damaged_sessions_are_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "session.json"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(ConfigError, match=message):
        load_session(path)
