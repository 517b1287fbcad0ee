"""An episode as numpy arrays, one row a joint state: what learning from demonstrations needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import InputError
from dofbot_ros.record.motion import RecordedMotion
from dofbot_ros.record.reader import Episode, Recorded
from dofbot_ros.record.timing import times_made
from dofbot_ros.record.topics import IMAGES
from dofbot_ros.vision.pictures import PictureError, decode_picture

STEP_S = 0.02
"""Rows are this far apart: the period of joint_states [s]."""


def export_npz(path: Path, out: Path, images: bool = False) -> dict[str, tuple[int, ...]]:
    """Write an episode to a .npz file.

    The file holds `times` [s] (n,) from 0, STEP_S apart; `positions` [rad] (n, 6), where the joints were; `commands`
    [rad] (n, 5), where the arm joints were to be; `told` (n, 5), whether that came from a joint command; `gaps` [m]
    (n,), where the fingers were to be, nan before anyone knew. With `images` also `image_times` [s] (k,) and `images`
    RGB (k, h, w, 3) uint8.

    Args:
        path: the episode.
        out: the file to write.
        images: whether to decode the camera images.

    Returns:
        The shapes of the arrays, by name.

    Raises:
        InputError: no episode, no motion of the arm in it, or `out` cannot be written.
    """
    episode = Episode(path)
    motion = RecordedMotion(episode)
    times = np.arange(0.0, motion.duration_s, STEP_S)
    arrays: dict[str, Any] = {
        "times": times,
        "positions": motion.measured(times),
        "commands": motion.wanted(times),
        "told": motion.told(times),
        "gaps": _held(motion.gaps, times),
    }
    if images:
        arrays |= _images(episode, motion)
    try:
        with out.open("wb") as file:
            np.savez_compressed(file, **arrays)
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}") from error
    return {name: array.shape for name, array in arrays.items()}


def _held(gaps: list[tuple[float, float]], times: FloatArray) -> FloatArray:
    """The last gap at each of `times`."""
    known = np.array([time_s for time_s, _ in gaps])
    values = np.array([np.nan, *(gap for _, gap in gaps)])
    return np.asarray(values[np.searchsorted(known, times, side="right")])


def _images(episode: Episode, motion: RecordedMotion) -> dict[str, Any]:
    messages = list(episode.messages(IMAGES))
    images = [_decoded(episode, message) for message in messages]
    if len({image.shape for image in images}) > 1:
        raise InputError(f"{episode.path}: the images have different sizes")
    stacked = np.stack(images) if images else np.zeros((0, 0, 0, 3), np.uint8)
    return {"image_times": times_made(messages) - motion.start_s, "images": stacked}


def _decoded(episode: Episode, message: Recorded) -> ImageArray:
    try:
        return decode_picture(bytes(message.content.data))
    except PictureError as error:
        raise InputError(f"{episode.path}: an image of {IMAGES} {error}") from error
