"""A simulated arm with hidden errors calibrates itself through rendered pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.calibration.session import load_session
from dofbot_ros.calibration.targets.board_pictures import sheet_in_base

pytest.importorskip("pybullet", reason="the simulation is not installed")

from dofbot_ros.bench.calibrating.simulated import SimulatedArm, measure


@pytest.mark.slow
def test_an_arm_calibrates_itself(tmp_path: Path) -> None:
    done: list[int] = []

    found = measure(1, 40, tmp_path / "session.json", done.append)

    assert done == list(range(1, done[-1] + 1))
    assert len(load_session(tmp_path / "session.json").views) == done[-1] + 4
    assert found["arm_time_s"] < 600
    assert found["held_out_mm"] < 1.0 < found["stored_mm"]
    assert found["hand_eye_mm"] < found["hand_eye_before_mm"]
    assert found["hand_eye_deg"] < 0.6
    assert max(found["zeros_off_deg"][f"joint{j}"] for j in (2, 3, 4)) < 0.6


def test_the_simulated_sheet_lies_where_it_should() -> None:
    arm = SimulatedArm(0)
    try:
        arm.move(np.zeros(5))
        markers = {m.id: m for m in arm.look()}
        known, camera = sheet_in_base(), arm.camera.pose()
        assert set(known) <= set(markers)
        for i, corners in known.items():
            optical = (corners - camera[:3, 3]) @ camera[:3, :3]
            seen = optical @ arm.camera.intrinsics.K.T
            assert markers[i].corners == pytest.approx(seen[:, :2] / seen[:, 2:], abs=0.8)
    finally:
        arm.close()
