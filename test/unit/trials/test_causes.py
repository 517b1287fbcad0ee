"""Why a trial failed: by its last stage, and by belief against truth where fingers missed."""

from __future__ import annotations

from typing import Any

import pytest

from dofbot_ros.desks.installation import install
from dofbot_ros.trials.causes import cause_of
from dofbot_ros.trials.direct import DirectArm
from dofbot_ros.trials.results import Series
from dofbot_ros.trials.runner import run_series


@pytest.mark.parametrize(
    ("known", "cause"),
    [
        ({"placed": True, "seen_placed": False}, ""),
        ({"placed": None, "seen_placed": True}, ""),
        ({"placed": False, "seen_placed": True}, "seen placed, but is not"),
        ({"placed": False, "stage": "missed", "block_off_mm": [2.0, 9.0]}, "missed: localised wrong"),
        ({"placed": False, "stage": "missed", "block_off_mm": [9.0, 2.0]}, "missed: arm off"),
        ({"placed": False, "stage": "misplaced", "block_off_mm": [1.0]}, "misplaced"),
        ({"placed": False}, "not seen"),
        ({"placed": None, "stage": "no plan"}, "no plan"),
    ],
)
def test_causes(known: dict[str, Any], cause: str) -> None:
    assert cause_of(**{"seen_placed": False, "stage": "", "block_off_mm": [], **known}) == cause


@pytest.mark.slow
def test_a_trial_on_a_desk_tells_what_was_believed_against_what_was_true(tmp_path: Any) -> None:
    pytest.importorskip("pybullet")
    arm = DirectArm(install("careful", 0))
    try:
        series = Series(0, "sim", desk="careful", desk_seed=0)
        results = run_series(arm, arm.daemon.robot, arm.installation.belief.blocks, series, trials=1, out=tmp_path)
    finally:
        arm.close()
    (record,) = results.trials
    assert 0.2 < record.block_off_mm[0] < 10.0, "a desk where nothing is seen wrong is none"
    assert (record.cause == "") == bool(record.placed)
    assert results.summary()["desk"] == "careful 0"
