"""A folder of images, played at a rate on the clock that is given."""

from __future__ import annotations

from pathlib import Path

from dofbot_ros.core.clock import Clock
from dofbot_ros.vision.cameras.frame_files import IMAGE_SUFFIXES, Pace, read_image
from dofbot_ros.vision.cameras.frames import CameraError, Frame

FOLDER_HZ = 30.0
"""Rate of an image folder, which has none of its own [1/s]."""


class ImageFolder:
    """The images of a folder in the order of their names.

    Args:
        path: the folder; files that are no images by their suffix are passed over.
        clock: paces the frames and stamps them.
        framerate: frames a second; 0: 30; inf: as fast as they are read.
        loop: begin again at the end.

    Raises:
        CameraError: no such folder, or no images in it.
    """

    def __init__(self, path: str | Path, clock: Clock, framerate: float = 0.0, loop: bool = False) -> None:
        if not Path(path).is_dir():
            raise CameraError(f"{path}: no such image folder")
        self._files = sorted(p for p in Path(path).iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
        if not self._files:
            raise CameraError(f"{path}: holds no images ({', '.join(IMAGE_SUFFIXES)})")
        self._loop, self._at = loop, 0
        self._pace = Pace(clock, framerate or FOLDER_HZ)

    def read(self) -> Frame | None:
        """The next image, when its time has come; None at the end.

        Raises:
            CameraError: a file that is no image.
        """
        if self._at == len(self._files):
            if not self._loop:
                return None
            self._at = 0
        image = read_image(self._files[self._at])
        self._at += 1
        return Frame(image, self._pace.wait())

    def close(self) -> None:
        """Nothing is held open."""
