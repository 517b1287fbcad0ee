"""What the operator sees: the landmarks, whether the arm follows, why not, how late it is, where the tool goes."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from dofbot_ros.arm.gripper import MAX_GAP
from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.teleop.config import ReachConfig
from dofbot_ros.teleop.input.landmarks import Landmarks, Observation
from dofbot_ros.teleop.retargeting.clutch import Reason
from dofbot_ros.teleop.retargeting.pipeline import TeleopStatus
from dofbot_ros.teleop.sessions.words import STEPS, advice, step_now

HAND_BONES = (
    (0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6), (6, 7), (7, 8), (5, 9), (9, 10), (10, 11), (11, 12),
    (9, 13), (13, 14), (14, 15), (15, 16), (13, 17), (17, 18), (18, 19), (19, 20), (0, 17),
)  # fmt: skip
BODY_BONES = (
    (11, 12), (11, 13), (13, 15), (12, 14), (14, 16), (11, 23), (12, 24), (23, 24), (15, 19), (16, 20),
)  # fmt: skip

Colour = tuple[int, int, int]
GREEN: Colour = (40, 200, 90)
AMBER: Colour = (245, 180, 40)
RED: Colour = (230, 70, 60)
WHITE: Colour = (240, 240, 240)
GREY: Colour = (165, 170, 178)
DARK: Colour = (30, 34, 40)
LABEL = 0.4
"""Size of the words in the map."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_overlay(
    image: ImageArray,
    observation: Observation | None,
    status: TeleopStatus,
    *,
    latency_s: float | None,
    reach: ReachConfig,
    mode: str = "",
) -> ImageArray:
    """A copy of `image` with everything on it.

    Args:
        image: RGB, shape (h, w, 3).
        observation: what was found in it.
        status: of the pipeline.
        latency_s: from capture to command [s]; None when nothing is commanded.
        reach: bounds of the tool, for the map.
        mode: hand or arm, whose signs are shown step by step; "" where no sign is taken.
    """
    out = image.copy()
    colour = GREEN if status.engaged else AMBER if status.fault in (None, Reason.SETTLING) else RED
    if observation is not None:
        if observation.body is not None:
            draw_skeleton(out, observation.body.image, BODY_BONES, colour)
        if observation.hand is not None:
            draw_skeleton(out, observation.hand.image, HAND_BONES, colour)
            _box(out, observation.hand, colour)
    _banner(out, status, colour, latency_s)
    _map(out, status, reach, colour)
    if mode and (status.engaged or status.fault is None):
        _steps(out, status, mode, colour)
    return out


def draw_skeleton(
    image: ImageArray, points: FloatArray, bones: tuple[tuple[int, int], ...], colour: Colour, thickness: int = 2
) -> None:
    """Draw `bones` between the image points (n, 2+) [px] that are finite, in place."""
    seen = np.isfinite(points[:, :2]).all(axis=1)
    for a, b in bones:
        if seen[a] and seen[b]:
            cv2.line(image, _pixel(points[a]), _pixel(points[b]), colour, thickness, cv2.LINE_AA)
    for i in sorted({i for bone in bones for i in bone}):
        if seen[i]:
            cv2.circle(image, _pixel(points[i]), thickness + 1, WHITE, -1, cv2.LINE_AA)
            cv2.circle(image, _pixel(points[i]), thickness + 1, colour, 1, cv2.LINE_AA)


def shrunk(image: ImageArray, observation: Observation, width: int) -> tuple[ImageArray, Observation]:
    """Image and landmarks at most `width` [px] wide: drawing on less costs less, and an eye needs no more."""
    height = round(image.shape[0] * width / image.shape[1])
    if image.shape[1] <= width:
        return image, observation
    scale = width / image.shape[1]
    hand, body = (
        None if found is None else replace(found, image=found.image * scale)
        for found in (observation.hand, observation.body)
    )
    small = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return small, replace(observation, width=width, height=height, hand=hand, body=body)


def _banner(image: ImageArray, status: TeleopStatus, colour: Colour, latency_s: float | None) -> None:
    width = image.shape[1]
    bar = _bar(image)
    _darken(image[:bar])
    cv2.rectangle(image, (0, 0), (10, bar), colour, -1)
    late = "" if latency_s is None else f"{1e3 * latency_s:.0f} ms"
    room = width - 28 - (2 * bar + 20 if late else 0)
    _text(image, _headline(status), (18, bar - 9), bar / 46, room=room)
    if late:
        _text(image, late, (width - 2 * bar - 20, bar - 9), bar / 46)


def _headline(status: TeleopStatus) -> str:
    if status.engaged:
        return "FOLLOWING - at the limit of the arm" if status.clamped else "FOLLOWING"
    if status.fault is not None:
        return f"HOLDING - {advice(status.fault.value)}"
    quiet = status.reason in (Reason.START, Reason.RELEASED)
    return "READY" if quiet else f"READY - let go before: {status.reason.value}"


def _steps(image: ImageArray, status: TeleopStatus, mode: str, colour: Colour) -> None:
    """The steps of the sign that engages or lets go, below the banner; the one that is due is bright, and fills."""
    steps, now = STEPS[mode, status.engaged], step_now(mode, status.engaged, status.primed)
    bar = _bar(image)
    if image.shape[0] < 8 * bar:
        return
    for i, step in enumerate(steps):
        top = bar + 6 + i * bar
        row = image[top : top + bar - 4]
        _darken(row)
        words = step if len(steps) == 1 else f"{i + 1}. {step}"
        _text(
            image, words, (38, top + bar - 13), bar / 52, room=image.shape[1] - 48, colour=WHITE if i == now else GREY
        )
        middle = (22, top + bar // 2 - 4)
        if i < now:
            cv2.circle(image, middle, 6, GREEN, -1, cv2.LINE_AA)
        elif i == now:
            cv2.circle(image, middle, 6, colour, 2, cv2.LINE_AA)
            if status.progress > 0.0:
                filled = round(image.shape[1] * status.progress)
                cv2.rectangle(image, (0, top + bar - 8), (filled, top + bar - 5), colour, -1)


def _bar(image: ImageArray) -> int:
    """Height of a line of words [px]."""
    return max(26, image.shape[0] // 16)


def _darken(patch: ImageArray) -> None:
    patch[:] = (patch * 0.25 + np.array(DARK) * 0.75).astype(np.uint8)


def _box(image: ImageArray, hand: Landmarks, colour: Colour) -> None:
    points = hand.image[np.isfinite(hand.image[:, :2]).all(axis=1), :2]
    if len(points):
        margin = 12
        low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
        cv2.rectangle(image, _pixel(low), _pixel(high), colour, 1, cv2.LINE_AA)
        _text(image, f"{hand.side or ''} {hand.score:.2f}", _pixel((low[0], high[1] + 14)), 0.42)


def _map(image: ImageArray, status: TeleopStatus, reach: ReachConfig, colour: Colour) -> None:
    """The tool's target from above (forward is up, left is left), its height, and the gap of the fingers, labelled."""
    height, width = image.shape[:2]
    size = max(96, height // 5)
    if min(height, width) < 2 * size:
        return
    left, top = 10, height - size - 10
    _darken(image[top - 20 : height - 4, left - 4 : left + size + 92])
    _text(image, "from above", (left, top - 6), LABEL)
    cv2.rectangle(image, (left, top), (left + size, top + size), WHITE, 1)
    for words, at in (("front", (size // 2 - 14, 12)), ("L", (4, size // 2)), ("R", (size - 12, size // 2))):
        _text(image, words, (left + at[0], top + at[1]), LABEL, colour=GREY)
    base = (left + size // 2, top + size - 1 + round(size * reach.x[0] / (reach.x[1] - reach.x[0])) // 4)
    cv2.circle(image, (base[0], min(base[1], top + size)), 4, WHITE, -1, cv2.LINE_AA)
    _text(image, "arm", (base[0] + 8, top + size - 4), LABEL, colour=GREY)
    bars = [left + size + 20, left + size + 68]
    for edge, words in zip(bars, ("height", "gap"), strict=True):
        cv2.rectangle(image, (edge, top), (edge + 10, top + size), WHITE, 1)
        _text(image, words, (edge - 8, top - 6), LABEL)
    if status.target is None:
        return
    across = (reach.y[1] - status.target.y) / (reach.y[1] - reach.y[0])
    ahead = (reach.x[1] - status.target.x) / (reach.x[1] - reach.x[0])
    up = (reach.z[1] - status.target.z) / (reach.z[1] - reach.z[0])
    u, v, w = (round(size * float(np.clip(share, 0.0, 1.0))) for share in (across, ahead, up))
    cv2.rectangle(image, (left + u - 5, top + v - 5), (left + u + 5, top + v + 5), colour, 2)
    cv2.line(image, (bars[0] - 3, top + w), (bars[0] + 13, top + w), colour, 3)
    if status.gap is not None:
        open_px = round((size - 2) * float(np.clip(status.gap / MAX_GAP, 0.0, 1.0)))
        cv2.rectangle(image, (bars[1] + 1, top + size - 1 - open_px), (bars[1] + 9, top + size - 1), colour, -1)


def _text(
    image: ImageArray,
    text: str,
    at: tuple[int, int],
    scale: float,
    *,
    room: int | None = None,
    colour: Colour = WHITE,
) -> None:
    """Words at their lower left corner; smaller where they would need more than `room` [px]."""
    if room is not None:
        scale *= min(1.0, max(room, 1) / max(1, cv2.getTextSize(text, _FONT, scale, 1)[0][0]))
    cv2.putText(image, text, at, _FONT, scale, DARK, 3, cv2.LINE_AA)
    cv2.putText(image, text, at, _FONT, scale, colour, 1, cv2.LINE_AA)


def _pixel(point: FloatArray | tuple[float, float]) -> tuple[int, int]:
    # OpenCV takes 16-bit coordinates; a landmark may lie anywhere.
    u, v = np.clip(np.asarray(point[:2], dtype=np.float64), -30000, 30000)
    return round(float(u)), round(float(v))
