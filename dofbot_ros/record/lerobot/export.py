"""Episodes -> a LeRobot dataset: rows at even times, each with what was known then and what came of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.core.types import GRIP, JOINT_NAMES, FloatArray, ImageArray
from dofbot_ros.errors import InputError
from dofbot_ros.record.lerobot.dataset import LeRobotWriter
from dofbot_ros.record.motion import RecordedMotion
from dofbot_ros.record.pictures import decoded, picture_times
from dofbot_ros.record.reader import Episode
from dofbot_ros.record.topics import IMAGES

NAMES = tuple(f"{name}.pos" for name in JOINT_NAMES)
"""Of the numbers in state and action: positions [rad], as the robot plug-in names them."""


@dataclass
class Exported:
    """What was written.

    Attributes:
        episodes, rows: how many.
        oldest_picture_s: the largest age of a picture in a row [s]; 0 without pictures.
        skipped: files without a motion that could be read, and why.
    """

    episodes: int = 0
    rows: int = 0
    oldest_picture_s: float = 0.0
    skipped: list[str] = field(default_factory=list)


def episodes_in(path: Path) -> list[Path]:
    """The episode, or those in the folder, by name.

    Raises:
        InputError: none there.
    """
    if not path.is_dir():
        return [path]
    found = sorted(path.rglob("*.mcap"))
    if not found:
        raise InputError(f"{path} holds no episodes (*.mcap)")
    return found


def export_lerobot(
    paths: Sequence[Path],
    out: Path,
    task: str,
    fps: int,
    *,
    images: bool = True,
    damaged: Callable[[str], None] = lambda _: None,
    done: Callable[[], None] = lambda: None,
) -> Exported:
    """Write episodes as a LeRobot dataset.

    A row's state and picture are the last ones that had been made by then, never later ones: a policy that acts has no
    others. Its action is where the joints were to be one row later; where nothing told them (moved by hand), where they
    then were.

    Args:
        paths: of the episodes.
        out: folder to write.
        task: what they show, in words.
        fps: rows a second.
        images: whether pictures belong to it; an episode without is skipped.
        damaged: told of what episodes have lost, in one line each.
        done: called after each episode.

    Raises:
        InputError: nothing could be exported, or `out` cannot be written.
    """
    writer, exported = LeRobotWriter(out, fps, NAMES), Exported()
    try:
        for path in paths:
            try:
                episode = Episode(path)
                for words in episode.damage:
                    damaged(f"{path} {words}")
                age_s = _add(writer, episode, task, images)
                exported.oldest_picture_s = max(exported.oldest_picture_s, age_s)
            except InputError as error:
                if len(paths) == 1:
                    raise
                exported.skipped.append(str(error))
            done()
        if not writer.lengths:
            raise InputError(f"no episode could be exported: {exported.skipped[0]}")
        exported.episodes, exported.rows = len(writer.lengths), sum(writer.lengths)
        writer.finish()
    finally:
        writer.discard()
    return exported


def _add(writer: LeRobotWriter, episode: Episode, task: str, images: bool) -> float:
    """Add an episode. Returns the largest age of a picture in a row [s]."""
    motion = RecordedMotion(episode)
    # Of two pictures that were swapped on their way, the later one is known from its own time on.
    made = np.maximum.accumulate(picture_times(episode) - motion.start_s) if images else np.zeros(1)
    if not made.size:
        raise InputError(f"{episode.path} has no camera images: --no-images leaves them out")
    begin = max(motion.known_from_s, float(made[0]))
    if not math.isfinite(begin):
        raise InputError(f"{episode.path} does not say where all six joints were")
    times = np.arange(begin, motion.duration_s, 1.0 / writer.fps)
    if len(times) < 2:
        raise InputError(f"{episode.path}: less than two rows, of which states and pictures are known")
    state = motion.last_measured(times)
    action = action_of(motion, times + 1.0 / writer.fps)
    if not images:
        writer.add(task, state, action, None)
        return 0.0
    which = np.searchsorted(made, times, side="right") - 1
    writer.add(task, state, action, _pictures(episode, which))
    return float((times - made[which]).max())


def action_of(motion: RecordedMotion, times: FloatArray) -> FloatArray:
    """Where all joints were to be [rad] at `times` [s] (n,), shape (n, 6)."""
    fingers = motion.measured(times)[:, GRIP]
    if motion.gaps:
        known = np.array([time_s for time_s, _ in motion.gaps])
        goals = np.array([gap_to_joint(gap) for _, gap in motion.gaps])
        at = np.searchsorted(known, times, side="right") - 1
        fingers = np.where(at >= 0, goals[np.maximum(at, 0)], fingers)
    return np.column_stack([motion.wanted(times), fingers])


def _pictures(episode: Episode, which: NDArray[np.intp]) -> Iterator[ImageArray]:
    """The pictures with the numbers `which` (n,), which never fall, decoded once each."""
    wanted = iter(which.tolist())
    number = next(wanted, None)
    for index, message in enumerate(episode.messages(IMAGES)):
        picture = decoded(episode, message) if index == number else None
        while index == number and picture is not None:
            yield picture
            number = next(wanted, None)
        if number is None:
            return
