"""What a camera frame showed of the operator: hand and body landmarks with their capture time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.vision.cameras.frames import Frame, FrameSource

Side = Literal["left", "right"]

N_HAND = 21
N_BODY = 33

WRIST, THUMB_TIP, INDEX_TIP, INDEX_MCP, MIDDLE_MCP, PINKY_MCP = 0, 4, 8, 5, 9, 17
PALM = (0, 1, 5, 9, 13, 17)
"""The hand landmarks that move as one rigid body."""
FINGERS = ((5, 6, 8), (9, 10, 12), (13, 14, 16), (17, 18, 20))
"""Knuckle (MCP), middle joint (PIP) and tip of index, middle, ring and little finger."""


@dataclass(frozen=True, eq=False)
class Landmarks:
    """One hand (21 points) or one body (33 points), in MediaPipe's order.

    Attributes:
        image: [px] u right, v down, and depth in the same scale (away from the camera), shape (n, 3).
        world: [m] from the middle of the hand or the hips, in the camera's axes right, down, away, shape (n, 3).
        score: trust in the detection, 0 to 1.
        side: which hand of the operator's it is; None for a body.
        visibility: trust in each point, 0 to 1, shape (n,); None where the model does not say (hands).
    """

    image: FloatArray
    world: FloatArray
    score: float
    side: Side | None = None
    visibility: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class Observation:
    """What one frame showed.

    Attributes:
        stamp_s: when the frame was captured, on the steady clock [s].
        width, height: of the image [px].
        hand: the operator's hand, None where none was found.
        body: the operator's body, None where none was found or looked for.
        others: further hands in view beside `hand`.
    """

    stamp_s: float
    width: int
    height: int
    hand: Landmarks | None = None
    body: Landmarks | None = None
    others: int = 0


class Detector(Protocol):
    """Finds landmarks in images, one after the other."""

    def detect(self, image: ImageArray, stamp_s: float) -> Observation:
        """Look at `image` (h, w, 3) RGB, captured at `stamp_s` [s]; stamps must grow."""
        ...

    def look_around(self, image: ImageArray) -> None:
        """Slow work that the command need not wait for: count the hands. Call after the command has gone out."""
        ...

    def close(self) -> None:
        """Let go of the models."""
        ...


class CameraLandmarks:
    """What a detector finds in the frames of a camera, a video or a folder.

    Args:
        frames: where the images come from.
        detector: what looks at them.
    """

    def __init__(self, frames: FrameSource, detector: Detector) -> None:
        self._frames, self._detector = frames, detector
        self.frame: Frame | None = None
        """The frame of the last observation."""

    def read(self) -> Observation | None:
        """Look at the next frame; slow work on the one before comes first, now that its command has gone out."""
        if self.frame is not None:
            self._detector.look_around(self.frame.image)
        self.frame = self._frames.read()
        return None if self.frame is None else self._detector.detect(self.frame.image, self.frame.stamp_s)

    def close(self) -> None:
        """Let go of camera and models."""
        self._frames.close()
        self._detector.close()


def palm_centre(hand: Landmarks) -> FloatArray:
    """Middle of the palm in the image [px], shape (2,)."""
    centre: FloatArray = hand.image[list(PALM), :2].mean(axis=0)
    return centre


def palm_size_px(hand: Landmarks) -> float:
    """Wrist to middle knuckle in the image [px]."""
    return float(np.linalg.norm(hand.image[MIDDLE_MCP, :2] - hand.image[WRIST, :2]))
