"""An episode as numpy arrays, one row a joint state: what learning from demonstrations needs."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.core.types import BoolArray, FloatArray, ImageArray
from dofbot_ros.errors import InputError
from dofbot_ros.record.motion import RecordedMotion
from dofbot_ros.record.pictures import decoded, picture_times
from dofbot_ros.record.reader import Episode
from dofbot_ros.record.topics import IMAGES

STEP_S = 0.02
"""Rows are this far apart: the period of joint_states [s]."""


def export_npz(
    path: Path, out: Path, images: bool = False, damaged: Callable[[str], None] | None = None
) -> dict[str, tuple[int, ...]]:
    """Write an episode to a .npz file.

    The file holds `times` [s] (n,) from 0, STEP_S apart; `positions` [rad] (n, 6), where the joints were; `commands`
    [rad] (n, 5), where the arm joints were to be; `told` (n, 5), whether that came from a joint command; `gaps` [m]
    (n,), where the fingers were to be, nan before anyone knew. With `images` also `image_times` [s] (k,) and `images`
    RGB (k, h, w, 3) uint8. It takes its place only once it is whole; images pass through memory one by one.

    Args:
        path: the episode.
        out: the file to write.
        images: whether to decode the camera images.
        damaged: told of what the episode has lost, in one line each.

    Returns:
        The shapes of the arrays, by name.

    Raises:
        InputError: no episode, no motion of the arm in it or too long a one, or `out` cannot be written.
    """
    if out.suffix != ".npz":
        raise InputError(f"{out} is no name for numpy arrays: it has to end in .npz")
    episode = Episode(path)
    if damaged is not None:
        for words in episode.damage:
            damaged(f"{path} {words}")
    motion = RecordedMotion(episode)
    times = np.arange(0.0, motion.duration_s, STEP_S)
    arrays: dict[str, FloatArray | BoolArray] = {
        "times": times,
        "positions": motion.measured(times),
        "commands": motion.wanted(times),
        "told": motion.told(times),
        "gaps": _held(motion.gaps, times),
    }
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            shapes = {name: _write(archive, name, array.shape, array.dtype, [array]) for name, array in arrays.items()}
            if images:
                shapes |= _write_images(archive, episode, motion)
        part.replace(out)
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return shapes


def _held(gaps: list[tuple[float, float]], times: FloatArray) -> FloatArray:
    """The last gap at each of `times`."""
    known = np.array([time_s for time_s, _ in gaps])
    values = np.array([np.nan, *(gap for _, gap in gaps)])
    return np.asarray(values[np.searchsorted(known, times, side="right")])


def _write_images(archive: zipfile.ZipFile, episode: Episode, motion: RecordedMotion) -> dict[str, tuple[int, ...]]:
    made = picture_times(episode) - motion.start_s
    pictures = (decoded(episode, message) for message in episode.messages(IMAGES))
    first = next(pictures, None)
    shape = (0, 0, 0, 3) if first is None else (len(made), *first.shape)

    def alike() -> Iterator[ImageArray]:
        if first is not None:
            yield first
        for image in pictures:
            if first is not None and image.shape != first.shape:
                raise InputError(f"{episode.path}: the images have different sizes")
            yield image

    return {
        "image_times": _write(archive, "image_times", made.shape, made.dtype, [made]),
        "images": _write(archive, "images", shape, np.dtype(np.uint8), alike()),
    }


def _write(
    archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], kind: np.dtype[Any], parts: Iterable[NDArray[Any]]
) -> tuple[int, ...]:
    """Add an array whose rows come in `parts`; its shape is known before."""
    header = {"descr": kind.str, "fortran_order": False, "shape": shape}
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        np.lib.format.write_array_header_2_0(member, header)  # type: ignore[no-untyped-call]
        for part in parts:
            member.write(np.ascontiguousarray(part).tobytes())
    return shape
