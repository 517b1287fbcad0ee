"""Follows a recording with the simulated arm and writes what happened: operator and arm side by side, path, plot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dofbot_ros.core.clock import ManualClock
from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.teleop.config import TeleopConfig
from dofbot_ros.teleop.input.landmarks import CameraLandmarks, Observation
from dofbot_ros.teleop.input.recording import load_observations
from dofbot_ros.teleop.sessions.overlay import draw_overlay, shrunk
from dofbot_ros.teleop.sessions.side_by_side import PANEL_WIDTH, SideBySide, fitted
from dofbot_ros.vision.cameras.capture import CaptureConfig, open_source

FILES = ("side_by_side.mp4", "path.npz", "path.csv", "tracking.png")


def watch(source: str, config: TeleopConfig) -> Iterator[tuple[Observation, ImageArray]]:
    """Observations and images (h, w, 3) RGB of a video, a folder, or a landmark recording, as fast as they come.

    Raises:
        DofbotError: the source cannot be used.
    """
    if Path(source).suffix == ".npz":
        for observation in load_observations(source):
            yield observation, np.full((observation.height, observation.width, 3), 40, np.uint8)
        return
    from dofbot_ros.teleop.input.mediapipe_detector import MediapipeDetector

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
    path = Path(source)
    if path.suffix == ".npz":
        return len(load_observations(source))
    if path.is_dir():
        return sum(1 for _ in path.iterdir())
    count = int(cv2.VideoCapture(source, cv2.CAP_FFMPEG).get(cv2.CAP_PROP_FRAME_COUNT))
    return count if count > 0 else None


def record_session(
    source: str,
    config: TeleopConfig,
    folder: Path,
    seed: int = 0,
    after_frame: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Let the simulated arm follow a recording and write FILES to `folder`.

    Returns:
        frames; hand_found: share of them that showed whom to follow; followed_s: time engaged [s]; let_go: how often
        following ended; lag_ms and tracking_mm: the delay at which the tool fits its target best [ms] and what is left
        then [mm rms]; rejections: control cycles in which the governor did more than clamp to limits.

    Raises:
        DofbotError: the source cannot be used, or is no recording.
    """
    from dofbot_ros.teleop.sessions.plot import plot_tracking
    from dofbot_ros.teleop.sessions.session import SimSession

    seen = watch(source, config)
    head = list(islice(seen, 2))
    if len(head) < 2:
        raise DofbotError(f"{source}: {len(head)} pictures are no recording; at least two are needed")
    fps = 1.0 / (head[1][0].stamp_s - head[0][0].stamp_s)
    height = round(head[0][1].shape[0] * PANEL_WIDTH / head[0][1].shape[1]) // 2 * 2
    frames = found = 0
    signs = config.mode if config.clutch.signs else ""
    with SimSession(config, seed) as session, SideBySide(folder / FILES[0], fps) as video:
        for observation, image in chain(head, seen):
            session.observe(observation)
            frames += 1
            found += (observation.hand if config.mode == "hand" else observation.body) is not None
            small, shown = shrunk(image, observation, PANEL_WIDTH)
            left = draw_overlay(small, shown, session.status, latency_s=None, reach=config.reach, mode=signs)
            video.add(fitted(left, PANEL_WIDTH, height), session.render(height * 4 // 3 // 2 * 2, height))
            after_frame()
        log = session.finish()
    log.save(folder)
    plot_tracking(log, folder / FILES[3])
    lag_s, error_m = log.tracking()
    return {
        "frames": frames,
        "hand_found": found / frames,
        "followed_s": float(log.engaged.sum() / config.control_rate_hz),
        "let_go": log.released,
        "lag_ms": 1e3 * lag_s,
        "tracking_mm": 1e3 * error_m,
        "rejections": log.rejections,
    }
