"""Forward kinematics of many joint vectors at once for an arm whose zeros, scales and lengths are unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dofbot_ros.arm.kinematics import Kinematics
from dofbot_ros.core.types import N_ARM, FloatArray


@dataclass(frozen=True, eq=False)
class ArmGeometry:
    """What calibration may find different from the drawing.

    A joint that reads q, by the nominal calibration of its ticks, stands at
    (1 + scale) q + zero + sine sin q + cosine (cos q - 1) + play side + flex load. Sine and cosine are the
    once-per-turn error of an angle sensor that is mounted off its axis. Play is half of what the gear is loose, taken
    up to one side; flex is what gear and bracket give under the arm's weight. The servo sees neither.

    Many arms at once are one geometry, too: its angles have shape (..., 1, 5), its lengths (..., 1).

    Attributes:
        zeros: [rad], shape (5,).
        scales: relative errors of the servos' ticks a radian, shape (5,).
        sines: amplitudes of the once-per-turn error [rad], shape (5,).
        cosines: likewise [rad], shape (5,).
        plays: [rad], shape (5,).
        flexes: at full load [rad], shape (5,).
        base_height: table to joint 2 [m].
        upper_arm: joint 2 to joint 3 [m].
        forearm: joint 3 to joint 4 [m].
        tool: joint 4 to tool_link [m].
    """

    zeros: FloatArray
    scales: FloatArray
    sines: FloatArray
    cosines: FloatArray
    plays: FloatArray
    flexes: FloatArray
    base_height: float | FloatArray
    upper_arm: float | FloatArray
    forearm: float | FloatArray
    tool: float | FloatArray

    @classmethod
    def nominal(cls, kinematics: Kinematics) -> ArmGeometry:
        """The arm that `kinematics` describes, with exact servos."""
        k = kinematics
        none = np.zeros(N_ARM)
        return cls(none, none, none, none, none, none, k.base_height, k.upper_arm, k.forearm, k.tool)

    def joints(self, read: FloatArray, side: FloatArray, load: FloatArray) -> FloatArray:
        """True joint angles (..., v, 5) [rad].

        Args:
            read: what the servos read, shape (v, 5) [rad].
            side: to which side each gear's play is taken up, -1 to 1, shape (v, 5).
            load: torque of gravity as a share of that at full stretch, shape (v, 5).
        """
        turn = self.sines * np.sin(read) + self.cosines * (np.cos(read) - 1.0)
        angles: FloatArray = read * (1.0 + self.scales) + self.zeros + turn + self.plays * side + self.flexes * load
        return angles


def link4_poses(arm: ArmGeometry, q: FloatArray) -> FloatArray:
    """Poses of link4 in base_link, shape (..., n, 4, 4) [m], of true joint angles (..., n, 5) [rad].

    Joint 1 turns about z, joints 2 to 4 about y (docs/kinematics.md).
    """
    a, b = q[..., 1], q[..., 1] + q[..., 2]
    pitch = b + q[..., 3]
    c1, s1, cp, sp = np.cos(q[..., 0]), np.sin(q[..., 0]), np.cos(pitch), np.sin(pitch)
    radius = arm.upper_arm * np.sin(a) + arm.forearm * np.sin(b)
    T = np.zeros((*q.shape[:-1], 4, 4))
    T[..., 0, 0], T[..., 0, 1], T[..., 0, 2] = c1 * cp, -s1, c1 * sp
    T[..., 1, 0], T[..., 1, 1], T[..., 1, 2] = s1 * cp, c1, s1 * sp
    T[..., 2, 0], T[..., 2, 2] = -sp, cp
    T[..., 0, 3], T[..., 1, 3] = radius * c1, radius * s1
    T[..., 2, 3] = arm.base_height + arm.upper_arm * np.cos(a) + arm.forearm * np.cos(b)
    T[..., 3, 3] = 1.0
    return T


def tool_poses(arm: ArmGeometry, q: FloatArray) -> FloatArray:
    """Poses of tool_link in base_link, shape (..., n, 4, 4) [m], of true joint angles (..., n, 5) [rad]."""
    T = link4_poses(arm, q)
    T[..., :3, 3] += np.asarray(arm.tool)[..., None] * T[..., :3, 2]
    c, s = np.cos(q[..., 4])[..., None], np.sin(q[..., 4])[..., None]
    x, y = T[..., :3, 0].copy(), T[..., :3, 1].copy()
    T[..., :3, 0], T[..., :3, 1] = c * x + s * y, c * y - s * x
    return T
