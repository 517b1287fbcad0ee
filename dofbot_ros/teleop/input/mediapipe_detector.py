"""MediaPipe as the detector: hands and bodies from the models inside its wheel, or from .task files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import DependencyError, InputError
from dofbot_ros.teleop.config import CameraConfig, Mode, TeleopConfig
from dofbot_ros.teleop.input.landmarks import Landmarks, Observation, Side, palm_centre, palm_size_px
from dofbot_ros.teleop.retargeting.body import SIDES, seen_side

WIDTH = 640
"""Wider images are shrunk first: the models see 192 or 256 pixels of them anyway [px]."""

Find = Callable[[ImageArray, float], list[Landmarks]]


class MediapipeDetector:
    """Finds the operator's hand (mode `hand`), or his body and the hand of the steering arm (mode `arm`).

    Looking for a second hand makes MediaPipe search the whole image in every frame, which doubles its time. So only
    one hand is tracked, and `look_around` searches for others now and then, when no command waits for it.

    Args:
        config: of teleoperation.

    Raises:
        DependencyError: mediapipe is not installed.
        InputError: a model file that is none.
    """

    def __init__(self, config: TeleopConfig) -> None:
        self._config = config
        self._mode: Mode = config.mode
        self._closers: list[Callable[[], None]] = []
        camera = config.camera
        self._hands = self._hand_finder(camera, 1 if self._mode == "hand" else 2)
        self._others_finder: Find | None = None
        self._bodies: Find | None = None
        if self._mode == "hand":
            self._others_finder = self._solution_hands(camera, 2, still=True, lite=True)
        else:
            self._bodies = self._body_finder(camera)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hands")
        self._closers.append(self._pool.shutdown)
        self._hand: Landmarks | None = None
        self._others = 0
        self._frames = 0

    def detect(self, image: ImageArray, stamp_s: float) -> Observation:
        """Look at `image` (h, w, 3) RGB, captured at `stamp_s` [s]; stamps must grow."""
        height, width = image.shape[:2]
        small = _shrunk(image)
        if self._bodies is None:
            hands, body = self._hands(small, stamp_s), None
            hand = hands[0] if hands else None
        else:
            # MediaPipe lets other threads run, so both models share the time of the slower one.
            pending = self._pool.submit(self._hands, small, stamp_s)
            bodies = self._bodies(small, stamp_s)
            body = bodies[0] if bodies else None
            hand = self._steering_hand(pending.result(), body)
        scale = width / small.shape[1]
        self._hand = hand
        if hand is None:
            self._others = 0
        return Observation(stamp_s, width, height, _scaled(hand, scale), _scaled(body, scale), self._others)

    def look_around(self, image: ImageArray) -> None:
        """Count the hands in the image that `detect` has just seen; slow, so only every few frames."""
        self._frames += 1
        hand = self._hand
        if self._others_finder is None or hand is None or self._frames % self._config.camera.look_around_every:
            return
        centre, size = palm_centre(hand), palm_size_px(hand)
        found = self._others_finder(_shrunk(image), 0.0)
        # The search may find the tracked hand twice; another hand is at another place.
        self._others = sum(
            float(np.linalg.norm(palm_centre(h) - centre)) > 1.5 * max(size, palm_size_px(h))
            and h.score >= self._config.clutch.min_score
            for h in found
        )

    def close(self) -> None:
        """Let go of the models."""
        while self._closers:
            self._closers.pop()()

    def _steering_hand(self, hands: Sequence[Landmarks], body: Landmarks | None) -> Landmarks | None:
        if body is None or not hands:
            return None
        wrist = body.image[SIDES[seen_side(self._config.arm.side, self._config.camera.mirrored)].wrist, :2]
        nearest = min(hands, key=lambda h: float(np.linalg.norm(h.image[0, :2] - wrist)))
        near = float(np.linalg.norm(nearest.image[0, :2] - wrist)) < 2.0 * palm_size_px(nearest)
        return nearest if near else None

    def _hand_finder(self, camera: CameraConfig, count: int) -> Find:
        if not camera.hand_model:
            return self._solution_hands(camera, count)
        vision = _mediapipe().tasks.vision
        options = vision.HandLandmarkerOptions(
            base_options=_base_options(camera.hand_model),
            running_mode=vision.RunningMode.VIDEO,
            num_hands=count,
            min_hand_detection_confidence=camera.min_detection,
            min_tracking_confidence=camera.min_tracking,
        )
        task = self._task(vision.HandLandmarker, options, camera.hand_model)

        def find(image: ImageArray, stamp_s: float) -> list[Landmarks]:
            result = task.detect_for_video(_mp_image(image), int(stamp_s * 1e3))
            named = [(h[0].category_name, h[0].score) for h in result.handedness]
            # The Tasks API names the side as it is seen, the older solutions as if every image were a mirror's.
            return _hands(result.hand_landmarks, result.hand_world_landmarks, named, image, flipped=camera.mirrored)

        return find

    def _body_finder(self, camera: CameraConfig) -> Find:
        if not camera.body_model:
            return self._solution_bodies(camera)
        vision = _mediapipe().tasks.vision
        options = vision.PoseLandmarkerOptions(
            base_options=_base_options(camera.body_model),
            running_mode=vision.RunningMode.VIDEO,
            num_poses=1,
            min_pose_detection_confidence=camera.min_detection,
            min_tracking_confidence=camera.min_tracking,
        )
        task = self._task(vision.PoseLandmarker, options, camera.body_model)

        def find(image: ImageArray, stamp_s: float) -> list[Landmarks]:
            result = task.detect_for_video(_mp_image(image), int(stamp_s * 1e3))
            pairs = zip(result.pose_landmarks, result.pose_world_landmarks, strict=True)
            return [_body(points, world, image) for points, world in pairs]

        return find

    def _solution_hands(self, camera: CameraConfig, count: int, still: bool = False, lite: bool = False) -> Find:
        solution = _mediapipe().solutions.hands.Hands(
            static_image_mode=still,
            max_num_hands=count,
            model_complexity=0 if lite else 1,
            min_detection_confidence=camera.min_detection,
            min_tracking_confidence=camera.min_tracking,
        )
        self._closers.append(solution.close)

        def find(image: ImageArray, _stamp_s: float) -> list[Landmarks]:
            result = solution.process(image)
            named = [(h.classification[0].label, h.classification[0].score) for h in result.multi_handedness or []]
            points = [hand.landmark for hand in result.multi_hand_landmarks or []]
            world = [hand.landmark for hand in result.multi_hand_world_landmarks or []]
            return _hands(points, world, named, image, flipped=not camera.mirrored)

        return find

    def _solution_bodies(self, camera: CameraConfig) -> Find:
        solution = _mediapipe().solutions.pose.Pose(
            model_complexity=1,
            min_detection_confidence=camera.min_detection,
            min_tracking_confidence=camera.min_tracking,
        )
        self._closers.append(solution.close)

        def find(image: ImageArray, _stamp_s: float) -> list[Landmarks]:
            result = solution.process(image)
            if not result.pose_landmarks:
                return []
            return [_body(result.pose_landmarks.landmark, result.pose_world_landmarks.landmark, image)]

        return find

    def _task(self, kind: Any, options: Any, path: str) -> Any:
        try:
            task = kind.create_from_options(options)
        except (RuntimeError, ValueError) as error:
            line = " ".join(str(error).split())
            raise InputError(f"{path} is no model for MediaPipe's {kind.__name__}: {line}") from error
        self._closers.append(task.close)
        return task


def _mediapipe() -> Any:
    # Its C++ side writes a page of notices to stderr at every start.
    os.environ.setdefault("GLOG_minloglevel", "2")
    try:
        import mediapipe
    except ImportError as error:
        raise DependencyError("mediapipe", "teleop", "finding hands and bodies") from error
    return mediapipe


def _base_options(path: str) -> Any:
    if not Path(path).is_file():
        raise InputError(f"no model file {path}")
    return _mediapipe().tasks.BaseOptions(model_asset_path=path)


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


def _shrunk(image: ImageArray) -> ImageArray:
    height, width = image.shape[:2]
    if width <= WIDTH:
        return image
    shrunk = cv2.resize(image, (WIDTH, round(height * WIDTH / width)), interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, dtype=np.uint8)


def _scaled(landmarks: Landmarks | None, scale: float) -> Landmarks | None:
    if landmarks is None or scale == 1.0:
        return landmarks
    return Landmarks(landmarks.image * scale, landmarks.world, landmarks.score, landmarks.side, landmarks.visibility)
