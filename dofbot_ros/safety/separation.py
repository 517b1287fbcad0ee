"""How far the bodies of the arm are from its base and from link 1, by separating axes.

Two convex bodies are apart where their shadows on some axis are (Gottschalk et al., OBBTree, SIGGRAPH 1996). The widest
gap between the shadows, on whichever axes one looks, never exceeds the distance: what seems to be clear is clear. Where
all shadows overlap, the smallest overlap is how deep the bodies are in each other along these axes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.config.ranges import Checked
from dofbot_ros.core.types import FloatArray
from dofbot_ros.safety.bodies import Bodies, link_axes

FAR = 0.02
"""Where height or distance outward already show a gap of this [m], no other axes are looked at."""

LINK1_HALF = (0.032, 0.032, 0.027)
LINK1_BELOW_JOINT2 = 0.01445
"""Half lengths of the box around link 1, and how far its centre lies below joint 2 [m]. It turns with joint 1."""


@dataclass(frozen=True)
class Box(Checked):
    """A box along the axes of base_link, by two opposite corners [m]."""

    lower: tuple[float, float, float]
    upper: tuple[float, float, float]

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if any(not low < high for low, high in zip(self.lower, self.upper, strict=True)):
            yield f"box: lower must lie below upper in x, y and z, got {self.lower} and {self.upper}"

    @property
    def middle(self) -> FloatArray:
        """In base_link [m], shape (3,)."""
        return 0.5 * (np.array(self.upper) + self.lower)

    @property
    def half(self) -> FloatArray:
        """Half lengths [m], shape (3,)."""
        return 0.5 * (np.array(self.upper) - self.lower)


class Base:
    """The base as boxes in base_link, and link 1 as a box that turns on it.

    Args:
        kinematics: of the arm; link 1 stands as high as its base height says.
        boxes: around the base, in base_link.
    """

    def __init__(self, kinematics: Kinematics, boxes: tuple[Box, ...]) -> None:
        self._boxes = [(box.middle, box.half) for box in boxes]
        self._link1_z = kinematics.base_height - LINK1_BELOW_JOINT2
        self._top = max(self._link1_z + LINK1_HALF[2], *(box.upper[2] for box in boxes))

    def distances(self, bodies: Bodies, yaw: FloatArray, f: FloatArray, lowest: FloatArray) -> FloatArray:
        """Distance of each body but the upper arm to base and link 1 [m], shape (6, n).

        Args:
            bodies: of the arm.
            yaw: of joint 1 [rad], shape (n,).
            f: bodies.features of the joint vectors, shape (N_FEATURES, 3, n).
            lowest: the lowest point of each body [m], shape (7, n).
        """
        distance: FloatArray = np.maximum(lowest[1:] - self._top, bodies.lowest(f[:, 0])[1:] - self._front(yaw))
        near = (distance < FAR).any(axis=0)
        if near.any():
            distance[:, near] = self._closely(bodies, yaw[near], f[..., near])
        return distance

    def _front(self, yaw: FloatArray) -> FloatArray:
        """How far base and link 1 reach outward in the direction in which the arm points [m], shape (n,)."""
        c, s = np.cos(yaw), np.sin(yaw)
        front = np.full(len(yaw), LINK1_HALF[0])
        for middle, half in self._boxes:
            front = np.maximum(front, middle[0] * c + middle[1] * s + half[0] * np.abs(c) + half[1] * np.abs(s))
        return front

    def _closely(self, bodies: Bodies, yaw: FloatArray, f: FloatArray) -> FloatArray:
        """On the axes of the arm's plane, of the base, and of forearm, wrist and hand."""
        c, s = np.cos(yaw), np.sin(yaw)
        axes: FloatArray = np.zeros((11, 3, len(yaw)))
        axes[0, 0] = axes[1, 1] = axes[2, 2] = 1.0
        axes[3, 0], axes[3, 1], axes[4, 0], axes[4, 1] = c, -s, s, c
        axes[5:] = link_axes(f)
        r, left, h = axes[:, 0], axes[:, 1], axes[:, 2]
        least, most = bodies.span(np.einsum("ajn,kjn->kan", axes, f))
        x, y = r * c - left * s, r * s + left * c
        distance = _gaps(least[1:], most[1:], self._link1_z * h, _reach(LINK1_HALF, r, left, h))
        for (forward, leftward, upward), half in self._boxes:
            middle = forward * x + leftward * y + upward * h
            distance = np.minimum(distance, _gaps(least[1:], most[1:], middle, _reach(half, x, y, h)))
        return distance


def _reach(half: Sequence[float] | FloatArray, x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
    """How far a box reaches to either side of its middle on axes with these components in its own frame [m]."""
    reach: FloatArray = half[0] * np.abs(x) + half[1] * np.abs(y) + half[2] * np.abs(z)
    return reach


def _gaps(least: FloatArray, most: FloatArray, middle: FloatArray, reach: FloatArray) -> FloatArray:
    """The widest gap on any axis between bodies and one box [m], shape (bodies, n).

    Args:
        least: of the bodies on each axis [m], shape (bodies, axes, n).
        most: the same [m].
        middle: of the box [m], shape (axes, n).
        reach: of the box to either side of its middle [m], shape (axes, n).
    """
    widest: FloatArray = np.maximum(least - (middle + reach), (middle - reach) - most).max(axis=1)
    return widest
