"""From the landmarks of a body: how an arm is raised, bent and turned."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dofbot_ros.core.types import FloatArray
from dofbot_ros.teleop.input.landmarks import Landmarks, Side

LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP = 11, 12, 23, 24

HANGING_M = 0.08
"""A wrist nearer than this to the vertical through its shoulder says nothing about the direction of the arm [m]."""


@dataclass(frozen=True)
class ArmPoints:
    """MediaPipe's body points of one arm."""

    shoulder: int
    elbow: int
    wrist: int
    little: int
    index: int

    @property
    def needed(self) -> tuple[int, ...]:
        """The points that must be seen: the torso and this arm."""
        return (LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP, self.elbow, self.wrist)


SIDES: dict[Side, ArmPoints] = {"left": ArmPoints(11, 13, 15, 17, 19), "right": ArmPoints(12, 14, 16, 18, 20)}


@dataclass(frozen=True, eq=False)
class ArmAngles:
    """How one arm is held; a straight hanging arm is zero.

    Attributes:
        yaw: of the wrist around the shoulder, 0 forward, positive to the person's left [rad]; None for a hanging arm.
        raised: upper arm against straight down, towards where the wrist is [rad].
        elbow: 0 straight [rad].
        wrist_bend: hand against forearm, positive downwards or towards the person [rad].
        wrist: in the torso's frame, x forward, y to the person's left, z up, from the shoulder [m], shape (3,).
    """

    yaw: float | None
    raised: float
    elbow: float
    wrist_bend: float
    wrist: FloatArray


def arm_angles(body: Landmarks, side: Side, mirrored: bool) -> ArmAngles:
    """Read one arm in the frame of its torso, so that it does not matter how the person stands to the camera.

    Args:
        body: landmarks; world coordinates in the camera's axes [m].
        side: the person's own left or right.
        mirrored: the image is flipped; MediaPipe then takes the left arm for the right one.
    """
    world = body.world * (-1.0, 1.0, 1.0) if mirrored else body.world
    points = SIDES[seen_side(side, mirrored)]
    left, right = (LEFT_SHOULDER, RIGHT_SHOULDER) if not mirrored else (RIGHT_SHOULDER, LEFT_SHOULDER)
    up = _unit(world[[left, right]].mean(axis=0) - world[[LEFT_HIP, RIGHT_HIP]].mean(axis=0))
    across = world[left] - world[right]
    y = _unit(across - up * float(across @ up))
    torso = np.stack([np.cross(y, up), y, up])

    upper = torso @ (world[points.elbow] - world[points.shoulder])
    fore = torso @ (world[points.wrist] - world[points.elbow])
    hand = torso @ (world[[points.index, points.little]].mean(axis=0) - world[points.wrist])
    wrist = upper + fore
    reach = math.hypot(wrist[0], wrist[1])
    yaw = math.atan2(wrist[1], wrist[0]) if reach > HANGING_M else None
    # Angles in the vertical plane of the arm; a hanging arm's plane is the one straight ahead.
    out = np.array([wrist[0], wrist[1], 0.0]) / reach if yaw is not None else np.array([1.0, 0.0, 0.0])
    # Cut where no shoulder goes, a quarter turn behind the person, rather than overhead.
    raised = math.pi / 2 + math.remainder(_lift(upper, out) - math.pi / 2, math.tau)
    return ArmAngles(yaw, raised, _between(upper, fore), _turn(_lift(fore, out) - _lift(hand, out)), wrist)


def hand_raised(body: Landmarks, steering: Side, mirrored: bool) -> bool:
    """Whether the hand of the arm that does not steer is held above its shoulder."""
    other = SIDES[seen_side("left" if steering == "right" else "right", mirrored)]
    seen = body.visibility is None or bool(body.visibility[[other.shoulder, other.wrist]].min() >= 0.5)
    margin = 0.25 * float(np.linalg.norm(body.world[LEFT_SHOULDER] - body.world[RIGHT_SHOULDER]))
    return seen and bool(body.world[other.wrist, 1] < body.world[other.shoulder, 1] - margin)


def seen_side(side: Side, mirrored: bool) -> Side:
    """What MediaPipe calls `side`: it takes every image for one that is not mirrored."""
    if not mirrored:
        return side
    return "left" if side == "right" else "right"


def _lift(v: FloatArray, out: FloatArray) -> float:
    """Angle of `v` against straight down in the plane of `out` and up [rad]."""
    return math.atan2(float(v @ out), -float(v[2]))


def _between(a: FloatArray, b: FloatArray) -> float:
    return math.atan2(float(np.linalg.norm(np.cross(a, b))), float(a @ b))


def _turn(angle: float) -> float:
    return math.remainder(angle, math.tau)


def _unit(v: FloatArray) -> FloatArray:
    unit: FloatArray = v / max(float(np.linalg.norm(v)), 1e-9)
    return unit
