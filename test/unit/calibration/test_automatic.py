"""Arms on a desk calibrate themselves through rendered pictures; a desk's software can be told what they found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.calibration.arm_fit import ArmFit
from dofbot_ros.calibration.automatic import calibrate_all
from dofbot_ros.calibration.session import load_session
from dofbot_ros.calibration.targets.board_pictures import sheet_in_base
from dofbot_ros.calibration.targets.hand_held_board import lens_of
from dofbot_ros.errors import DofbotError, InputError
from dofbot_ros.vision.markers.aruco import Marker
from dofbot_ros.vision.markers.block_layout import load_blocks

pytest.importorskip("pybullet", reason="the simulation is not installed")

from dofbot_ros.bench.calibrating.simulated import HELD, SimulatedArm, measure
from dofbot_ros.desks.held_block import with_block_in_hand
from dofbot_ros.desks.installation import install


@pytest.mark.slow
def test_an_arm_calibrates_itself(tmp_path: Path) -> None:
    done: list[int] = []

    (found,) = measure("typical", 1, 40, first=1, folder=tmp_path, done=lambda _number, pose: done.append(pose))

    assert done == list(range(1, done[-1] + 1))
    assert len(load_session(tmp_path / "1" / "session.json").views) == done[-1] + 4
    assert found["refused"] == {}
    assert found["arm_time_s"]["max"] < 600
    assert found["held_out_mm"]["max"] < 1.0 < found["stored_mm"]["max"]
    for name in ("hand_eye_mm", "hand_eye_deg", "base_height_mm"):
        assert found[name]["max"] < found["before"][name]["max"]
    assert max(found["zeros_deg"][f"joint{j}"]["max"] for j in (2, 3, 4)) < 0.6
    again = list(measure("typical", 1, 40, first=1, folder=tmp_path, done=lambda *_: pytest.fail("calibrated anew")))
    assert again == [found]
    told, ideal = (install(f"typical:{what}", 1).belief for what in (tmp_path, "calibrated"))
    assert np.linalg.norm(told.T_base_camera[:3, 3] - ideal.T_base_camera[:3, 3]) == pytest.approx(
        1e-3 * found["hand_eye_mm"]["max"]
    )


INSTALLATION = with_block_in_hand("typical", 1, load_blocks().block(HELD))[0]


class Interrupted(SimulatedArm):
    """Stops for good after so many pictures."""

    looks = 0

    def __init__(self, most: int) -> None:
        super().__init__(INSTALLATION)
        self.most = most

    def look(self) -> list[Marker]:
        if self.looks == self.most:
            raise DofbotError("servo 2 does not answer")
        self.looks += 1
        return super().look()


@pytest.mark.slow
def test_a_calibration_that_was_interrupted_goes_on_with_the_poses_that_are_left(tmp_path: Path) -> None:
    record, belief = tmp_path / "session.json", INSTALLATION.belief

    def run(arm: Interrupted, seed: int = 5) -> ArmFit:
        earlier = load_session(record).views if record.exists() else []
        return calibrate_all(
            arm, load_blocks(), HELD, belief.calibration, T_base_camera=belief.T_base_camera,
            intrinsics=lens_of(INSTALLATION), poses=20, rng=np.random.default_rng(seed), record=record,
            done=lambda _: None, earlier=earlier,
        )  # fmt: skip

    arms = [Interrupted(n) for n in (9, 10, 0, 200)]
    try:
        for arm, views in zip(arms[:2], (9, 19), strict=True):
            with pytest.raises(DofbotError, match="does not answer"):
                run(arm)
            assert len(load_session(record).views) == views
        with pytest.raises(InputError, match="belongs to another --seed"):
            run(arms[2], seed=6)
        fit = run(arms[3])
        assert arms[3].looks == len(load_session(record).views) - 19
        assert np.median(fit.held_out_mm) < 1.0 < np.median(fit.stored_mm)
    finally:
        for arm in arms:
            arm.close()


def test_the_simulated_sheet_lies_where_it_should() -> None:
    arm = SimulatedArm(with_block_in_hand("own", 0, load_blocks().block(HELD))[0])
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
