"""Draws the figures of docs/teleoperation.md from recorded landmarks.

python -m dofbot_ros.teleop.sessions.figures test/unit/teleop/data/hand_video.npz docs/images
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from dofbot_ros.core.types import FloatArray, ImageArray, ToolPose
from dofbot_ros.teleop.config import ReachConfig
from dofbot_ros.teleop.input.landmarks import Landmarks, Observation
from dofbot_ros.teleop.input.recording import load_observations
from dofbot_ros.teleop.retargeting.clutch import Reason
from dofbot_ros.teleop.retargeting.pipeline import TeleopStatus
from dofbot_ros.teleop.sessions.overlay import (
    AMBER,
    BODY_BONES,
    DARK,
    GREEN,
    HAND_BONES,
    RED,
    Colour,
    draw_overlay,
    draw_skeleton,
)

PANEL = 240
PAPER = 250
OPEN, PINCH, FIST = 0, 328, 265
"""Frames of the recording that show each hand."""


def main() -> int:
    """Draw all figures. Returns the exit code."""
    if len(sys.argv) != 3:
        sys.stderr.write("usage: python -m dofbot_ros.teleop.sessions.figures RECORDING.npz FOLDER\n")
        return 2
    seen, folder = load_observations(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in {"signs": signs(seen), "motion": motion(seen), "arm": arm(), "overlay": overlay(seen)}.items():
        path = folder / f"teleop_{name}.png"
        cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 9])
        sys.stderr.write(f"{path}\n")
    return 0


def signs(seen: list[Observation]) -> ImageArray:
    """The signs of a hand: engage, follow, pinch, release."""
    return np.hstack(
        [
            _hand_panel(_hand(seen, OPEN), GREEN, "open palm, 0.8 s", "engages"),
            _hand_panel(_hand(seen, OPEN), AMBER, "fingers apart", "opens the gripper"),
            _hand_panel(_hand(seen, PINCH), AMBER, "thumb on index", "closes the gripper"),
            _hand_panel(_hand(seen, FIST), RED, "fist, 0.4 s", "releases"),
        ]
    )


def motion(seen: list[Observation]) -> ImageArray:
    """How the hand moves the tool."""
    hand, middle = _hand(seen, OPEN), PANEL // 2
    sideways = _hand_panel(hand, GREEN, "left, right", "tool +y, -y", scale=0.62)
    upward = _hand_panel(hand, GREEN, "up, down", "tool +z, -z", scale=0.62)
    nearer = _hand_panel(hand, GREEN, "to and from the camera", "tool +x, -x", scale=0.72, right_px=38)
    nearer = np.minimum(nearer, _hand_panel(hand, AMBER, "", "", scale=0.3, right_px=-72))
    turned = _hand_panel(hand, GREEN, "turn and tilt the hand", "roll and pitch", scale=0.62)
    for sign in (-1, 1):
        near, far = middle + 54 * sign, middle + 92 * sign
        cv2.arrowedLine(sideways, (near + 6 * sign, middle), (far + 6 * sign, middle), GREEN, 3, cv2.LINE_AA, 0, 0.35)
        cv2.arrowedLine(upward, (middle, near), (middle, far - 5 * sign), GREEN, 3, cv2.LINE_AA, 0, 0.35)
    cv2.arrowedLine(nearer, (middle - 48, middle), (middle - 22, middle), DARK, 2, cv2.LINE_AA, 0, 0.4)
    _arc(turned, (middle, middle + 62), (52, 16), (160, 20))
    _arc(turned, (middle + 80, middle), (16, 50), (70, -70))
    return np.hstack([sideways, upward, nearer, turned])


def _arc(panel: ImageArray, centre: tuple[int, int], axes: tuple[int, int], degrees: tuple[int, int]) -> None:
    """A bent arrow with both heads."""
    cv2.ellipse(panel, centre, axes, 0, min(degrees), max(degrees), GREEN, 3, cv2.LINE_AA)
    for end, before in (degrees, degrees[::-1]):
        inner = end + 14 * (1 if before > end else -1)
        tip, tail = (
            (round(centre[0] + axes[0] * np.cos(np.radians(a))), round(centre[1] + axes[1] * np.sin(np.radians(a))))
            for a in (end, inner)
        )
        cv2.arrowedLine(panel, tail, tip, GREEN, 3, cv2.LINE_AA, 0, 0.8)


def arm() -> ImageArray:
    """The person in mode arm."""
    resting = _person(0.15, 0.2)
    return np.hstack(
        [
            _body_panel(_person(0.15, 0.2, raised=True), GREEN, "other hand up, 0.8 s", "engages and releases"),
            _body_panel(resting, AMBER, "hanging arm", "upright robot"),
            _body_panel(_person(0.9, 0.3), AMBER, "arm raised to the side", "joints 1 and 2"),
            _body_panel(_person(0.5, 1.7), AMBER, "elbow bent", "joint 3"),
        ]
    )


def overlay(seen: list[Observation]) -> ImageArray:
    """What the operator sees at each step of the sign, while following and while holding, without the picture."""
    observation = seen[OPEN]
    blank = np.full((360, 640, 3), 90, dtype=np.uint8)
    target = ToolPose(0.22, 0.06, 0.14, 2.1)
    following = TeleopStatus(True, Reason.START, None, 0.0, False, target, 0.035, True)
    steps = [TeleopStatus(False, Reason.START, None, 0.6 * k, False, None, None, bool(k)) for k in (0, 1)]
    holding = TeleopStatus(False, Reason.HAND_LOST, Reason.TWO_HANDS, 0.0, False, None)
    small = _scaled(observation, 640, 360)
    states = [*((step, None) for step in steps), (following, 0.024), (holding, None)]
    views = [
        cv2.resize(draw_overlay(blank, small, status, latency_s=late, reach=ReachConfig(), mode="hand"), (480, 270))
        for status, late in states
    ]
    return np.asarray(np.vstack([np.hstack(views[:2]), np.hstack(views[2:])]), dtype=np.uint8)


def _hand(seen: list[Observation], frame: int) -> FloatArray:
    hand = seen[frame].hand
    if hand is None:
        raise SystemExit(f"frame {frame} of the recording shows no hand")
    return hand.image[:, :2]


def _scaled(observation: Observation, width: int, height: int) -> Observation:
    scale = width / observation.width
    hand = observation.hand
    if hand is None:
        return observation
    scaled = Landmarks(hand.image * scale, hand.world, hand.score, hand.side)
    return Observation(observation.stamp_s, width, height, scaled)


def _hand_panel(
    points: FloatArray, colour: Colour, title: str, what: str, *, scale: float = 1.0, right_px: int = 0
) -> ImageArray:
    panel = _paper(title, what)
    middle = 0.5 * (points.min(axis=0) + points.max(axis=0))
    size = float(np.ptp(points, axis=0).max())
    draw_skeleton(
        panel, (points - middle) * (150 * scale / size) + (PANEL / 2 + right_px, PANEL / 2), HAND_BONES, colour
    )
    return panel


def _body_panel(points: FloatArray, colour: Colour, title: str, what: str) -> ImageArray:
    panel = _paper(title, what)
    draw_skeleton(panel, points * 190 + (PANEL / 2, PANEL / 2 + 28), BODY_BONES, colour)
    cv2.circle(panel, (PANEL // 2, PANEL // 2 - 64), 17, colour, 2, cv2.LINE_AA)
    return panel


def _person(raise_angle: float, elbow: float, raised: bool = False) -> FloatArray:
    """Image points (33, 2) of a person who faces the camera and steers with his right arm, on the left of the image."""
    points = np.full((33, 2), np.nan)
    points[[11, 12, 23, 24]] = [(0.15, -0.33), (-0.15, -0.33), (0.1, 0.15), (-0.1, 0.15)]
    for shoulder, side, lift, bend in ((12, -1.0, raise_angle, elbow), (11, 1.0, 0.12, 0.1)):
        if raised and shoulder == 11:
            lift, bend = 0.7, 2.2  # noqa: PLW2901
        upper, fore = lift, lift + bend
        points[shoulder + 2] = points[shoulder] + 0.2 * np.array([side * np.sin(upper), np.cos(upper)])
        points[shoulder + 4] = points[shoulder + 2] + 0.19 * np.array([side * np.sin(fore), np.cos(fore)])
        points[shoulder + 8] = points[shoulder + 4] + 0.06 * np.array([side * np.sin(fore), np.cos(fore)])
    return points


def _paper(title: str, what: str) -> ImageArray:
    panel = np.full((PANEL, PANEL, 3), PAPER, dtype=np.uint8)
    for text, v in ((title, 20), (what, PANEL - 10)):
        width = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.48, 1)[0][0]
        cv2.putText(panel, text, ((PANEL - width) // 2, v), cv2.FONT_HERSHEY_SIMPLEX, 0.48, DARK, 1, cv2.LINE_AA)
    return panel


if __name__ == "__main__":
    sys.exit(main())
