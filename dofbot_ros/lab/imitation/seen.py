"""Finds the hands of photos and videos, and cuts them out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import InputError
from dofbot_ros.lab.imitation.mask import HandCutout, Mask, cut_out
from dofbot_ros.teleop.config import TeleopConfig
from dofbot_ros.teleop.input.landmarks import Detector
from dofbot_ros.teleop.input.mediapipe_detector import MediapipeDetector
from dofbot_ros.vision.cameras.capture import CaptureConfig, open_source
from dofbot_ros.vision.cameras.frame_files import read_image

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png")
MOST_HANDS, APART = 200, 5
"""Hands that are taken of a source, and frames of a video from one that is looked at to the next."""


def find_hand(image: ImageArray, detector: Detector, stamp_s: float, mask: Mask = "grabcut") -> HandCutout | None:
    """The hand in a picture RGB (h, w, 3), taken at `stamp_s` [s]; None where there is none."""
    hand = detector.detect(image, stamp_s).hand
    return None if hand is None else cut_out(image, hand, mask)


def hands_of(source: str, mask: Mask = "grabcut") -> list[HandCutout]:
    """The first MOST_HANDS hands in a folder's photos, or in every fifth frame of a video.

    Raises:
        InputError: there is no hand.
        CameraError: there is no such folder or video.
    """
    pictures = _photos(Path(source), mask) if Path(source).is_dir() else _frames(source, mask)
    with closing(pictures):
        found = list(itertools.islice((hand for hand in pictures if hand is not None), MOST_HANDS))
    if not found:
        raise InputError(f"{source} shows no hand")
    return found


def photos_of(folder: Path) -> list[Path]:
    """Files of a folder's photos.

    Raises:
        InputError: there are none.
    """
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in PHOTO_SUFFIXES)
    if not files:
        raise InputError(f"{folder} holds no photos ({', '.join(PHOTO_SUFFIXES)})")
    return files


def hand_of_photo(image: ImageArray, mask: Mask = "grabcut") -> HandCutout | None:
    """The hand in a photo RGB (h, w, 3); None where there is none.

    The photo gets a detector of its own: one that has seen another photo looks where the hand was in that one.
    """
    with closing(MediapipeDetector(TeleopConfig())) as detector:
        return find_hand(image, detector, 1.0, mask)


def _photos(folder: Path, mask: Mask) -> Generator[HandCutout | None, None, None]:
    for file in photos_of(folder):
        yield hand_of_photo(read_image(file), mask)


def _frames(video: str, mask: Mask) -> Generator[HandCutout | None, None, None]:
    source = open_source(CaptureConfig(video_device=video, framerate=math.inf), MonotonicClock())
    with closing(source) as frames, closing(MediapipeDetector(TeleopConfig())) as detector:
        for number in itertools.count():
            frame = frames.read()
            if frame is None:
                return
            if number % APART == 0:
                yield find_hand(frame.image, detector, number / 30.0 + 1.0, mask)
