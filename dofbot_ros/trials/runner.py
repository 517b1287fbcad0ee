"""Runs a series of trials, writes down each as soon as it is over, and goes on where it was interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import cv2

from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.grasp.planning.block_plan import PlannerConfig
from dofbot_ros.trials.arm import Pictures, TrialArm
from dofbot_ros.trials.judge import SuccessDetector
from dofbot_ros.trials.log import PickLog
from dofbot_ros.trials.pick import PickRecord, PickTask
from dofbot_ros.trials.place import PlaceRecord, PlaceTask
from dofbot_ros.trials.placement import PickProtocol, Placement, draw
from dofbot_ros.trials.reporting.trial_overlay import annotate
from dofbot_ros.trials.results import PlaceLog, Results, Series, open_results, save
from dofbot_ros.trials.sight import ArmSight
from dofbot_ros.trials.strategies.markers import ArucoStrategy
from dofbot_ros.trials.strategies.strategy import PickStrategy
from dofbot_ros.trials.trial import run_trial
from dofbot_ros.trials.trial_log import TrialLog
from dofbot_ros.vision.markers.block_layout import BlockSet

JPEG_QUALITY = 85


class Episode(Protocol):
    """A recording in progress."""

    name: str

    def succeeded(self, success: bool | None) -> None:
        """Note how it went."""
        ...


class NoEpisode:
    """Nothing is recorded."""

    name = ""

    def succeeded(self, success: bool | None) -> None:
        """See Episode.succeeded."""


Record = Callable[[str], AbstractContextManager[Episode]]
"""Records what happens within the context; its argument names the file."""


@contextmanager
def no_recording(label: str) -> Iterator[Episode]:  # noqa: ARG001
    """A Record that records nothing."""
    yield NoEpisode()


class Result(Protocol):
    """What came of a trial."""

    @property
    def success(self) -> bool | None:
        """Whether it counts as one; None where it counts neither way."""
        ...


ResultT = TypeVar("ResultT", bound=Result)


def run_trials(
    arm: TrialArm,
    log: TrialLog[Any, ResultT],
    trials: Mapping[str, Callable[[], tuple[ResultT, Pictures | None]]],
    *,
    record: Record = no_recording,
    after_trial: Callable[[ResultT], None] = lambda _: None,
) -> None:
    """Run trials, in their order. However it ends, the log is whole and the arm at rest.

    Args:
        arm: where they are run.
        log: gets each of them, and its pictures, as soon as it is over.
        trials: label -> runs one.
        record: of each trial.
        after_trial: told what came of it.

    Raises:
        DofbotError: the arm or the camera cannot go on.
    """
    try:
        for label, run in trials.items():
            with record(label) as episode:
                result, pictures = run()
                episode.succeeded(result.success)
            if pictures is not None:
                _write(log.image_path(label, "before"), pictures.before)
                _write(log.image_path(label, "after"), pictures.after)
            if episode.name:
                result = replace(result, episode=episode.name)  # type: ignore[type-var]
            log.append(result)
            after_trial(result)
    except BaseException:
        with suppress(DofbotError):  # what went wrong first is what counts
            arm.stop()
        raise


def missing(log: PickLog, protocol: PickProtocol, trials: int) -> list[Placement]:
    """Placements of those of the first `trials` trials of each condition that have not been run, in their order."""
    done = {(record.condition, record.number) for record in log.records}
    return [
        draw(protocol, log.series.seed, condition, number)
        for condition in protocol.conditions
        for number in range(trials)
        if (condition.name, number) not in done
    ]


def run_picks(
    arm: TrialArm,
    strategy: PickStrategy,
    judge: SuccessDetector,
    log: PickLog,
    placements: list[Placement],
    *,
    set_up: Callable[[Placement], bool],
    record: Record = no_recording,
    after_trial: Callable[[PickRecord], None] = lambda _: None,
) -> None:
    """Run the grasp trials `placements`; see run_trials.

    Raises:
        CommandRefusedError: the arm cannot carry out what the strategy plans.
        DofbotError: the arm or the camera cannot go on.
    """
    protocol = log.series.protocol

    def run(placement: Placement) -> tuple[PickRecord, Pictures | None]:
        return run_trial(arm, PickTask(arm, strategy, judge, protocol, placement=placement, set_up=set_up))

    strategy.check(arm)
    trials = {placement.label: partial(run, placement) for placement in placements}
    run_trials(arm, log, trials, record=record, after_trial=after_trial)


def run_series(
    arm: TrialArm,
    robot: Robot,
    blocks: BlockSet,
    series: Series,
    *,
    trials: int,
    out: Path,
    after_trial: Callable[[PlaceRecord], None] = lambda _: None,
) -> Results:
    """Run those of the first `trials` pick-and-place trials of `series` that are not yet in the folder `out`.

    However it ends, log and results.json are whole and the arm is at rest: an interrupted trial is run again by the
    next call.

    Raises:
        DofbotError: the arm or the camera cannot go on, or `out` holds another series.
    """
    strategy = ArucoStrategy(blocks, robot, PlannerConfig())
    with open_results(out, series) as log:
        run_places(arm, strategy, log, trials, after_trial=after_trial)
        return Results(series, tuple(log.records))


def run_places(
    arm: TrialArm, strategy: ArucoStrategy, log: PlaceLog, trials: int, *, after_trial: Callable[[PlaceRecord], None]
) -> None:
    """Run those of the first `trials` trials of a series that its log lacks; see run_trials."""
    done = {record.number for record in log.records}
    series, sight = log.series, ArmSight(arm, strategy.planner)

    def run(number: int) -> tuple[PlaceRecord, Pictures | None]:
        record, pictures = run_trial(
            arm, PlaceTask(arm, strategy, sight, series.protocol, seed=series.seed, number=number)
        )
        if pictures is not None:
            before, after = (annotate(image, arm.view, record) for image in (pictures.before, pictures.after))
            pictures = Pictures(before, after)
        return record, pictures

    def shown(record: PlaceRecord) -> None:
        save(log.folder, Results(series, tuple(log.records)))
        after_trial(record)

    todo = {f"{number:04d}": partial(run, number) for number in range(trials) if number not in done}
    run_trials(arm, log, todo, after_trial=shown)


def _write(path: Path, image: ImageArray) -> None:
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
