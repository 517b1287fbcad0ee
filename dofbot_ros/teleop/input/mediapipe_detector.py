"""MediaPipe as the detector: hands and bodies from the models inside its wheel, or from .task files."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from dofbot_ros.core.types import ImageArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.teleop.config import Mode, TeleopConfig
from dofbot_ros.teleop.input.landmarks import Landmarks, Observation, palm_centre, palm_size_px
from dofbot_ros.teleop.input.mediapipe_finders import Finder, body_finder, hand_finder, other_hands_finder
from dofbot_ros.teleop.retargeting.body import SIDES, seen_side

WIDTH = 640
"""Wider images are shrunk first: the models see 192 or 256 pixels of them anyway [px]."""


class MediapipeDetector:
    """Finds the operator's hand (mode `hand`), or his body and the hand of the steering arm (mode `arm`).

    Looking for a second hand makes MediaPipe search the whole image in every frame, which doubles its time. So only
    one hand is tracked, and `look_around` searches for others now and then, when no command waits for it.

    Args:
        config: of teleoperation.

    Raises:
        DependencyError: mediapipe is not installed.
        InputError: a model file that is none, or that this MediaPipe needs and is not there.
    """

    def __init__(self, config: TeleopConfig) -> None:
        self._config = config
        self._mode: Mode = config.mode
        self._finders: list[Finder] = []
        camera = config.camera
        try:
            self._hands = self._opened(hand_finder(camera, 1 if self._mode == "hand" else 2))
            by_hand = self._mode == "hand"
            self._others_finder = self._opened(other_hands_finder(camera)) if by_hand else None
            self._bodies = None if by_hand else self._opened(body_finder(camera))
        except DofbotError:
            self._close_finders()
            raise
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hands")
        self._hand: Landmarks | None = None
        self._others = 0
        self._frames = 0

    def detect(self, image: ImageArray, stamp_s: float) -> Observation:
        """Look at `image` (h, w, 3) RGB, captured at `stamp_s` [s]; stamps must grow."""
        height, width = image.shape[:2]
        small = _shrunk(image)
        if self._bodies is None:
            hands, body = self._hands.find(small, stamp_s), None
            hand = hands[0] if hands else None
        else:
            # MediaPipe lets other threads run, so both models share the time of the slower one.
            pending = self._pool.submit(self._hands.find, small, stamp_s)
            bodies = self._bodies.find(small, stamp_s)
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
        found = self._others_finder.find(_shrunk(image), 0.0)
        # The search may find the tracked hand twice; another hand is at another place.
        self._others = sum(
            float(np.linalg.norm(palm_centre(h) - centre)) > 1.5 * max(size, palm_size_px(h))
            and h.score >= self._config.clutch.min_score
            for h in found
        )

    def close(self) -> None:
        """Let go of the models."""
        self._pool.shutdown()
        self._close_finders()

    def _opened(self, finder: Finder) -> Finder:
        self._finders.append(finder)
        return finder

    def _close_finders(self) -> None:
        while self._finders:
            self._finders.pop().close()

    def _steering_hand(self, hands: Sequence[Landmarks], body: Landmarks | None) -> Landmarks | None:
        if body is None or not hands:
            return None
        wrist = body.image[SIDES[seen_side(self._config.arm.side, self._config.camera.mirrored)].wrist, :2]
        nearest = min(hands, key=lambda h: float(np.linalg.norm(h.image[0, :2] - wrist)))
        near = float(np.linalg.norm(nearest.image[0, :2] - wrist)) < 2.0 * palm_size_px(nearest)
        return nearest if near else None


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
