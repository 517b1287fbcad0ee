"""What the grasp planner sees and proposes, as a picture: view, heat map, closing lines, a line of words."""

from __future__ import annotations

import math

import cv2
import numpy as np

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.grasp.detection.detector import GraspDetection

Colour = tuple[int, int, int]
BEST: Colour = (255, 255, 255)
REACHABLE: Colour = (60, 220, 60)
UNREACHABLE: Colour = (230, 60, 60)
DARK: Colour = (30, 34, 40)

SCALE = 8
"""Pixels of the picture for a pixel of a view."""

OPEN_M = 0.060
"""Length of a closing line: what the open fingers span [m]."""

WARMEST = 3.0
"""Score at which a pixel is as warm as can be; at 0, where a grasp is as likely to hold as not, it gets warm."""

BANNER_PX = 34


def draw_detection(detection: GraspDetection, words: str) -> ImageArray:
    """The view from above with all that is known of it, RGB (h, w, 3).

    The warmer a pixel, the likelier is a grasp there to hold: bare table keeps its colour. White is the best grasp
    within reach, green are others, red are those out of reach.
    """
    picture = _warm(detection)
    half = 0.5 * OPEN_M / detection.view.resolution
    best = next((offer for offer in detection.offers if offer.plan is not None), None)
    for offer in reversed(detection.offers):
        pinch = offer.candidate.pinch
        colour = BEST if offer is best else REACHABLE if offer.plan is not None else UNREACHABLE
        row, column = detection.view.to_pixel(pinch.x, pinch.y)
        draw_grasp(picture, (row, column), pinch.yaw, colour, half=half, scale=SCALE)
    return _with_words(picture, words)


def draw_words(size: int, words: str) -> ImageArray:
    """A picture of the same size for a view of `size` pixels that could not be had, RGB (h, w, 3)."""
    return _with_words(np.full((SCALE * size, SCALE * size, 3), DARK, np.uint8), words)


def draw_grasp(
    picture: ImageArray, at: tuple[float, float], yaw: float, colour: Colour, *, half: float, scale: int
) -> None:
    """Draw a closing line with a pad at either end into an enlarged view, in place.

    Args:
        picture: the view, enlarged by `scale`.
        at: row and column in the view.
        yaw: of the closing line in base_link [rad].
        colour: RGB.
        half: of the line's length [pixels of the view].
        scale: of the picture.
    """
    middle = scale * (np.array([at[1], at[0]]) + 0.5)
    # Columns run along -y and rows along -x.
    arm = scale * half * np.array([-math.sin(yaw), -math.cos(yaw)])
    pad = 0.3 * arm[::-1] * (1, -1)
    ends = [middle - arm, middle + arm]
    for start, end in [(ends[0], ends[1]), *((end - pad, end + pad) for end in ends)]:
        cv2.line(picture, _pixel(start), _pixel(end), colour, 2, cv2.LINE_AA)


def _warm(detection: GraspDetection) -> ImageArray:
    warmth = np.clip(detection.map / WARMEST, 0.0, 1.0)
    size = SCALE * detection.view.size, SCALE * detection.view.size
    view = cv2.resize(detection.image, size, interpolation=cv2.INTER_NEAREST)
    share = cv2.resize(warmth, size, interpolation=cv2.INTER_LINEAR)
    heat = cv2.applyColorMap(np.asarray(np.rint(255 * share), np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    opacity = 0.8 * share[..., None]
    return np.asarray(np.rint((1.0 - opacity) * view + opacity * heat), np.uint8)


def _with_words(picture: ImageArray, words: str) -> ImageArray:
    banner = np.full((BANNER_PX, picture.shape[1], 3), DARK, np.uint8)
    text, font = words, cv2.FONT_HERSHEY_SIMPLEX
    while cv2.getTextSize(text, font, 0.5, 1)[0][0] > banner.shape[1] - 16:
        text = text[:-4] + "..."
    cv2.putText(banner, text, (8, BANNER_PX - 12), font, 0.5, BEST, 1, cv2.LINE_AA)
    return np.vstack([banner, picture])


def _pixel(point: FloatArray) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
