"""Whether a source of teleoperation can be used, told before anything starts."""

from __future__ import annotations

import os
from pathlib import Path

import cv2

from dofbot_ros.core.clock import ManualClock
from dofbot_ros.errors import InputError
from dofbot_ros.teleop.config import TeleopConfig
from dofbot_ros.teleop.input.gamepad import Gamepad, pad_path
from dofbot_ros.teleop.input.recording import load_observations
from dofbot_ros.vision.cameras.capture import CaptureConfig, open_source

ERRORS_ONLY = 2
"""OpenCV's log level."""
FFMPEG_QUIET = "-8"
"""AV_LOG_QUIET."""

DEVICES = ("keyboard", "gamepad", "joy", "topic")
"""Sources that are neither camera nor file."""


def check_source(source: str) -> None:
    """Open a camera, video, folder, stream or recording once, and close it again.

    Raises:
        DofbotError: there is no such thing, or it is something else.
    """
    if source == "gamepad" or source.startswith("/dev/input/"):
        config = TeleopConfig()
        Gamepad(pad_path(source), config.gamepad, config.manual).close()
        return
    if source in DEVICES:
        return
    if not source:
        raise InputError("an empty source: give a camera (0), a video file, a folder, an address, keyboard or gamepad")
    if Path(source).suffix == ".npz":
        load_observations(source)
        return
    # What OpenCV and FFmpeg think of a file that is not theirs is no news to the operator.
    cv2.setLogLevel(ERRORS_ONLY)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", FFMPEG_QUIET)
    open_source(CaptureConfig(video_device=source), ManualClock()).close()
