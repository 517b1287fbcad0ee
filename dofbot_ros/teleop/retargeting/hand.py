"""From the landmarks of a hand: where it is, how it is turned, how far it is open, which sign it makes.

Operator's frame: x towards the camera, y to the operator's left, z up; that is base_link of an arm that stands between
the operator and the camera and looks the same way as he does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dofbot_ros.core.types import FloatArray
from dofbot_ros.teleop.config import CameraConfig, Sign
from dofbot_ros.teleop.input.landmarks import (
    FINGERS,
    INDEX_MCP,
    INDEX_TIP,
    MIDDLE_MCP,
    PINKY_MCP,
    THUMB_TIP,
    WRIST,
    Landmarks,
    palm_centre,
)

EXTENDED = 1.1
"""A finger is stretched when its tip is this many times farther from the wrist than its middle joint."""
CURLED = 1.0
"""It is curled when its tip is no farther than that."""
PALM_LENGTH_PER_WIDTH = 1.45
"""Wrist to middle knuckle against index to little knuckle, of the median hand recorded."""
THUMB_APART = 0.45
"""Thumb tip to index tip of an open palm, in palm lengths: less is a pinch."""
KNUCKLES_SHUT, KNUCKLES_OPEN = 0.35, 0.8
"""Knuckle to tip in palm lengths, mean of four fingers: of a fist, of a flat hand (median of recorded hands)."""


@dataclass(frozen=True, eq=False)
class HandPose:
    """What a hand says.

    Attributes:
        distance: of the palm from the camera along its axis [m].
        bearing: of the palm, to the left and up per distance (tangents), shape (2,).
        pitch: of wrist -> middle knuckle towards the camera, from square to it (0) to straight at it (pi/2) [rad].
        roll: of the palm about that direction, counter-clockwise positive, 0 with the knuckles across the view [rad].
        pinch: thumb tip to index tip, in palm lengths.
    """

    distance: float
    bearing: FloatArray
    pitch: float
    roll: float
    pinch: float

    @property
    def position(self) -> FloatArray:
        """Of the palm in the operator's frame, from the camera [m], shape (3,)."""
        return np.array([-self.distance, *(self.distance * self.bearing)])


def hand_pose(hand: Landmarks, width: int, height: int, camera: CameraConfig, palm_m: float) -> HandPose:
    """Read one hand. Weak perspective: the palm is small against its distance, so its size in the image tells that.

    Args:
        hand: its landmarks; image coordinates [px] of a `width` x `height` image.
        width, height: of the image [px].
        camera: field of view, and whether the image is mirrored.
        palm_m: wrist to middle knuckle of this operator [m].
    """
    world = _operator_axes(hand.world, camera.mirrored)
    palm = max(float(np.linalg.norm(world[MIDDLE_MCP] - world[WRIST])), 1e-9)
    focal_px = 0.5 * width / math.tan(math.radians(0.5 * camera.horizontal_fov_deg))
    px_per_m = _palm_px(hand) / palm_m
    u, v = palm_centre(hand) - (0.5 * width, 0.5 * height)

    direction = (world[MIDDLE_MCP] - world[WRIST]) / palm
    return HandPose(
        distance=focal_px / px_per_m,
        bearing=np.array([-u if camera.mirrored else u, -v]) / focal_px,
        pitch=math.asin(float(np.clip(direction[0], -1.0, 1.0))),
        roll=_roll(direction, world[INDEX_MCP] - world[PINKY_MCP], hand.side),
        pinch=float(np.linalg.norm(world[THUMB_TIP] - world[INDEX_TIP])) / palm,
    )


def hand_sign(hand: Landmarks) -> Sign:
    """Open palm, fist or none of them."""
    world = hand.world
    wrist = world[WRIST]
    stretch = [
        np.linalg.norm(world[tip] - wrist) / max(float(np.linalg.norm(world[middle] - wrist)), 1e-9)
        for _, middle, tip in FINGERS
    ]
    palm = max(float(np.linalg.norm(world[MIDDLE_MCP] - wrist)), 1e-9)
    if min(stretch) > EXTENDED and np.linalg.norm(world[THUMB_TIP] - world[INDEX_TIP]) > THUMB_APART * palm:
        return "open palm"
    return "fist" if max(stretch) < CURLED else "none"


def hand_opening(hand: Landmarks) -> float:
    """How far a hand is open: 0 a fist, 1 a flat hand."""
    world = hand.world
    palm = max(float(np.linalg.norm(world[MIDDLE_MCP] - world[WRIST])), 1e-9)
    reach = np.mean([np.linalg.norm(world[tip] - world[knuckle]) for knuckle, _, tip in FINGERS]) / palm
    return float(np.clip((reach - KNUCKLES_SHUT) / (KNUCKLES_OPEN - KNUCKLES_SHUT), 0.0, 1.0))


def _operator_axes(world: FloatArray, mirrored: bool) -> FloatArray:
    """Camera axes (x right, y down, z away) -> operator's frame, shape (n, 3)."""
    left = -world[:, 0] if mirrored else world[:, 0]
    return np.stack([-world[:, 2], left, -world[:, 1]], axis=1)


def _palm_px(hand: Landmarks) -> float:
    """The palm's length in the image, as if it were square to the view [px].

    A palm that is turned away looks shorter or narrower, hardly ever both: the longest of its measures, each brought to
    the length of the palm, is the least foreshortened one. On recorded hands this is half as noisy as the model's world
    landmarks, whose size wanders with the posture of the fingers.
    """
    p = hand.image[:, :2]
    wrist, width = p[WRIST], float(np.linalg.norm(p[INDEX_MCP] - p[PINKY_MCP]))
    lengths = [float(np.linalg.norm(p[k] - wrist)) for k in (INDEX_MCP, MIDDLE_MCP)]
    return max(*lengths, PALM_LENGTH_PER_WIDTH * width, 1e-9)


def _roll(direction: FloatArray, across: FloatArray, side: str | None) -> float:
    """Turn of the knuckle line about `direction`, against a palm that was bent there from upright without twist.

    The bend is the smallest rotation that takes `direction` to straight up (Rodrigues); what is left of the knuckle
    line's azimuth then is twist. The line runs from the little to the index finger of a right hand whose palm faces
    the camera, so it is reversed for a left hand.
    """
    axis = np.cross(direction, (0.0, 0.0, 1.0))
    s, c = float(np.linalg.norm(axis)), float(direction[2])
    line = across if side != "left" else -across
    if s > 1e-9:
        k = axis / s
        line = line * c + np.cross(k, line) * s + k * float(k @ line) * (1.0 - c)
    return math.atan2(-line[0], line[1])
