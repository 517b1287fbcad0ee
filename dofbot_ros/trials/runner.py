"""Runs a series of trials, writes down each as soon as it is over, and goes on where it was interrupted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import cv2

from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.types import ImageArray
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.errors import DofbotError
from dofbot_ros.grasp.planning.block_plan import BlockPlanner
from dofbot_ros.safety.workspace import Workspace
from dofbot_ros.trials.arm import TrialArm
from dofbot_ros.trials.reporting.trial_overlay import annotate
from dofbot_ros.trials.results import IMAGES, Results, Series, image_path, load, save
from dofbot_ros.trials.trial import BlockTrial, TrialRecord
from dofbot_ros.vision.markers.block_layout import BlockSet

JPEG_QUALITY = 80


def make_planner(robot: Robot, driver: DriverConfig) -> BlockPlanner:
    """A planner within the limits that a driver with this configuration lets pass on `robot`."""
    return BlockPlanner(robot.kinematics, driver.motion_limits(robot), Workspace(robot.kinematics))


def run_series(
    arm: TrialArm,
    robot: Robot,
    blocks: BlockSet,
    series: Series,
    *,
    trials: int,
    out: Path,
    after_trial: Callable[[TrialRecord], None] = lambda _: None,
) -> Results:
    """Run those of the first `trials` trials of `series` that are not yet in the folder `out`.

    However it ends, results.json is whole and the arm is at rest: an interrupted trial is run again by the next call.

    Raises:
        DofbotError: the arm or the camera cannot go on, or `out` holds another series.
    """
    results = load(out, series)
    (out / IMAGES).mkdir(parents=True, exist_ok=True)
    done = {record.number for record in results.trials}
    trial = BlockTrial(arm, make_planner(robot, DriverConfig()), blocks, series.protocol)
    try:
        for number in range(trials):
            if number in done:
                continue
            record, pictures = trial.run(series.seed, number)
            for when, image in (("before", pictures.before), ("after", pictures.after)):
                _write(image_path(out, number, when), annotate(image, arm.view, record))
            results = replace(results, trials=(*results.trials, record))
            save(out, results)
            after_trial(record)
    except BaseException:
        with suppress(DofbotError):  # what went wrong first is what counts
            arm.stop()
        raise
    return results


def _write(path: Path, image: ImageArray) -> None:
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
