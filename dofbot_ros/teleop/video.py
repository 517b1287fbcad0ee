"""Side by side: the operator with what was seen of him, and the arm."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path as FilePath
from types import TracebackType

import cv2
import numpy as np

from dofbot_ros.core.clock import ManualClock
from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.teleop.config import TeleopConfig
from dofbot_ros.teleop.landmarks import CameraLandmarks, Observation
from dofbot_ros.teleop.overlay import draw_overlay, shrunk
from dofbot_ros.teleop.path import Path
from dofbot_ros.teleop.recording import load_observations
from dofbot_ros.vision.capture import CaptureConfig, open_source

PANEL_WIDTH = 640
"""Of the operator's picture [px]; the arm's has the same height, at most 4:3."""

FILES = ("side_by_side.mp4", "path.npz", "path.csv", "tracking.png")


def watch(source: str, config: TeleopConfig) -> Iterator[tuple[Observation, ImageArray]]:
    """Observations and images (h, w, 3) RGB of a video, a folder, or a landmark recording, as fast as they come.

    Raises:
        DofbotError: the source cannot be used.
    """
    if FilePath(source).suffix == ".npz":
        for observation in load_observations(source):
            yield observation, np.full((observation.height, observation.width, 3), 40, np.uint8)
        return
    from dofbot_ros.teleop.mediapipe_detector import MediapipeDetector

    # The clock of a recording is its own: it jumps to each frame's time.
    frames = open_source(CaptureConfig(video_device=source), ManualClock())
    seen = CameraLandmarks(frames, MediapipeDetector(config))
    try:
        while (found := seen.read()) is not None and seen.frame is not None:
            yield found, seen.frame.image
    finally:
        seen.close()


def count_frames(source: str) -> int | None:
    """How many observations `watch` will give, when that can be told."""
    path = FilePath(source)
    if path.suffix == ".npz":
        return len(load_observations(source))
    if path.is_dir():
        return sum(1 for _ in path.iterdir())
    count = int(cv2.VideoCapture(source, cv2.CAP_FFMPEG).get(cv2.CAP_PROP_FRAME_COUNT))
    return count if count > 0 else None


class SideBySide:
    """An mp4 file with one picture for each observation. Use it as a context.

    Args:
        file: to write.
        fps: pictures a second.

    Raises:
        DofbotError: OpenCV cannot write there.
    """

    def __init__(self, file: FilePath, fps: float) -> None:
        self._file, self._fps = file, fps
        self._writer: cv2.VideoWriter | None = None

    def __enter__(self) -> SideBySide:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.release()

    def add(self, left: ImageArray, right: ImageArray) -> None:
        """Append two pictures of the same height, RGB; all must be of the size of the first ones."""
        picture = np.hstack([left, right])
        if self._writer is None:
            size = (picture.shape[1], picture.shape[0])
            self._writer = cv2.VideoWriter(str(self._file), cv2.VideoWriter.fourcc(*"mp4v"), self._fps, size)
            if not self._writer.isOpened():
                raise DofbotError(f"{self._file}: OpenCV cannot write a video of {size[0]}x{size[1]} there")
        self._writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def record_session(source: str, config: TeleopConfig, folder: FilePath, seed: int = 0) -> Iterator[Path | None]:
    """Let the simulated arm follow a recording and write FILES to `folder`.

    Yields:
        None after each frame, the path at the end.

    Raises:
        DofbotError: the source cannot be used, or shows nothing at all.
    """
    from dofbot_ros.teleop.plot import plot_path
    from dofbot_ros.teleop.session import SimSession

    seen = watch(source, config)
    head = list(islice(seen, 2))
    if len(head) < 2:
        raise DofbotError(f"{source}: {len(head)} pictures are no recording; at least two are needed")
    fps = 1.0 / (head[1][0].stamp_s - head[0][0].stamp_s)
    height = round(head[0][1].shape[0] * PANEL_WIDTH / head[0][1].shape[1]) // 2 * 2
    with SimSession(config, seed) as session, SideBySide(folder / FILES[0], fps) as video:
        for observation, image in chain(head, seen):
            session.observe(observation)
            small, found = shrunk(image, observation, PANEL_WIDTH)
            left = draw_overlay(small, found, session.status, latency_s=None, reach=config.reach)
            video.add(_fitted(left, PANEL_WIDTH, height), session.render(height * 4 // 3 // 2 * 2, height))
            yield None
        path = session.finish()
    path.save(folder)
    plot_path(path, folder / FILES[3])
    yield path


def _fitted(image: ImageArray, width: int, height: int) -> ImageArray:
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
