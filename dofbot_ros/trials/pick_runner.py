"""Runs a series of grasp trials, writes down each as soon as it is over, and goes on where it was interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import cv2

from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.trials.arm import TrialArm
from dofbot_ros.trials.judge import SuccessDetector
from dofbot_ros.trials.log import PickLog
from dofbot_ros.trials.pick import PickRecord, PickTrial
from dofbot_ros.trials.placement import PickProtocol, Placement, draw
from dofbot_ros.trials.strategies.strategy import PickStrategy

JPEG_QUALITY = 85


class Episode(Protocol):
    """A recording in progress."""

    name: str

    def succeeded(self, success: bool | None) -> None:
        """Note how it went."""
        ...


Record = Callable[[str], AbstractContextManager[Episode]]
"""Records what happens within the context; its argument names the file."""


class NoEpisode:
    """Nothing is recorded."""

    name = ""

    def succeeded(self, success: bool | None) -> None:
        """See Episode.succeeded."""


@contextmanager
def no_recording(label: str) -> Iterator[Episode]:  # noqa: ARG001
    """A Record that records nothing."""
    yield NoEpisode()


def missing(log: PickLog, protocol: PickProtocol, trials: int) -> list[Placement]:
    """Placements of those of the first `trials` trials of each condition that have not been run, in their order."""
    done = log.done()
    return [
        draw(protocol, log.series.seed, condition, number)
        for condition in protocol.conditions
        for number in range(trials)
        if (condition.name, number) not in done
    ]


def run_picks(
    arm: TrialArm,
    picker: PickStrategy,
    judge: SuccessDetector,
    log: PickLog,
    placements: list[Placement],
    *,
    set_up: Callable[[Placement], bool],
    record: Record = no_recording,
    after_trial: Callable[[PickRecord], None] = lambda _: None,
) -> None:
    """Run the trials `placements`. However it ends, the log is whole and the arm at rest.

    Raises:
        CommandRefusedError: the arm cannot carry out what the picker plans.
        DofbotError: the arm or the camera cannot go on.
    """
    trial = PickTrial(arm, picker, judge, log.series.protocol, set_up)
    try:
        picker.check(arm)
        for placement in placements:
            with record(placement.label) as episode:
                outcome, pictures = trial.run(placement)
                episode.succeeded(outcome.lifted)
            if pictures is not None:
                _write(log.image_path(placement.label, "before"), pictures.before)
                _write(log.image_path(placement.label, "after"), pictures.after)
            outcome = replace(outcome, episode=episode.name)
            log.append(outcome)
            after_trial(outcome)
    except BaseException:
        with suppress(DofbotError):  # what went wrong first is what counts
            arm.stop()
        raise


def _write(path: Path, image: ImageArray) -> None:
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
