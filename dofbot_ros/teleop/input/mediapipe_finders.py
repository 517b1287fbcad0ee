"""MediaPipe's landmark finders: older solutions with models inside the wheel, and the Tasks API with .task files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import DependencyError, InputError
from dofbot_ros.teleop.config import CameraConfig
from dofbot_ros.teleop.input.landmarks import Landmarks, Side
from dofbot_ros.teleop.input.model_files import BODY_MODEL, HAND_MODEL, find_model


@dataclass(frozen=True)
class Finder:
    """One model.

    Attributes:
        find: takes an image (h, w, 3) RGB and its stamp [s], which must grow; returns what it sees, best first.
        close: lets go of it.
    """

    find: Callable[[ImageArray, float], list[Landmarks]]
    close: Callable[[], None]


def hand_finder(camera: CameraConfig, count: int) -> Finder:
    """Follows up to `count` hands through a video.

    Raises:
        DependencyError: mediapipe is not installed.
        InputError: no model file, or a file that is none.
    """
    if not camera.hand_model and _has_solutions():
        return _solution_hands(camera, count)
    return _task_hands(camera, count, still=False)


def other_hands_finder(camera: CameraConfig) -> Finder:
    """Searches a whole image for two hands, whatever was there before; it takes no account of the stamp.

    Raises:
        DependencyError: mediapipe is not installed.
        InputError: no model file, or a file that is none.
    """
    if _has_solutions():
        return _solution_hands(camera, 2, still=True, lite=True)
    return _task_hands(camera, 2, still=True)


def body_finder(camera: CameraConfig) -> Finder:
    """Follows one body through a video.

    Raises:
        DependencyError: mediapipe is not installed.
        InputError: no model file, or a file that is none.
    """
    if not camera.body_model and _has_solutions():
        return _solution_bodies(camera)
    vision = _mediapipe().tasks.vision
    path = find_model(BODY_MODEL, camera.body_model)
    options = vision.PoseLandmarkerOptions(
        base_options=_mediapipe().tasks.BaseOptions(model_asset_path=str(path)),
        running_mode=vision.RunningMode.VIDEO,
        num_poses=1,
        min_pose_detection_confidence=camera.min_detection,
        min_tracking_confidence=camera.min_tracking,
    )
    task = _task(vision.PoseLandmarker, options, path)
    stamps = _Milliseconds()

    def find(image: ImageArray, stamp_s: float) -> list[Landmarks]:
        result = task.detect_for_video(_mp_image(image), stamps.next(stamp_s))
        pairs = zip(result.pose_landmarks, result.pose_world_landmarks, strict=True)
        return [_body(points, world, image) for points, world in pairs]

    return Finder(find, task.close)


def _task_hands(camera: CameraConfig, count: int, still: bool) -> Finder:
    vision = _mediapipe().tasks.vision
    path = find_model(HAND_MODEL, camera.hand_model)
    options = vision.HandLandmarkerOptions(
        base_options=_mediapipe().tasks.BaseOptions(model_asset_path=str(path)),
        running_mode=vision.RunningMode.IMAGE if still else vision.RunningMode.VIDEO,
        num_hands=count,
        min_hand_detection_confidence=camera.min_detection,
        min_tracking_confidence=camera.min_tracking,
    )
    task = _task(vision.HandLandmarker, options, path)
    stamps = _Milliseconds()

    def find(image: ImageArray, stamp_s: float) -> list[Landmarks]:
        picture = _mp_image(image)
        result = task.detect(picture) if still else task.detect_for_video(picture, stamps.next(stamp_s))
        named = [(h[0].category_name, h[0].score) for h in result.handedness]
        # The Tasks API names the side as it is seen, the older solutions as if every image were a mirror's.
        return _hands(result.hand_landmarks, result.hand_world_landmarks, named, image, flipped=camera.mirrored)

    return Finder(find, task.close)


def _solution_hands(camera: CameraConfig, count: int, still: bool = False, lite: bool = False) -> Finder:
    solution = _mediapipe().solutions.hands.Hands(
        static_image_mode=still,
        max_num_hands=count,
        model_complexity=0 if lite else 1,
        min_detection_confidence=camera.min_detection,
        min_tracking_confidence=camera.min_tracking,
    )

    def find(image: ImageArray, _stamp_s: float) -> list[Landmarks]:
        result = solution.process(image)
        named = [(h.classification[0].label, h.classification[0].score) for h in result.multi_handedness or []]
        points = [hand.landmark for hand in result.multi_hand_landmarks or []]
        world = [hand.landmark for hand in result.multi_hand_world_landmarks or []]
        return _hands(points, world, named, image, flipped=not camera.mirrored)

    return Finder(find, solution.close)


def _solution_bodies(camera: CameraConfig) -> Finder:
    solution = _mediapipe().solutions.pose.Pose(
        model_complexity=1,
        min_detection_confidence=camera.min_detection,
        min_tracking_confidence=camera.min_tracking,
    )

    def find(image: ImageArray, _stamp_s: float) -> list[Landmarks]:
        result = solution.process(image)
        if not result.pose_landmarks:
            return []
        return [_body(result.pose_landmarks.landmark, result.pose_world_landmarks.landmark, image)]

    return Finder(find, solution.close)


class _Milliseconds:
    """The Tasks API counts in whole milliseconds and refuses one that it has had."""

    def __init__(self) -> None:
        self._last = -1

    def next(self, stamp_s: float) -> int:
        self._last = max(self._last + 1, int(stamp_s * 1e3))
        return self._last


def _mediapipe() -> Any:
    # Its C++ side writes a page of notices to stderr at every start.
    os.environ.setdefault("GLOG_minloglevel", "2")
    try:
        import mediapipe
    except ImportError as error:
        raise DependencyError("mediapipe", "teleop", "finding hands and bodies") from error
    return mediapipe


def _has_solutions() -> bool:
    """Whether this MediaPipe is one of those that bring their models (0.10.21 is the last)."""
    return hasattr(_mediapipe(), "solutions")


def _task(kind: Any, options: Any, path: Path) -> Any:
    try:
        return kind.create_from_options(options)
    except (OSError, RuntimeError, ValueError) as error:
        line = " ".join(str(error).split())
        raise InputError(f"{path} is no model for MediaPipe's {kind.__name__}: {line}") from error


def _mp_image(image: ImageArray) -> Any:
    mediapipe = _mediapipe()
    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image))


def _hands(
    points: Sequence[Any], world: Sequence[Any], named: Sequence[tuple[str, float]], image: ImageArray, *, flipped: bool
) -> list[Landmarks]:
    found = []
    for p, w, (label, score) in zip(points, world, named, strict=True):
        side: Side = "right" if (label == "Right") != flipped else "left"
        found.append(Landmarks(_pixels(p, image), _xyz(w), float(score), side))
    return found


def _body(points: Sequence[Any], world: Sequence[Any], image: ImageArray) -> Landmarks:
    visibility = np.array([p.visibility for p in points])
    return Landmarks(_pixels(points, image), _xyz(world), float(visibility.mean()), None, visibility)


def _xyz(points: Sequence[Any]) -> FloatArray:
    return np.array([(p.x, p.y, p.z) for p in points], dtype=np.float64)


def _pixels(points: Sequence[Any], image: ImageArray) -> FloatArray:
    height, width = image.shape[:2]
    return _xyz(points) * (width, height, width)
