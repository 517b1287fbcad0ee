"""What `dofbot calibrate gripper` has seen so far, as a file: closings and pictures of the hand, to go on with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dofbot_ros.calibration.hand.gap import Closing
from dofbot_ros.core.array_files import load_arrays
from dofbot_ros.core.files import whole_file
from dofbot_ros.core.types import N_JOINTS, FloatArray, ImageArray
from dofbot_ros.errors import InputError

MAX_BYTES = 2**30
"""Longest record that is read; a dozen views of a camera of 640 x 480 pixels have 24 MB."""


@dataclass(frozen=True, eq=False)
class HandPicture:
    """The hand before the camera; arguments of HandViews.take().

    Attributes:
        bare, image: the table without and with the hand, RGB (height, width, 3).
        upright, q: joint angles in both, (6,) [rad].
    """

    bare: ImageArray
    upright: FloatArray
    image: ImageArray
    q: FloatArray


@dataclass(eq=False)
class HandRecord:
    """Closings and pictures in the order in which they were made, written to `path` after each.

    Attributes:
        path: .npz file.
        told: what the arm and its camera were told; readings belong to that.
        closings, pictures: so far.
    """

    path: Path
    told: str
    closings: list[Closing] = field(default_factory=list)
    pictures: list[HandPicture] = field(default_factory=list)

    def closed(self, closing: Closing) -> None:
        """The fingers have closed on the block."""
        self.closings.append(closing)
        self._save()

    def shown(self, picture: HandPicture) -> None:
        """The hand has been shown."""
        self.pictures.append(picture)
        self._save()

    def _save(self) -> None:
        columns = {name: [getattr(one, name) for one in self.pictures] for name in ("bare", "upright", "image", "q")}
        closings = np.array([[one.width_m, one.ticks] for one in self.closings], dtype=np.float64).reshape(-1, 2)
        with whole_file(self.path) as draft:
            np.savez(draft, told=np.array(self.told), closings=closings, **{k: np.array(v) for k, v in columns.items()})


def load_record(path: Path, told: str) -> HandRecord:
    """Read what a HandRecord has written.

    Raises:
        InputError: no such file, another content, or readings of an arm or a camera that were told something else.
    """
    arrays = load_arrays(path, "record of the hand", MAX_BYTES)
    try:
        closings = [Closing(float(w), float(t)) for w, t in arrays["closings"]]
        columns: list[NDArray[Any]] = [arrays[name] for name in ("bare", "upright", "image", "q")]
        pictures = [HandPicture(*one) for one in zip(*columns, strict=True)]
        fits = all(
            one.q.shape == one.upright.shape == (N_JOINTS,)
            and one.bare.shape == one.image.shape
            and one.image.ndim == 3
            and one.image.dtype == one.bare.dtype == np.uint8
            for one in pictures
        )
        same = str(arrays["told"]) == told
    except (LookupError, TypeError, ValueError) as error:
        raise InputError(f"{path} is no record of the hand: {' '.join(str(error).split())[:200]}") from error
    if not fits:
        raise InputError(f"{path} is no record of the hand: pictures and joint angles have other shapes")
    if not same:
        raise InputError(f"{path} was recorded with another calibration, camera or block: begin anew, without --resume")
    return HandRecord(path, told, closings, pictures)
