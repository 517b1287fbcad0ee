"""What a calibration is off: nothing where it is the truth, the desk's errors where it is the belief."""

from __future__ import annotations

from pathlib import Path

import pytest

from dofbot_ros.desks.installation import calibrated, install
from dofbot_ros.desks.truth import compared_with_truth


@pytest.mark.parametrize("seed", [0, 7])
def test_the_truth_is_not_off_and_the_belief_is_by_the_desks_errors(seed: int, tmp_path: Path) -> None:
    installation = install("typical", seed)
    files = calibrated(installation).belief.save(tmp_path)
    found = compared_with_truth(installation, Path(files["calibration_file"]), Path(files["extrinsics_file"]))
    assert max(found["zeros_deg"].values()) < 0.09  # a tick
    assert found["base_height_mm"] < 1e-6
    assert found["hand_eye_mm"] < 1e-6
    assert found["hand_eye_deg"] < 1e-4
    before = found["before"]
    assert all(off == pytest.approx(2.0, abs=0.1) for off in before["zeros_deg"].values())
    assert before["base_height_mm"] == pytest.approx(3.0)
    assert before["hand_eye_mm"] == pytest.approx(5.0)
    assert before["hand_eye_deg"] == pytest.approx(0.7)
