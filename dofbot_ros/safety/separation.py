"""How far the bodies of the arm are from its base and from link 1, by separating axes.

Two convex bodies are apart where their shadows on some axis are (Gottschalk et al., OBBTree, SIGGRAPH 1996). The widest
gap between the shadows, on whichever axes one looks, never exceeds the distance: what seems to be clear is clear. Where
all shadows overlap, the smallest overlap is how deep the bodies are in each other along these axes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import FloatArray
from dofbot_ros.safety.bodies import Bodies, link_axes

FAR = 0.02
"""Where height or distance outward already show a gap of this [m], no other axes are looked at."""

LINK1_HALF = (0.032, 0.032, 0.027)
LINK1_BELOW_JOINT2 = 0.01445
"""Half lengths of the box around link 1, and how far its centre lies below joint 2 [m]. It turns with joint 1."""


class Base:
    """The base as a box in base_link, and link 1 as a box that turns on it.

    Args:
        kinematics: of the arm; link 1 stands as high as its base height says.
        lower: corner of the box around the base, in base_link [m].
        upper: the opposite corner [m].
    """

    def __init__(
        self, kinematics: Kinematics, lower: tuple[float, float, float], upper: tuple[float, float, float]
    ) -> None:
        self._lower, self._upper = lower, upper
        self._centre, self._half = 0.5 * (np.array(upper) + lower), 0.5 * (np.array(upper) - lower)
        self._link1_z = kinematics.base_height - LINK1_BELOW_JOINT2
        self._top = max(upper[2], self._link1_z + LINK1_HALF[2])

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
        ahead = np.maximum(self._upper[0] * c, self._lower[0] * c)
        front: FloatArray = np.maximum(ahead + np.maximum(self._upper[1] * s, self._lower[1] * s), LINK1_HALF[0])
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
        middle = self._centre[0] * x + self._centre[1] * y + self._centre[2] * h
        base = _gaps(least[1:], most[1:], middle, _reach(self._half, x, y, h))
        link1 = _gaps(least[1:], most[1:], self._link1_z * h, _reach(LINK1_HALF, r, left, h))
        return np.minimum(base, link1)


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
