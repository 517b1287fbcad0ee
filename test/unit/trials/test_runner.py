"""Trials on the simulated arm, without ROS: the success, the misses, the interruption."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dofbot_ros.trials.place import PlaceRecord
from dofbot_ros.trials.results import Series, load
from dofbot_ros.trials.runner import run_series
from dofbot_ros.trials.trial_log import image_path

SERIES = Series(seed=0, backend="sim")


def run(arm: Any, out: Path, trials: int = 1) -> list[PlaceRecord]:
    return list(run_series(arm, arm.daemon.robot, arm.world.blocks, SERIES, trials=trials, out=out).trials)


@pytest.mark.slow
def test_a_block_is_found_grasped_and_placed(arm: Any, tmp_path: Path) -> None:
    (record,) = run(arm, tmp_path)
    assert record.placed
    assert record.seen_placed
    assert record.attempts == 1
    assert record.missed == 0
    assert len(record.localisation_mm) == 4
    assert max(record.localisation_mm) < 1.5
    assert record.gap_mm is not None
    assert 27.0 < record.gap_mm < 43.0
    assert record.cycle_s is not None
    assert record.cycle_s < 18.0  # of which the look at the hand takes 5, once in a series
    assert record.sight == "hand and camera 0 mm apart: left as they are"
    for when in ("before", "after"):
        assert cv2.imread(str(image_path(tmp_path, "0000", when))).shape == (480, 640, 3)


@pytest.mark.slow
def test_fingers_that_close_on_nothing_are_noticed_and_the_second_look_helps(arm: Any, tmp_path: Path) -> None:
    arm.shifted = "yellow"  # the one that is drawn in this trial
    (record,) = run(arm, tmp_path)
    assert record.missed == 1
    assert record.setbacks == ["the fingers closed on nothing (24 mm)"]
    assert record.attempts == 2
    assert record.placed
    assert max(record.localisation_mm) == pytest.approx(55.0, abs=1.5)


@pytest.mark.slow
def test_a_refused_motion_costs_an_attempt_and_leaves_the_arm_at_home(arm: Any, tmp_path: Path) -> None:
    arm.refusals = 6  # a look at the hand before each attempt, and the attempt
    (record,) = run(arm, tmp_path)
    assert record.placed is False
    assert record.reason == "refused for a test"
    assert record.attempts == 3
    assert record.setbacks.count("while the arm looked at its hand: refused for a test") == 3
    np.testing.assert_allclose(arm.world.arm.positions(), 0.0, atol=0.03)


@pytest.mark.slow
def test_without_the_truth_the_last_image_is_all_that_is_known(arm: Any, tmp_path: Path) -> None:
    arm.hidden = True
    (record,) = run(arm, tmp_path)
    assert record.placed is None
    assert record.error_mm is None
    assert record.localisation_mm == []
    assert record.seen_placed


@pytest.mark.slow
def test_an_interrupted_series_goes_on_where_it_was(arm: Any, tmp_path: Path) -> None:
    def interrupt(_: PlaceRecord) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_series(arm, arm.daemon.robot, arm.world.blocks, SERIES, trials=2, out=tmp_path, after_trial=interrupt)
    before = load(tmp_path, SERIES).trials
    assert [record.number for record in before] == [0]
    assert arm.daemon.snapshot().motion == 0
    after = run(arm, tmp_path, trials=2)
    assert after[0] == before[0]
    assert [record.number for record in after] == [0, 1]
    assert run(arm, tmp_path, trials=2) == after
